/// A regular expression as a tree: printed for the engine, matched here by trying everything, first choice first.
///
/// Repeated parts never match the empty text, so that trying ends.
indirect enum SlowRegex {
  case text(String)
  case any
  case oneOf(String, isNegated: Bool)
  case digit, word, space
  case sequence([SlowRegex])
  case choice([SlowRegex])
  case repeated(SlowRegex, least: Int, most: Int?, isLazy: Bool)
  case group(name: String?, SlowRegex)
  case start, end, wordEdge

  /// RE2's syntax.
  var text: String {
    switch self {
    case .text(let text): return text.map { "\\.+*?()|[]{}^$".contains($0) ? "\\\($0)" : String($0) }.joined()
    case .any: return "."
    case .oneOf(let set, let isNegated):
      return "[" + (isNegated ? "^" : "") + set.map { "\\]^-".contains($0) ? "\\\($0)" : String($0) }.joined() + "]"
    case .digit: return "\\d"
    case .word: return "\\w"
    case .space: return "\\s"
    case .sequence(let parts): return parts.map { if case .choice = $0 { "(?:\($0.text))" } else { $0.text } }.joined()
    case .choice(let parts): return parts.map(\.text).joined(separator: "|")
    case .repeated(let part, let least, let most, let isLazy):
      var inner = part.text
      switch part {
      case .any, .oneOf, .digit, .word, .space, .group: break
      default: inner = "(?:\(inner))"
      }
      let count =
        switch (least, most) {
        case (0, nil): "*"
        case (1, nil): "+"
        case (0, 1): "?"
        default: "{\(least),\(most.map { String($0) } ?? "")}"
        }
      return inner + count + (isLazy ? "?" : "")
    case .group(let name, let part): return "(" + (name.map { "?P<\($0)>" } ?? "") + part.text + ")"
    case .start: return "^"
    case .end: return "$"
    case .wordEdge: return "\\b"
    }
  }

  struct Options {
    var ignoresCase = false
    /// Whether `.` takes a newline.
    var dotTakesAll = false
  }

  typealias Captures = [String: Range<Int>]

  /// Tries `self` at a place; `rest` says whether what follows matches.
  private func tries(
    _ text: [Unicode.Scalar], _ at: Int, _ options: Options, _ captures: Captures,
    _ rest: (Int, Captures) -> (Int, Captures)?
  ) -> (Int, Captures)? {
    func one(_ holds: (Unicode.Scalar) -> Bool) -> (Int, Captures)? {
      at < text.count && holds(text[at]) ? rest(at + 1, captures) : nil
    }
    switch self {
    case .text(let wanted):
      let wanted = Array(wanted.unicodeScalars)
      guard at + wanted.count <= text.count else { return nil }
      for (index, scalar) in wanted.enumerated()
      where SlowRegex.folded(scalar, options) != SlowRegex.folded(text[at + index], options) { return nil }
      return rest(at + wanted.count, captures)
    case .any: return one { options.dotTakesAll || $0 != "\n" }
    case .oneOf(let set, let isNegated):
      return one { scalar in
        set.unicodeScalars.contains { SlowRegex.folded($0, options) == SlowRegex.folded(scalar, options) } != isNegated
      }
    case .digit: return one { ("0"..."9").contains($0) }
    case .word: return one { SlowRegex.isWord(SlowRegex.folded($0, options)) }
    case .space: return one { " \t\n\u{0C}\r".unicodeScalars.contains($0) }
    case .sequence(let parts):
      guard let first = parts.first else { return rest(at, captures) }
      return first.tries(text, at, options, captures) { at, captures in
        SlowRegex.sequence(Array(parts.dropFirst())).tries(text, at, options, captures, rest)
      }
    case .choice(let parts):
      for part in parts { if let found = part.tries(text, at, options, captures, rest) { return found } }
      return nil
    case .repeated(let part, let least, let most, let isLazy):
      func more() -> (Int, Captures)? {
        if let most, most == 0 { return nil }
        let left = SlowRegex.repeated(part, least: max(0, least - 1), most: most.map { $0 - 1 }, isLazy: isLazy)
        return part.tries(text, at, options, captures) { left.tries(text, $0, options, $1, rest) }
      }
      if least > 0 { return more() }
      return isLazy ? rest(at, captures) ?? more() : more() ?? rest(at, captures)
    case .group(let name, let part):
      return part.tries(text, at, options, captures) { end, captures in
        var captures = captures
        if let name { captures[name] = at..<end }
        return rest(end, captures)
      }
    case .start: return at == 0 ? rest(at, captures) : nil
    case .end: return at == text.count ? rest(at, captures) : nil
    case .wordEdge:
      let before = at > 0 && SlowRegex.isWord(text[at - 1])
      let after = at < text.count && SlowRegex.isWord(text[at])
      return before != after ? rest(at, captures) : nil
    }
  }

  /// The leftmost match: its end and named groups.
  func firstMatch(in text: String, _ options: Options = Options()) -> [String: String]? {
    let scalars = Array(text.unicodeScalars)
    for start in 0...scalars.count {
      guard let (_, captures) = tries(scalars, start, options, [:], { ($0, $1) }) else { continue }
      return captures.mapValues { range in
        var out = String.UnicodeScalarView()
        out.append(contentsOf: scalars[range])
        return String(out)
      }
    }
    return nil
  }

  /// A match of the whole text.
  func wholeMatch(of text: String, _ options: Options = Options()) -> [String: String]? {
    SlowRegex.sequence([.start, .group(name: "", self), .end]).firstMatch(in: text, options)
  }

  private static func isWord(_ scalar: Unicode.Scalar) -> Bool {
    scalar == "_" || ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }

  private static func folded(_ scalar: Unicode.Scalar, _ options: Options) -> Unicode.Scalar {
    guard options.ignoresCase else { return scalar }
    switch scalar {
    case "\u{212A}": return "k"
    case "\u{17F}": return "s"
    default: return scalar.properties.lowercaseMapping.unicodeScalars.first!
    }
  }
}

/// A regular expression with its flag, as a query has it.
struct SlowExpression {
  var tree: SlowRegex
  var ignoresCase = false
  var text: String { (ignoresCase ? "(?i)" : "") + tree.text }

  func options(dotTakesAll: Bool = false) -> SlowRegex.Options {
    SlowRegex.Options(ignoresCase: ignoresCase, dotTakesAll: dotTakesAll)
  }
}
