/// Reads TOML 1.0 (without dates, which no key of ours takes) into a `ConfigNode`.
package enum TOMLDocument {
  package static func parse(_ text: String, file: String) throws(ConfigError) -> ConfigNode {
    var parser = TOMLParser(text: Array(text.utf8), file: file)
    return try parser.document()
  }
}

/// A tree that dotted keys and table headers write into.
private final class TOMLTable {
  enum Item {
    case leaf(ConfigNode)
    case table(TOMLTable)
    case tables([TOMLTable])
  }
  var items: [(key: String, line: Int, item: Item)] = []
  /// Where its header stands, so that a second one is refused.
  var headerLine: Int?
  let line: Int

  init(line: Int) { self.line = line }

  func find(_ key: String) -> Item? { items.first { $0.key == key }?.item }

  var node: ConfigNode {
    let pairs = items.map { entry -> (key: ConfigNode, value: ConfigNode) in
      let key = ConfigNode(.scalar(entry.key, isQuoted: false), line: entry.line)
      switch entry.item {
      case .leaf(let node): return (key, node)
      case .table(let table): return (key, table.node)
      case .tables(let tables): return (key, ConfigNode(.sequence(tables.map(\.node)), line: entry.line))
      }
    }
    return ConfigNode(.mapping(pairs), line: line)
  }
}

private struct TOMLParser {
  let text: [UInt8]
  let file: String
  private var at = 0
  private var line = 1

  init(text: [UInt8], file: String) {
    self.text = text
    self.file = file
  }

  private func failure(_ message: String) -> ConfigError {
    ConfigError(file: file, line: line, key: "", message: message)
  }

  private var byte: UInt8? { at < text.count ? text[at] : nil }

  mutating func document() throws(ConfigError) -> ConfigNode {
    let root = TOMLTable(line: 1)
    var current = root
    while true {
      skipBlank()
      guard let next = byte else { return root.node }
      if next == UInt8(ascii: "[") {
        current = try header(root)
      } else {
        let path = try keyPath()
        try expect(UInt8(ascii: "="))
        skipSpaces()
        let value = try value(depth: 0)
        try assign(path, value, in: current)
      }
      try endOfLine()
    }
  }

  private mutating func header(_ root: TOMLTable) throws(ConfigError) -> TOMLTable {
    at += 1
    let isArray = byte == UInt8(ascii: "[")
    if isArray { at += 1 }
    skipSpaces()
    let path = try keyPath()
    try expect(UInt8(ascii: "]"))
    if isArray { try expect(UInt8(ascii: "]")) }
    let parent = try descend(root, path.dropLast())
    let name = path[path.count - 1]
    let table = TOMLTable(line: line)
    table.headerLine = line
    switch (parent.find(name), isArray) {
    case (nil, false): parent.items.append((name, line, .table(table)))
    case (nil, true): parent.items.append((name, line, .tables([table])))
    case (.tables(let before), true):
      let index = parent.items.firstIndex { $0.key == name }!
      parent.items[index].item = .tables(before + [table])
    case (.table(let existing), false) where existing.headerLine == nil:
      existing.headerLine = line
      return existing
    default: throw failure("`\(path.joined(separator: "."))` is defined twice")
    }
    return table
  }

  private func descend(_ root: TOMLTable, _ path: some Sequence<String>) throws(ConfigError) -> TOMLTable {
    var table = root
    for name in path {
      switch table.find(name) {
      case nil:
        let made = TOMLTable(line: line)
        table.items.append((name, line, .table(made)))
        table = made
      case .table(let next): table = next
      case .tables(let all): table = all[all.count - 1]
      case .leaf: throw failure("`\(name)` is a value, not a section")
      }
    }
    return table
  }

  private func assign(_ path: [String], _ value: ConfigNode, in table: TOMLTable) throws(ConfigError) {
    let parent = try descend(table, path.dropLast())
    let name = path[path.count - 1]
    if parent.find(name) != nil { throw failure("`\(path.joined(separator: "."))` is defined twice") }
    parent.items.append((name, line, .leaf(value)))
  }

  private mutating func keyPath() throws(ConfigError) -> [String] {
    var path: [String] = []
    while true {
      skipSpaces()
      path.append(try key())
      skipSpaces()
      guard byte == UInt8(ascii: ".") else { return path }
      at += 1
    }
  }

  private mutating func key() throws(ConfigError) -> String {
    if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") { return try quoted() }
    let start = at
    while let next = byte, isBare(next) { at += 1 }
    if start == at { throw failure("a key was expected") }
    return String(decoding: text[start..<at], as: UTF8.self)
  }

  private func isBare(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, 65...90, 97...122, UInt8(ascii: "_"), UInt8(ascii: "-"): true
    default: false
    }
  }

  private static let depthMax = 32

  private mutating func value(depth: Int) throws(ConfigError) -> ConfigNode {
    if depth > TOMLParser.depthMax { throw failure("nested too deeply") }
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "'"):
      let start = line
      return ConfigNode(.scalar(try quoted(), isQuoted: true), line: start)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "{"): return try inlineTable(depth: depth)
    default: return try bare()
    }
  }

  /// Numbers and booleans; their text is judged by whoever wants the value.
  private mutating func bare() throws(ConfigError) -> ConfigNode {
    let start = at
    while let next = byte,
      isBare(next) || next == UInt8(ascii: "+") || next == UInt8(ascii: ".") || next == UInt8(ascii: ":")
    {
      at += 1
    }
    let word = String(decoding: text[start..<at].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    let isNumber = Double(word) != nil || Int(word.dropFirst(2), radix: 16) != nil && word.hasPrefix("0x")
    guard word == "true" || word == "false" || isNumber else {
      throw failure(word.isEmpty ? "a value was expected" : "`\(word)` is not a TOML value; text wants quotes")
    }
    return ConfigNode(.scalar(word, isQuoted: false), line: line)
  }

  private mutating func array(depth: Int) throws(ConfigError) -> ConfigNode {
    let start = line
    at += 1
    var items: [ConfigNode] = []
    while true {
      skipBlank()
      if byte == UInt8(ascii: "]") { break }
      items.append(try value(depth: depth + 1))
      skipBlank()
      if byte == UInt8(ascii: ",") { at += 1 } else { break }
    }
    skipBlank()
    try expect(UInt8(ascii: "]"))
    return ConfigNode(.sequence(items), line: start)
  }

  private mutating func inlineTable(depth: Int) throws(ConfigError) -> ConfigNode {
    let table = TOMLTable(line: line)
    at += 1
    skipSpaces()
    if byte == UInt8(ascii: "}") {
      at += 1
      return table.node
    }
    while true {
      let path = try keyPath()
      try expect(UInt8(ascii: "="))
      skipSpaces()
      try assign(path, try value(depth: depth + 1), in: table)
      skipSpaces()
      if byte == UInt8(ascii: ",") { at += 1 } else { break }
    }
    try expect(UInt8(ascii: "}"))
    return table.node
  }

  /// Basic and literal strings, one line or three quotes.
  private mutating func quoted() throws(ConfigError) -> String {
    let quote = text[at]
    let isLong = at + 2 < text.count && text[at + 1] == quote && text[at + 2] == quote
    at += isLong ? 3 : 1
    if isLong && byte == 10 { advance() }
    var out: [UInt8] = []
    while let next = byte {
      if next == quote && (!isLong || at + 2 < text.count && text[at + 1] == quote && text[at + 2] == quote) {
        at += isLong ? 3 : 1
        return String(decoding: out, as: UTF8.self)
      }
      if next == 10 && !isLong { break }
      if next == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") {
        try escape(into: &out)
      } else {
        out.append(next)
        advance()
      }
    }
    throw failure("a string does not end")
  }

  private mutating func escape(into out: inout [UInt8]) throws(ConfigError) {
    at += 1
    guard let next = byte else { throw failure("a string does not end") }
    advance()
    switch next {
    case UInt8(ascii: "n"): out.append(10)
    case UInt8(ascii: "t"): out.append(9)
    case UInt8(ascii: "r"): out.append(13)
    case UInt8(ascii: "b"): out.append(8)
    case UInt8(ascii: "f"): out.append(12)
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(next)
    case UInt8(ascii: "u"), UInt8(ascii: "U"):
      let digits = next == UInt8(ascii: "u") ? 4 : 8
      let end = min(at + digits, text.count)
      guard let code = UInt32(String(decoding: text[at..<end], as: UTF8.self), radix: 16),
        let scalar = Unicode.Scalar(code)
      else { throw failure("not a Unicode escape") }
      out += Array(String(Character(scalar)).utf8)
      at = end
    case 10:
      while let space = byte, space == 32 || space == 9 || space == 10 || space == 13 { advance() }
    default: throw failure("`\\\(Character(Unicode.Scalar(next)))` is not an escape")
    }
  }

  private mutating func advance() {
    if text[at] == 10 { line += 1 }
    at += 1
  }

  private mutating func skipSpaces() {
    while let next = byte, next == 32 || next == 9 { at += 1 }
  }

  /// Spaces, line ends and comments.
  private mutating func skipBlank() {
    while let next = byte {
      if next == UInt8(ascii: "#") {
        while let inside = byte, inside != 10 { _ = inside; at += 1 }
      } else if next == 32 || next == 9 || next == 10 || next == 13 {
        advance()
      } else {
        return
      }
    }
  }

  private mutating func endOfLine() throws(ConfigError) {
    skipSpaces()
    guard let next = byte else { return }
    guard next == 10 || next == 13 || next == UInt8(ascii: "#") else { throw failure("the line should end here") }
  }

  private mutating func expect(_ wanted: UInt8) throws(ConfigError) {
    skipSpaces()
    guard byte == wanted else {
      throw failure("`\(Character(Unicode.Scalar(wanted)))` was expected")
    }
    at += 1
  }
}
