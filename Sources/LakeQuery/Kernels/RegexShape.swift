/// What a regular expression demands of the text it is searched in, read off its syntax.
///
/// Only a part of RE2's syntax is understood; whatever is not makes the demand weaker, never wrong.
struct RegexShape: Sendable, Equatable {
  struct Literal: Sendable, Hashable {
    var bytes: [UInt8]
    /// ASCII letters stand for either case; bytes are lower case then.
    var isFolded: Bool
  }

  /// Every match contains one of these; nil when nothing is known.
  var anyOf: [Literal]?
  /// A text matches exactly when it contains one of `anyOf`: no need to run the expression.
  var isExact: Bool

  static let unknown = RegexShape(anyOf: nil, isExact: false)

  /// Most alternatives worth searching for one by one.
  static let alternativesMax = 8

  /// - Parameter isFolded: the expression is used without regard to case, as if it began with `(?i)`.
  init(_ expression: String, isFolded: Bool = false) {
    var parser = RegexSyntax(Array(expression.unicodeScalars), isFolded: isFolded)
    guard let node = parser.parse() else {
      self = .unknown
      return
    }
    if let whole = node.exactStrings(), !whole.isEmpty, whole.allSatisfy({ !$0.bytes.isEmpty }) {
      self.init(anyOf: RegexShape.sorted(whole), isExact: true)
    } else if let needed = node.neededStrings() {
      self.init(anyOf: RegexShape.sorted(needed), isExact: false)
    } else {
      self = .unknown
    }
  }

  private init(anyOf: [Literal]?, isExact: Bool) {
    self.anyOf = anyOf
    self.isExact = isExact
  }

  private static func sorted(_ literals: Set<Literal>) -> [Literal] {
    literals.sorted { a, b in
      a.bytes == b.bytes ? !a.isFolded && b.isFolded : a.bytes.lexicographicallyPrecedes(b.bytes)
    }
  }
}

/// A regular expression as a tree, as far as literals matter.
indirect enum RegexNode: Equatable {
  case empty
  /// One character, as its UTF-8 bytes.
  case literal([UInt8], isFolded: Bool)
  case sequence([RegexNode])
  case choice([RegexNode])
  /// At least once.
  case repeated(RegexNode)
  /// Matches something about which nothing is known, perhaps nothing at all.
  case other
}

extension RegexNode {
  /// All texts the node matches, when they are few and the node matches nothing else and asserts nothing.
  func exactStrings() -> Set<RegexShape.Literal>? {
    switch self {
    case .empty: return [RegexShape.Literal(bytes: [], isFolded: false)]
    case .literal(let bytes, let isFolded):
      // Under folding k and s also stand for U+212A and U+017F, and other letters beyond ASCII have more forms.
      if isFolded && !RegexNode.foldsWithinASCII(bytes) { return nil }
      let isLetter = ASCII.isLetter(bytes[0])
      return [RegexShape.Literal(bytes: isFolded ? bytes.map(ASCII.lowered) : bytes, isFolded: isFolded && isLetter)]
    case .sequence(let parts):
      var all: Set<RegexShape.Literal> = [RegexShape.Literal(bytes: [], isFolded: false)]
      for part in parts {
        guard let next = part.exactStrings(), all.count * next.count <= RegexShape.alternativesMax else { return nil }
        var joined = Set<RegexShape.Literal>()
        for a in all {
          for b in next {
            guard let literal = RegexNode.join(a, b) else { return nil }
            joined.insert(literal)
          }
        }
        all = joined
      }
      return all
    case .choice(let options):
      var all = Set<RegexShape.Literal>()
      for option in options {
        guard let some = option.exactStrings() else { return nil }
        all.formUnion(some)
      }
      return all.count <= RegexShape.alternativesMax ? all : nil
    case .repeated, .other: return nil
    }
  }

  /// Texts one of which is in every match; nil when none can be told.
  func neededStrings() -> Set<RegexShape.Literal>? {
    switch self {
    case .empty, .other: return nil
    case .literal: return exactStrings()
    case .repeated(let inner): return inner.neededStrings()
    case .choice(let options):
      var all = Set<RegexShape.Literal>()
      for option in options {
        guard let some = option.neededStrings() else { return nil }
        all.formUnion(some)
      }
      return all.count <= RegexShape.alternativesMax ? all : nil
    case .sequence(let parts):
      // Runs of parts with few exact texts are joined; the best run or part wins.
      var best: Set<RegexShape.Literal>?
      var run: Set<RegexShape.Literal>?
      func consider(_ candidate: Set<RegexShape.Literal>?) {
        guard let candidate, RegexNode.score(candidate) > RegexNode.score(best) else { return }
        best = candidate
      }
      for part in parts {
        guard let exact = part.exactStrings() else {
          consider(run)
          run = nil
          consider(part.neededStrings())
          continue
        }
        if let before = run, let joined = RegexNode.product(before, exact) {
          run = joined
        } else {
          consider(run)
          run = exact
        }
      }
      consider(run)
      return best
    }
  }

  /// How much a set of alternatives narrows a search: the shortest decides, then how few they are. 0 is useless.
  private static func score(_ set: Set<RegexShape.Literal>?) -> Int {
    guard let set, let shortest = set.map(\.bytes.count).min(), shortest > 0 else { return 0 }
    return shortest * 16 - set.count
  }

  private static func product(
    _ a: Set<RegexShape.Literal>, _ b: Set<RegexShape.Literal>
  ) -> Set<RegexShape.Literal>? {
    guard a.count * b.count <= RegexShape.alternativesMax else { return nil }
    var joined = Set<RegexShape.Literal>()
    for left in a {
      for right in b {
        guard let literal = join(left, right) else { return nil }
        joined.insert(literal)
      }
    }
    return joined
  }

  /// Texts one after the other; nil when only one of them has letters in either case.
  private static func join(_ a: RegexShape.Literal, _ b: RegexShape.Literal) -> RegexShape.Literal? {
    func hasLetters(_ literal: RegexShape.Literal) -> Bool { literal.bytes.contains(where: ASCII.isLetter) }
    if a.isFolded != b.isFolded && hasLetters(a) && hasLetters(b) { return nil }
    let isFolded = (a.isFolded && hasLetters(a)) || (b.isFolded && hasLetters(b))
    return RegexShape.Literal(bytes: a.bytes + b.bytes, isFolded: isFolded)
  }

  private static func foldsWithinASCII(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == 1 else { return false }
    let lowered = ASCII.lowered(bytes[0])
    return bytes[0] < 128 && lowered != UInt8(ascii: "k") && lowered != UInt8(ascii: "s")
  }
}

/// Reads RE2 syntax into `RegexNode`.
struct RegexSyntax {
  private let text: [Unicode.Scalar]
  private var at = 0
  private var isFolded: Bool
  private var depth = 0
  private static let depthMax = 100

  init(_ text: [Unicode.Scalar], isFolded: Bool) {
    self.text = text
    self.isFolded = isFolded
  }

  /// - Returns: nil when the text is not understood to its end.
  mutating func parse() -> RegexNode? {
    guard let node = choice(), at == text.count else { return nil }
    return node
  }

  private var next: Unicode.Scalar? { at < text.count ? text[at] : nil }

  private mutating func choice() -> RegexNode? {
    depth += 1
    defer { depth -= 1 }
    guard depth < RegexSyntax.depthMax else { return nil }
    var options: [RegexNode] = []
    while true {
      guard let option = sequence() else { return nil }
      options.append(option)
      guard next == "|" else { break }
      at += 1
    }
    return options.count == 1 ? options[0] : .choice(options)
  }

  private mutating func sequence() -> RegexNode? {
    var parts: [RegexNode] = []
    while let character = next, character != "|", character != ")" {
      guard let atom = atom(), let part = quantified(atom) else { return nil }
      parts.append(part)
    }
    return parts.isEmpty ? .empty : (parts.count == 1 ? parts[0] : .sequence(parts))
  }

  private mutating func quantified(_ atom: RegexNode) -> RegexNode? {
    var node = atom
    while let character = next {
      switch character {
      case "*", "?": node = .other
      case "+": node = .repeated(node)
      case "{":
        guard let (low, length) = repetition() else { return node }  // a literal brace, read as an atom next
        at += length - 1
        node = low == 0 ? .other : .repeated(node)
      default: return node
      }
      at += 1
      if next == "?" { at += 1 }  // not greedy: the same texts
    }
    return node
  }

  /// `{n}`, `{n,}` or `{n,m}` at the current place: the least count, and how many characters it takes.
  private func repetition() -> (low: Int, length: Int)? {
    var index = at + 1
    var low = 0
    var digits = 0
    while index < text.count, let digit = text[index].digit {
      low = min(low * 10 + digit, 1000)
      digits += 1
      index += 1
    }
    guard digits > 0, index < text.count else { return nil }
    if text[index] == "," {
      index += 1
      while index < text.count, text[index].digit != nil { index += 1 }
    }
    guard index < text.count, text[index] == "}" else { return nil }
    return (low, index - at + 1)
  }

  private mutating func atom() -> RegexNode? {
    let character = text[at]
    at += 1
    switch character {
    case "(": return group()
    case "[": return characterClass()
    case ".", "^", "$": return .other
    case "\\": return escape()
    case "*", "+", "?": return nil
    default: return .literal(Array(String(character).utf8), isFolded: isFolded)
    }
  }

  private mutating func group() -> RegexNode? {
    let outer = isFolded
    if next == "?" {
      at += 1
      if next == "P" || next == "<" {
        // A name: up to the closing bracket.
        while let character = next, character != ">" {
          if character == ")" || character == "(" { return nil }
          at += 1
        }
        guard next == ">" else { return nil }
        at += 1
      } else {
        var isOn = true
        while let character = next, character != ":", character != ")" {
          switch character {
          case "-": isOn = false
          case "i": isFolded = isOn
          case "s", "m", "U": break
          default: return nil
          }
          at += 1
        }
        guard let end = next else { return nil }
        at += 1
        if end == ")" { return .empty }  // flags for the rest of the enclosing group
      }
    }
    guard let inner = choice(), next == ")" else { return nil }
    at += 1
    isFolded = outer
    return inner
  }

  private mutating func characterClass() -> RegexNode? {
    var members: [Unicode.Scalar] = []
    var isSimple = true
    if next == "^" {
      isSimple = false
      at += 1
    }
    if next == "]" {
      members.append("]")
      at += 1
    }
    while let character = next, character != "]" {
      at += 1
      switch character {
      case "\\":
        guard let escaped = next else { return nil }
        at += 1
        if escaped.isASCIIPunctuation { members.append(escaped) } else { isSimple = false }
        if escaped == "p" || escaped == "P" || escaped == "x" { return skipClass() }
      case "[" where next == ":": return skipClass()
      case "-": isSimple = false
      default: members.append(character)
      }
    }
    guard next == "]" else { return nil }
    at += 1
    guard isSimple, members.count == 1 else { return .other }
    return .literal(Array(String(members[0]).utf8), isFolded: isFolded)
  }

  /// Gives up on the inside of a class: what follows its end could not be told apart from its inside.
  private mutating func skipClass() -> RegexNode? { nil }

  private mutating func escape() -> RegexNode? {
    guard let character = next else { return nil }
    at += 1
    switch character {
    case "d", "D", "w", "W", "s", "S", "b", "B", "A", "z", "C": return .other
    case "n": return .literal([10], isFolded: false)
    case "t": return .literal([9], isFolded: false)
    case "r": return .literal([13], isFolded: false)
    case "Q":
      var parts: [RegexNode] = []
      while at < text.count {
        if text[at] == "\\", at + 1 < text.count, text[at + 1] == "E" {
          at += 2
          break
        }
        parts.append(.literal(Array(String(text[at]).utf8), isFolded: isFolded))
        at += 1
      }
      return .sequence(parts)
    default:
      return character.isASCIIPunctuation ? .literal([UInt8(character.value)], isFolded: false) : nil
    }
  }
}

extension Unicode.Scalar {
  fileprivate var digit: Int? { (48...57).contains(value) ? Int(value) - 48 : nil }

  fileprivate var isASCIIPunctuation: Bool {
    switch value {
    case 33...47, 58...64, 91...96, 123...126: true
    default: false
    }
  }
}
