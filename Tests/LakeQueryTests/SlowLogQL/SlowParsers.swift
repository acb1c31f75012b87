/// Parsers of lines, by the texts they read, character by character.
enum SlowParsers {
  /// A key as a label's name: letters, digits and `_`, no digit in front.
  static func sanitized(_ key: String, isFirst: Bool = true) -> String {
    var scalars = Array(key.unicodeScalars)
    while let last = scalars.last, last.properties.isWhitespace { scalars.removeLast() }
    while let first = scalars.first, first.properties.isWhitespace { scalars.removeFirst() }
    var out = scalars.map { scalar -> Character in
      let isPlain =
        ("0"..."9").contains(scalar) || ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      return isPlain ? Character(scalar) : "_"
    }
    if isFirst, let first = out.first, first.isNumber { out.insert("_", at: 0) }
    return String(out)
  }

  // MARK: - JSON

  static func json(_ row: inout SlowRow, _ hints: SlowHints) {
    if hints.isDone(row) { return }
    struct Done: Error {}
    func members(_ object: [(String, SlowJSON)], _ prefix: String) throws(Done) {
      for (key, value) in object {
        let part = sanitized(key, isFirst: prefix.isEmpty)
        let name = prefix.isEmpty ? part : part.isEmpty ? prefix : prefix + "_" + part
        switch value {
        case .object(let inner, _): if hints.wantsBelow(name) { try members(inner, name) }
        case .array, .null: break
        case .text(let text), .number(let text), .boolean(let text):
          if !name.isEmpty { row.extract(name, text, hints) }
          if hints.isDone(row) { throw Done() }
        }
      }
    }
    var reader = SlowJSONReader(row.line)
    let (found, isWhole) = reader.object()
    do throws(Done) { try members(found, "") } catch { return }
    if !isWhole { row.fail("JSONParserErr", "?", hints) }
  }

  static func jsonPaths(_ paths: [(label: String, steps: [SlowPathStep])], _ row: inout SlowRow, _ hints: SlowHints) {
    if row.line.isEmpty || hints.isDone(row) { return }
    guard let first = row.line.first, "\"{[".contains(first) else { return row.fail("JSONParserErr", nil, hints) }
    var reader = SlowJSONReader(row.line)
    let (found, _) = reader.object()
    var misses = false
    for (label, steps) in paths {
      var value: SlowJSON? = .object(found, row.line)
      for step in steps {
        switch (step, value) {
        case (.member(let key), .object(let members, _)): value = members.first { $0.0 == key }?.1
        case (.index(let index), .array(let items, _)): value = index < items.count ? items[index] : nil
        default: value = nil
        }
      }
      switch value {
      case .text(let text), .number(let text), .boolean(let text), .object(_, let text), .array(_, let text):
        row.set(row.freeName(label), text)
      case .null: row.set(row.freeName(label), "")
      case nil: misses = true
      }
    }
    // Every name has a label then, found ones that were given another name included.
    if misses { for (label, _) in paths where row.labels[label] == nil { row.set(label, "") } }
  }

  /// Packed entries: every text of the object is a label, `_entry` the line; nothing at all without `_entry`.
  static func unpack(_ row: inout SlowRow, _ hints: SlowHints) {
    if row.line.isEmpty || hints.isDone(row) { return }
    guard row.line.hasPrefix("{") else { return row.fail("JSONParserErr", "?", hints) }
    var reader = SlowJSONReader(row.line)
    let (found, isWhole) = reader.object()
    guard isWhole else { return row.fail("JSONParserErr", "?", hints) }
    var labels: [(String, String)] = []
    var entry: String?
    for case (let key, .text(let text)) in found {
      if key == "_entry" {
        entry = text
      } else {
        let free = row.freeName(key)
        if hints.wants(free) && !row.made.contains(free) { labels.append((sanitized(free), text)) }
      }
    }
    guard let entry else { return }
    for (name, text) in labels { row.set(name, text) }
    row.line = entry
  }

  // MARK: - logfmt

  static func logfmt(
    isStrict: Bool, keepsEmpty: Bool, _ extractions: [(label: String, key: String)], _ row: inout SlowRow,
    _ hints: SlowHints
  ) {
    if hints.isDone(row) { return }
    for (label, _) in extractions where row.freeName(label) == label { row.set(label, "") }
    var hasFailed = false
    for pair in SlowLogfmt.pairs(row.line) {
      guard let (key, value) = pair else {
        hasFailed = true
        if isStrict { break }
        continue
      }
      let name = sanitized(key)
      if name.isEmpty { continue }
      if extractions.isEmpty {
        if value.isEmpty && !keepsEmpty { continue }
        row.extract(name, value, hints)
        if hints.isDone(row) { break }
      } else if let label = (extractions.first { $0.key == name } ?? extractions.first { $0.label == name })?.label {
        row.set(row.freeName(label), value)
      }
    }
    if isStrict && hasFailed { row.fail("LogfmtParserErr", "?", hints) }
  }

  // MARK: - pattern

  /// Each literal is looked for behind the one before; a capture is what lies between, or the rest.
  static func pattern(_ parts: [SlowPatternPart], _ row: inout SlowRow, _ hints: SlowHints) {
    if hints.isDone(row) || row.line.isEmpty { return }
    var rest = row.line[...]
    var parts = parts[...]
    if case .literal(let text)? = parts.first {
      guard rest.hasPrefix(text) else { return }
      rest = rest.dropFirst(text.count)
      parts = parts.dropFirst()
    }
    while let part = parts.popFirst() {
      var value = rest
      var isMissing = true
      if case .literal(let text)? = parts.popFirst(), let found = rest.firstRange(of: text) {
        value = rest[..<found.lowerBound]
        rest = rest[found.upperBound...]
        isMissing = false
      }
      if case .capture(let name) = part { row.extract(name, String(value), hints) }
      if isMissing { return }
    }
  }

  /// Pattern filters: literals in order, each at its first place, something between them, and the ends as the pattern has them.
  static func patternHolds(_ parts: [SlowPatternPart], _ line: String) -> Bool {
    if line.isEmpty || parts.isEmpty { return line.isEmpty && parts.isEmpty }
    var rest = line[...]
    for (index, part) in parts.enumerated() {
      guard case .literal(let text) = part else { continue }
      guard let found = rest.firstRange(of: text) else { return false }
      if index > 0 && found.lowerBound == rest.startIndex { return false }
      rest = rest[found.upperBound...]
    }
    if case .literal? = parts.last { return rest.isEmpty }
    return !rest.isEmpty
  }
}

enum SlowPathStep {
  case member(String)
  case index(Int)
}

enum SlowPatternPart {
  case literal(String)
  case capture(String)
  case skip

  var text: String {
    switch self {
    case .literal(let text): text
    case .capture(let name): "<\(name)>"
    case .skip: "<_>"
    }
  }
}

// MARK: - JSON texts

indirect enum SlowJSON {
  case text(String)
  case number(String)
  case boolean(String)
  case null
  /// With its text.
  case array([SlowJSON], String)
  case object([(String, SlowJSON)], String)
}

/// Reads JSON front to back, as far as it goes.
struct SlowJSONReader {
  private let scalars: [Unicode.Scalar]
  private var at = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  private struct Broken: Error {}

  private var next: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private mutating func skipSpace() { while let next, " \n\r\t".unicodeScalars.contains(next) { at += 1 } }

  private mutating func expect(_ scalar: Unicode.Scalar) throws {
    skipSpace()
    guard next == scalar else { throw Broken() }
    at += 1
  }

  /// Members up to where the text breaks, and whether it does not.
  mutating func object() -> (members: [(String, SlowJSON)], isWhole: Bool) {
    var members: [(String, SlowJSON)] = []
    do {
      try expect("{")
      skipSpace()
      if next == "}" {
        at += 1
        return ([], true)
      }
      while true {
        skipSpace()
        let key = try string()
        try expect(":")
        members.append((key, try value()))
        skipSpace()
        if next == "}" {
          at += 1
          return (members, true)
        }
        try expect(",")
      }
    } catch {
      return (members, false)
    }
  }

  private mutating func value() throws -> SlowJSON {
    skipSpace()
    let start = at
    func text(_ end: Int) -> String {
      var out = String.UnicodeScalarView()
      out.append(contentsOf: scalars[start..<end])
      return String(out)
    }
    switch next {
    case "\"": return .text(try string())
    case "{":
      let (members, isWhole) = object()
      if !isWhole { throw Broken() }
      return .object(members, text(at))
    case "[":
      at += 1
      var items: [SlowJSON] = []
      skipSpace()
      while next != "]" {
        items.append(try value())
        skipSpace()
        if next == "]" { break }
        try expect(",")
      }
      at += 1
      return .array(items, text(at))
    case nil: throw Broken()
    default:
      while let next, !",}] \n\r\t".unicodeScalars.contains(next) { at += 1 }
      switch text(at) {
      case "null": return .null
      case "true", "false": return .boolean(text(at))
      case let number:
        guard let first = number.utf8.first, (48...57).contains(first) || first == 45 else { throw Broken() }
        return .number(number)
      }
    }
  }

  mutating func string() throws -> String {
    guard next == "\"" else { throw Broken() }
    at += 1
    var out = String.UnicodeScalarView()
    while let scalar = next {
      at += 1
      if scalar == "\"" { return String(out) }
      guard scalar == "\\" else {
        out.append(scalar)
        continue
      }
      guard let escape = next else { break }
      at += 1
      switch escape {
      case "n": out.append("\n")
      case "t": out.append("\t")
      case "u":
        guard at + 4 <= scalars.count else { throw Broken() }
        let digits = scalars[at..<at + 4].map { String($0) }.joined()
        out.append(Unicode.Scalar(UInt32(digits, radix: 16) ?? 0xFFFD) ?? "?")
        at += 4
      default: out.append(escape)
      }
    }
    throw Broken()
  }
}

// MARK: - logfmt texts

enum SlowLogfmt {
  /// Keys and values in order; nil for what is neither.
  static func pairs(_ line: String) -> [(key: String, value: String)?] {
    let scalars = Array(line.unicodeScalars)
    func text(_ range: Range<Int>) -> String {
      var out = String.UnicodeScalarView()
      out.append(contentsOf: scalars[range])
      return String(out)
    }
    func isSpace(_ at: Int) -> Bool { scalars[at].value <= 32 }
    var out: [(String, String)?] = []
    var at = 0
    /// Passes over the rest of a broken pair.
    func broken() {
      while at < scalars.count && !isSpace(at) { at += 1 }
      out.append(nil)
    }
    while true {
      while at < scalars.count && isSpace(at) { at += 1 }
      if at == scalars.count { return out }
      let start = at
      while at < scalars.count && !isSpace(at) && scalars[at] != "=" && scalars[at] != "\"" { at += 1 }
      let key = text(start..<at)
      if at == scalars.count || isSpace(at) {
        out.append((key, ""))
        continue
      }
      if scalars[at] == "\"" || key.isEmpty {
        broken()
        continue
      }
      at += 1
      if at == scalars.count || isSpace(at) {
        out.append((key, ""))
        continue
      }
      if scalars[at] == "\"" {
        let begin = at
        at += 1
        while at < scalars.count && scalars[at] != "\"" { at += scalars[at] == "\\" ? 2 : 1 }
        at = min(scalars.count, at + 1)
        var reader = SlowJSONReader(text(begin..<at))
        out.append((try? reader.string()).map { (key, $0) })
        continue
      }
      let begin = at
      while at < scalars.count && !isSpace(at) && scalars[at] != "=" && scalars[at] != "\"" { at += 1 }
      if at < scalars.count && !isSpace(at) {
        broken()
      } else {
        out.append((key, text(begin..<at)))
      }
    }
  }
}
