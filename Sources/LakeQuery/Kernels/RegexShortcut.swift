/// What Loki makes of a regular expression in a filter before it runs it as one.
///
/// Loki replaces expressions by searches for texts where it can, and these searches are not always equal in meaning: in a label filter
/// `=~"err.*"` finds `err` anywhere in the value, and an alternative that matches everything (`a|`, `.*|a`) is forgotten beside others.
/// Which expressions it replaces depends on the tree that Go's parser builds: adjacent characters are one literal, alternatives that
/// begin alike are put together behind their common beginning. Source: the cases of `RegexShortcutTests`, recorded from Loki 3.7.6.
struct RegexShortcut: Equatable {
  enum Piece: Equatable {
    case contains(String, isFolded: Bool)
    case equals(String, isFolded: Bool)
    case nonEmpty
  }
  /// One of them is enough; none at all: everything passes.
  var pieces: [Piece] = []
  /// An alternative that matches everything was left out.
  var forgets = false

  /// - Parameter isLabel: the expression is about a whole label, not about a place in a line.
  /// - Returns: nil when Loki runs the expression itself.
  static func read(_ expression: String, isLabel: Bool) -> RegexShortcut? {
    var parser = GoRegexParser(expression)
    guard let tree = parser.parse() else { return nil }
    return tree.shortcut(isLabel: isLabel)
  }

  fileprivate func or(_ other: RegexShortcut) -> RegexShortcut {
    RegexShortcut(
      pieces: pieces + other.pieces,
      forgets: forgets || other.forgets || pieces.isEmpty != other.pieces.isEmpty)
  }
}

extension RegexShortcut.Piece {
  /// An expression that is searched for, or (`isWhole`) must match all of a text.
  func expression(isWhole: Bool) -> String {
    switch self {
    case .nonEmpty: return isWhole ? "(?s:.+)" : ".+"
    case .contains(let text, let isFolded), .equals(let text, let isFolded):
      let quoted = text.unicodeScalars.reduce(into: "") { out, scalar in
        if scalar.isASCII, !ASCII.isWord(UInt8(scalar.value)) { out += "\\" }
        out.unicodeScalars.append(scalar)
      }
      let matched = isFolded ? "(?i:\(quoted))" : quoted
      if isWhole, case .contains = self { return "(?s:.*)\(matched)(?s:.*)" }
      return matched
    }
  }
}

extension ASCII {
  fileprivate static func isWord(_ byte: UInt8) -> Bool { isLetter(byte) || (48...57).contains(byte) || byte == 95 }
}

/// The tree of an expression as Go's parser builds it, as far as literals matter.
private indirect enum GoRegex: Equatable {
  case literal([Unicode.Scalar], isFolded: Bool)
  /// `.*` and `.+` where the dot does not take newlines.
  case anyRun
  case someRun
  case empty
  case concatenation([GoRegex])
  case alternation([GoRegex])
  case capture(GoRegex)
  /// One character of several.
  case oneOf
  case other

  /// Without the brackets around it.
  var uncaptured: GoRegex { if case .capture(let inner) = self { inner } else { self } }

  var isOneCharacter: Bool {
    switch self {
    case .literal(let text, _): text.count == 1
    case .oneOf: true
    default: false
    }
  }

  // MARK: - Replacing

  func shortcut(isLabel: Bool) -> RegexShortcut? {
    switch self {
    case .alternation(let legs):
      var all: RegexShortcut?
      for leg in legs {
        guard let next = leg.uncaptured.shortcut(isLabel: isLabel) else { return nil }
        all = all?.or(next) ?? next
      }
      return all
    case .concatenation(let parts): return GoRegex.shortcut(parts, after: nil, isFolded: false)
    case .capture(let inner): return inner.shortcut(isLabel: isLabel)
    case .literal(let text, let isFolded):
      let text = GoRegex.text(text)
      return RegexShortcut(pieces: [
        isLabel ? .equals(text, isFolded: isFolded) : .contains(text, isFolded: isFolded)
      ])
    case .anyRun, .empty: return RegexShortcut()
    case .someRun: return RegexShortcut(pieces: [.nonEmpty])
    case .oneOf, .other: return nil
    }
  }

  private static func text(_ scalars: [Unicode.Scalar]) -> String {
    scalars.reduce(into: "") { $0.unicodeScalars.append($1) }
  }

  /// One literal, perhaps with alternatives behind it, and runs of anything: a search for the literal wherever it stands.
  private static func shortcut(
    _ parts: [GoRegex], after base: [Unicode.Scalar]?, isFolded: Bool
  ) -> RegexShortcut? {
    let parts = parts.map(\.uncaptured).filter { $0 != .empty }
    guard parts.count <= 3 else { return nil }
    var base = base
    var isFolded = isFolded
    var hasLiteral = false
    var found: RegexShortcut?
    for part in parts {
      switch part {
      case .literal(let text, let folds):
        if hasLiteral { return nil }
        hasLiteral = true
        base = (base ?? []) + text
        isFolded = folds
      case .alternation(let legs):
        guard let base, let some = shortcut(legs, behind: base, isFolded) else { return nil }
        found = found?.or(some) ?? some
      case .anyRun: break
      default: return nil
      }
    }
    if let found { return found }
    return base.map { RegexShortcut(pieces: [.contains(text($0), isFolded: isFolded)]) }
  }

  private static func shortcut(
    _ legs: [GoRegex], behind base: [Unicode.Scalar], _ isFolded: Bool
  ) -> RegexShortcut? {
    var all: RegexShortcut?
    for leg in legs {
      let next: RegexShortcut
      switch leg {
      case .empty, .anyRun: next = RegexShortcut(pieces: [.contains(text(base), isFolded: isFolded)])
      case .literal(let text, let folds):
        if folds && !isFolded { return nil }
        next = RegexShortcut(pieces: [.contains(GoRegex.text(base + text), isFolded: isFolded)])
      case .concatenation(let parts):
        guard let inner = shortcut(parts, after: base, isFolded: isFolded) else { return nil }
        next = inner
      default: return nil
      }
      all = all?.or(next) ?? next
    }
    return all
  }

  // MARK: - Putting together

  /// Parts one after the other; literals that came as such are joined, sequences in sequences dissolve.
  static func joined(_ parts: [GoRegex]) -> GoRegex {
    var merged: [GoRegex] = []
    for part in parts {
      if case .literal(let text, let isFolded) = part, case .literal(let before, isFolded)? = merged.last {
        merged[merged.count - 1] = .literal(before + text, isFolded: isFolded)
      } else {
        merged.append(part)
      }
    }
    let flat = merged.flatMap { part in if case .concatenation(let inner) = part { inner } else { [part] } }
    return flat.isEmpty ? .empty : (flat.count == 1 ? flat[0] : .concatenation(flat))
  }

  static func alternatives(_ legs: [GoRegex]) -> GoRegex {
    var legs = legs.flatMap { leg in if case .alternation(let inner) = leg { inner } else { [leg] } }
    legs = factored(legs)
    legs = legs.reduce(into: []) { out, leg in
      if leg.isOneCharacter, out.last?.isOneCharacter == true {
        out[out.count - 1] = .oneOf
      } else if leg != .empty || out.last != .empty {
        out.append(leg)
      }
    }
    return legs.count == 1 ? legs[0] : .alternation(legs)
  }

  /// Neighbours that begin with the same literal stand behind it together.
  private static func factored(_ legs: [GoRegex]) -> [GoRegex] {
    var out: [GoRegex] = []
    var at = 0
    while at < legs.count {
      guard case (var prefix, let isFolded)? = legs[at].beginning else {
        out.append(legs[at])
        at += 1
        continue
      }
      var end = at + 1
      while end < legs.count, let (next, folds) = legs[end].beginning, folds == isFolded {
        let common = zip(prefix, next).prefix { $0 == $1 }.map(\.0)
        if common.isEmpty { break }
        prefix = common
        end += 1
      }
      if end == at + 1 {
        out.append(legs[at])
      } else {
        let rest = legs[at..<end].map { $0.droppingBeginning(prefix.count) }
        out.append(.concatenation([.literal(prefix, isFolded: isFolded), alternatives(rest)]))
      }
      at = end
    }
    return out
  }

  private var beginning: ([Unicode.Scalar], Bool)? {
    switch self {
    case .literal(let text, let isFolded): (text, isFolded)
    case .concatenation(let parts): parts[0].beginning
    default: nil
    }
  }

  private func droppingBeginning(_ count: Int) -> GoRegex {
    switch self {
    case .literal(let text, let isFolded):
      return text.count == count ? .empty : .literal(Array(text.dropFirst(count)), isFolded: isFolded)
    case .concatenation(var parts):
      parts[0] = parts[0].droppingBeginning(count)
      if parts[0] == .empty { parts.removeFirst() }
      return parts.count == 1 ? parts[0] : .concatenation(parts)
    default: return self
    }
  }
}

/// Reads an expression that RE2 has accepted; gives up on what cannot lead to a shortcut.
private struct GoRegexParser {
  private let text: [Unicode.Scalar]
  private var at = 0
  private var isFolded = false
  private var dotTakesAll = false
  private var depth = 0
  private static let depthMax = 100

  init(_ text: String) { self.text = Array(text.unicodeScalars) }

  mutating func parse() -> GoRegex? {
    guard let tree = choice(), at == text.count else { return nil }
    return tree
  }

  private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

  private mutating func skip(to end: Unicode.Scalar) {
    while at < text.count, text[at] != end { at += 1 }
  }

  private mutating func choice() -> GoRegex? {
    depth += 1
    defer { depth -= 1 }
    guard depth < GoRegexParser.depthMax else { return nil }
    var legs: [GoRegex] = []
    while true {
      guard let leg = sequence() else { return nil }
      legs.append(leg)
      guard next == "|" else { break }
      at += 1
    }
    return legs.count == 1 ? legs[0] : GoRegex.alternatives(legs)
  }

  private mutating func sequence() -> GoRegex? {
    var parts: [GoRegex] = []
    while let character = next, character != "|", character != ")" {
      guard let atom = atom() else { return nil }
      parts.append(contentsOf: quantified(atom).map { [$0] } ?? [])
    }
    return GoRegex.joined(parts)
  }

  /// - Returns: nil for flags, which are no part.
  private mutating func quantified(_ atom: Atom) -> GoRegex? {
    guard let character = next, "*+?{".unicodeScalars.contains(character) else { return atom.node }
    if character == "{", !(text.indices.contains(at + 1) && ("0"..."9").contains(text[at + 1])) { return atom.node }
    var node = GoRegex.other
    if atom.isDot, !dotTakesAll {
      if character == "*" { node = .anyRun }
      if character == "+" { node = .someRun }
    }
    while let character = next, "*+?{".unicodeScalars.contains(character) {
      if character == "{" { skip(to: "}") }
      at += 1
    }
    return node
  }

  private struct Atom {
    var node: GoRegex?
    var isDot = false
  }

  private mutating func atom() -> Atom? {
    let character = text[at]
    at += 1
    switch character {
    case "(": return group()
    case "[": return characterClass()
    case ".": return Atom(node: .oneOf, isDot: true)
    case "^", "$": return Atom(node: .other)
    case "\\": return escape()
    case "*", "+", "?": return nil
    default: return literal(character)
    }
  }

  private func literal(_ character: Unicode.Scalar) -> Atom {
    let folded = isFolded ? Array(String(character).lowercased().unicodeScalars) : [character]
    return Atom(node: .literal(folded, isFolded: isFolded))
  }

  private mutating func group() -> Atom? {
    let outer = (isFolded, dotTakesAll)
    var isCapture = true
    if next == "?" {
      at += 1
      if next == "P" || next == "<" {
        skip(to: ">")
        at += 1
      } else {
        isCapture = false
        var isOn = true
        while let character = next, character != ":", character != ")" {
          switch character {
          case "-": isOn = false
          case "i": isFolded = isOn
          case "s": dotTakesAll = isOn
          case "m", "U": break
          default: return nil
          }
          at += 1
        }
        guard let end = next else { return nil }
        at += 1
        if end == ")" { return Atom(node: nil) }
      }
    }
    guard let inner = choice(), next == ")" else { return nil }
    at += 1
    (isFolded, dotTakesAll) = outer
    return Atom(node: isCapture ? .capture(inner) : inner)
  }

  /// `[a]` is its character; other classes only have to be passed over.
  private mutating func characterClass() -> Atom? {
    let start = at
    if next == "^" { at += 1 }
    if next == "]" { at += 1 }
    while let character = next, character != "]" {
      if character == "[", text.indices.contains(at + 1), text[at + 1] == ":" {
        at += 2
        skip(to: "]")
      } else if character == "\\" {
        at += 1
      }
      at += 1
    }
    guard next == "]" else { return nil }
    let members = text[start..<at]
    at += 1
    guard members.count == 1, let only = members.first, only != "^", only != "\\" else { return Atom(node: .oneOf) }
    return literal(only)
  }

  private mutating func escape() -> Atom? {
    guard let character = next else { return nil }
    at += 1
    switch character {
    case "d", "D", "w", "W", "s", "S", "C": return Atom(node: .oneOf)
    case "b", "B", "A", "z": return Atom(node: .other)
    case "n": return literal("\n")
    case "t": return literal("\t")
    case "r": return literal("\r")
    default:
      let isPunctuation = character.isASCII && !ASCII.isWord(UInt8(character.value))
      return isPunctuation ? literal(character) : nil
    }
  }
}
