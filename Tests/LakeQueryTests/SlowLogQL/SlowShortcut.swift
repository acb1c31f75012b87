/// What Loki searches for instead of running an expression, read off the expression's tree. LakeQuery, `RegexShortcut`.
enum SlowShortcut: Equatable {
  case contains(String)
  case equals(String)
  case nonEmpty

  func holds(_ value: String, ignoresCase: Bool) -> Bool {
    let value = ignoresCase ? value.lowercased() : value
    switch self {
    case .contains(let text): return Array(value.unicodeScalars).contains(Array(text.unicodeScalars))
    case .equals(let text): return Array(value.unicodeScalars) == Array(text.unicodeScalars)
    case .nonEmpty: return !value.isEmpty
    }
  }

  /// - Returns: nil when the expression itself runs; none: everything passes.
  static func of(_ expression: SlowExpression, isLabel: Bool) -> (any: [SlowShortcut], forgets: Bool)? {
    var forgets = false
    let tree = Tree(expression.tree, expression.ignoresCase)
    return tree.pieces(isLabel: isLabel, &forgets).map { ($0, forgets) }
  }

  /// The expression as Go's parser has it.
  private indirect enum Tree: Equatable {
    case literal(String)
    case anything, something, nothing
    case chain([Tree])
    case either([Tree])
    case bracket(Tree)
    case character
    case opaque

    init(_ regex: SlowRegex, _ folds: Bool) {
      switch regex {
      case .text(let text): self = text.isEmpty ? .nothing : .literal(folds ? text.lowercased() : text)
      case .oneOf(let set, isNegated: false) where set.unicodeScalars.count == 1: self = .literal(set)
      case .any, .oneOf, .digit, .word, .space: self = .character
      case .repeated(.any, 0, nil, _): self = .anything
      case .repeated(.any, 1, nil, _): self = .something
      case .repeated, .start, .end, .wordEdge: self = .opaque
      case .group(_, let inner): self = .bracket(Tree(inner, folds))
      case .choice(let legs): self = .either(Tree.gathered(legs.map { Tree($0, folds) }))
      case .sequence: self = Tree.chained(Tree.leaves(regex).map { Tree($0, folds) })
      }
      if case .either(let legs) = self, legs.count == 1 { self = legs[0] }
    }

    /// Sequences in sequences are printed as one.
    private static func leaves(_ regex: SlowRegex) -> [SlowRegex] {
      if case .sequence(let parts) = regex { return parts.flatMap(leaves) }
      return [regex]
    }

    private static func chained(_ parts: [Tree]) -> Tree {
      var out: [Tree] = []
      for part in parts where part != .nothing {
        if case .literal(let more) = part, case .literal(let text)? = out.last {
          out[out.count - 1] = .literal(text + more)
        } else {
          out.append(part)
        }
      }
      return out.isEmpty ? .nothing : out.count == 1 ? out[0] : .chain(out)
    }

    /// Alternatives side by side that begin alike are one, with the common beginning before it.
    private static func gathered(_ legs: [Tree]) -> [Tree] {
      var flat: [Tree] = []
      for leg in legs { if case .either(let inner) = leg { flat += inner } else { flat.append(leg) } }
      var out: [Tree] = []
      while let first = flat.first {
        var count = 1
        var common = first.head
        while count < flat.count, !common.isEmpty {
          let shared = String(zip(common, flat[count].head).prefix { $0 == $1 }.map(\.0))
          if shared.isEmpty { break }
          common = shared
          count += 1
        }
        if count > 1 {
          let tails = gathered(flat[..<count].map { $0.without(common) })
          out.append(.chain([.literal(common), tails.count == 1 ? tails[0] : .either(tails)]))
        } else {
          out.append(first)
        }
        flat.removeFirst(count)
      }
      return out.reduce(into: []) { out, leg in
        if leg.isCharacter, out.last?.isCharacter == true {
          out[out.count - 1] = .character
        } else if leg != .nothing || out.last != .nothing {
          out.append(leg)
        }
      }
    }

    private var isCharacter: Bool {
      if case .literal(let text) = self { return text.unicodeScalars.count == 1 }
      return self == .character
    }

    private var head: String {
      switch self {
      case .literal(let text): text
      case .chain(let parts): parts[0].head
      default: ""
      }
    }

    private func without(_ beginning: String) -> Tree {
      switch self {
      case .literal(let text): text == beginning ? .nothing : .literal(String(text.dropFirst(beginning.count)))
      case .chain(let parts): Tree.chained([parts[0].without(beginning)] + parts.dropFirst())
      default: self
      }
    }

    private var open: Tree { if case .bracket(let inner) = self { inner } else { self } }

    func pieces(isLabel: Bool, _ forgets: inout Bool) -> [SlowShortcut]? {
      switch self {
      case .literal(let text): return [isLabel ? .equals(text) : .contains(text)]
      case .anything, .nothing: return []
      case .something: return [.nonEmpty]
      case .bracket(let inner): return inner.pieces(isLabel: isLabel, &forgets)
      case .chain(let parts): return Tree.pieces(parts, nil)
      case .either(let legs):
        var all: [SlowShortcut] = []
        var empties = 0
        for leg in legs {
          guard let some = leg.open.pieces(isLabel: isLabel, &forgets) else { return nil }
          if some.isEmpty { empties += 1 }
          all += some
        }
        if empties > 0 && !all.isEmpty { forgets = true }
        return all
      case .character, .opaque: return nil
      }
    }

    private static func pieces(_ parts: [Tree], _ before: String?) -> [SlowShortcut]? {
      let parts = parts.map(\.open).filter { $0 != .nothing }
      if parts.count > 3 { return nil }
      var text = before
      var hasLiteral = false
      var all: [SlowShortcut] = []
      for part in parts {
        switch part {
        case .literal(let more) where !hasLiteral:
          text = (text ?? "") + more
          hasLiteral = true
        case .anything: break
        case .either(let legs):
          guard let text else { return nil }
          for leg in legs {
            switch leg {
            case .nothing, .anything: all.append(.contains(text))
            case .literal(let more): all.append(.contains(text + more))
            case .chain(let inner):
              guard let some = pieces(inner, text) else { return nil }
              all += some
            default: return nil
            }
          }
        default: return nil
        }
      }
      return all.isEmpty ? text.map { [.contains($0)] } : all
    }
  }
}
