extension LogQL {
  /// A pattern such as `<ip> - <_> "<method> <_>"`, of the `pattern` parser and of the filters `|>` and `!>`.
  package struct LinePattern: Hashable, Sendable {
    package enum Part: Hashable, Sendable {
      /// Text as it stands; never empty, never two in a row.
      case literal(String)
      /// `<name>`.
      case capture(String)
      /// `<_>`.
      case skip
    }
    package var parts: [Part]

    package struct Malformed: Error, Hashable, Sendable {
      package let message: String
    }

    /// A pattern of the parser: at least one named capture, no two captures side by side, no name twice.
    package static func parser(_ text: String) -> Result<LinePattern, Malformed> {
      if text.isEmpty { return .failure(emptyPattern) }
      let pattern = LinePattern(parts: split(text))
      let names = pattern.names
      if names.isEmpty { return .failure(Malformed(message: "at least one capture is required")) }
      if let problem = pattern.consecutiveCaptures { return .failure(problem) }
      for (index, name) in names.enumerated() where names[..<index].contains(name) {
        return .failure(Malformed(message: "duplicate capture name (\(name)): invalid expression"))
      }
      return .success(pattern)
    }

    /// A pattern of a line filter: no named captures, no two captures side by side; it may be empty.
    package static func filter(_ text: String) -> Result<LinePattern, Malformed> {
      let pattern = LinePattern(parts: split(text))
      if let problem = pattern.consecutiveCaptures { return .failure(problem) }
      if let name = pattern.names.first {
        return .failure(Malformed(message: "named captures are not allowed: found '<\(name)>'"))
      }
      return .success(pattern)
    }

    /// Names of the captures, in order.
    package var names: [String] {
      parts.compactMap { if case .capture(let name) = $0 { name } else { nil } }
    }

    private static let emptyPattern = Malformed(
      message: "parse error at line 1, col 1: syntax error: unexpected $end, expecting IDENTIFIER or LITERAL")

    private var consecutiveCaptures: Malformed? {
      func text(_ part: Part) -> String? {
        switch part {
        case .literal: nil
        case .capture(let name): "<\(name)>"
        case .skip: "<_>"
        }
      }
      for (a, b) in zip(parts, parts.dropFirst()) {
        guard let first = text(a), let second = text(b) else { continue }
        return Malformed(message: "found consecutive capture '\(first)\(second)': invalid expression")
      }
      return nil
    }

    private static func split(_ text: String) -> [Part] {
      var parts: [Part] = []
      var literal = ""
      var rest = Substring(text).unicodeScalars
      while let scalar = rest.first {
        if scalar == "<", let name = captureName(rest.dropFirst()) {
          if !literal.isEmpty { parts.append(.literal(literal)) }
          literal = ""
          parts.append(name == "_" ? .skip : .capture(name))
          rest = rest.dropFirst(name.unicodeScalars.count + 2)
        } else {
          literal.unicodeScalars.append(scalar)
          rest = rest.dropFirst()
        }
      }
      if !literal.isEmpty { parts.append(.literal(literal)) }
      return parts
    }

    /// The name before a `>`, if that is what follows.
    private static func captureName(_ text: Substring.UnicodeScalarView) -> String? {
      let name = text.prefix { $0.isASCII && GoText.isNamePart($0) }
      guard let first = name.first, GoText.isNameStart(first), text.dropFirst(name.count).first == ">" else {
        return nil
      }
      return String(String.UnicodeScalarView(name))
    }
  }
}
