/// Reads one section of a configuration key by key, and refuses what was not asked for.
///
/// Every `take` names a key that may stand here; `finish` turns whatever is left into an error that says what is allowed.
package struct ConfigReader {
  package let file: String
  /// Dotted path of this section; empty for the whole file.
  package let path: String
  package let line: Int
  private let environment: @Sendable (String) -> String?
  private var pairs: [(key: String, node: ConfigNode)]
  /// Where each key that was read stands.
  private var lines: [String: Int] = [:]
  private var known: [String] = []
  /// The sections around this one, and this one.
  private let segments: [String]
  /// What was read so far, defaults included, in reading order.
  package private(set) var entries: [ConfigEntry] = []

  /// - Throws: when `node` is not a section, or names a key twice.
  package init(
    _ node: ConfigNode, file: String, segments: [String] = [], environment: @escaping @Sendable (String) -> String?
  )
    throws(ConfigError)
  {
    self.file = file
    self.segments = segments
    path = segments.joined(separator: ".")
    line = node.line
    self.environment = environment
    pairs = []
    switch node.value {
    case .scalar(let text, _) where text.isEmpty: return
    case .mapping(let entries):
      for (key, value) in entries {
        guard case .scalar(let name, _) = key.value else {
          throw ConfigError(file: file, line: key.line, key: path, message: "found \(key.shown), allowed: a key")
        }
        if pairs.contains(where: { $0.key == name }) {
          throw ConfigError(
            file: file, line: key.line, key: ConfigReader.join(path, name), message: "stands here twice")
        }
        pairs.append((name, value))
      }
    default:
      throw ConfigError(file: file, line: node.line, key: path, message: "found \(node.shown), allowed: a section")
    }
  }

  static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

  private mutating func take(_ name: String) -> ConfigNode? {
    known.append(name)
    guard let index = pairs.firstIndex(where: { $0.key == name }) else { return nil }
    let node = pairs.remove(at: index).node
    lines[name] = node.line
    return node
  }

  private mutating func record(_ name: String, _ value: ConfigEntry.Value) {
    entries.append(ConfigEntry(path: segments + [name], value: value, line: lines[name]))
  }

  private func inner(_ name: String, _ node: ConfigNode) throws(ConfigError) -> ConfigReader {
    try ConfigReader(node, file: file, segments: segments + [name], environment: environment)
  }

  /// An error about a key that was read, or is missing.
  package func refusal(_ name: String, _ message: String) -> ConfigError {
    ConfigError(file: file, line: lines[name] ?? line, key: ConfigReader.join(path, name), message: message)
  }

  private func refuse(_ name: String, _ node: ConfigNode, _ found: String, allowed: String) -> ConfigError {
    ConfigError(
      file: file, line: node.line, key: ConfigReader.join(path, name), message: "found \(found), allowed: \(allowed)")
  }

  /// The text of a scalar with `${NAME}` and `${NAME:-default}` replaced; nil when the key is absent or `null`.
  private mutating func text(_ name: String, allowed: String) throws(ConfigError) -> (String, ConfigNode)? {
    guard let node = take(name) else { return nil }
    guard case .scalar(let raw, let isQuoted) = node.value else {
      throw refuse(name, node, node.shown, allowed: allowed)
    }
    if !isQuoted && (raw == "null" || raw == "~" || raw.isEmpty) { return nil }
    return (try expand(raw, name, node), node)
  }

  private func expand(_ raw: String, _ name: String, _ node: ConfigNode) throws(ConfigError) -> String {
    var out = ""
    var rest = raw[...]
    while let start = rest.firstRange(of: "${") {
      out += rest[..<start.lowerBound]
      guard let end = rest[start.upperBound...].firstIndex(of: "}") else { break }
      let inside = rest[start.upperBound..<end]
      let fallback = inside.firstRange(of: ":-")
      let variable = String(fallback.map { inside[..<$0.lowerBound] } ?? inside)
      if let value = environment(variable) ?? fallback.map({ String(inside[$0.upperBound...]) }) {
        out += value
      } else {
        throw ConfigError(
          file: file, line: node.line, key: ConfigReader.join(path, name),
          message: "the environment variable \(variable) is not set")
      }
      rest = rest[rest.index(after: end)...]
    }
    return out + rest
  }

  package mutating func string(_ name: String, default fallback: String) throws(ConfigError) -> String {
    let value = try text(name, allowed: "text")?.0 ?? fallback
    record(name, .text(value))
    return value
  }

  package mutating func optionalString(_ name: String) throws(ConfigError) -> String? {
    let value = try text(name, allowed: "text")?.0
    record(name, value.map { .text($0) } ?? .literal("null"))
    return value
  }

  package mutating func requiredString(_ name: String, because: String) throws(ConfigError) -> String {
    guard let found = try text(name, allowed: because), !found.0.isEmpty else {
      throw ConfigError(
        file: file, line: line, key: ConfigReader.join(path, name), message: "is missing; allowed: \(because)")
    }
    record(name, .text(found.0))
    return found.0
  }

  package mutating func int(_ name: String, default fallback: Int, in range: ClosedRange<Int>) throws(ConfigError)
    -> Int
  {
    let value = try readInt(name, in: range) ?? fallback
    record(name, .literal(String(value)))
    return value
  }

  package mutating func optionalInt(_ name: String, in range: ClosedRange<Int>) throws(ConfigError) -> Int? {
    let value = try readInt(name, in: range)
    record(name, .literal(value.map { String($0) } ?? "null"))
    return value
  }

  private mutating func readInt(_ name: String, in range: ClosedRange<Int>) throws(ConfigError) -> Int? {
    let allowed =
      range.upperBound == .max
      ? "a whole number of at least \(range.lowerBound)"
      : "a whole number from \(range.lowerBound) to \(range.upperBound)"
    guard let (text, node) = try text(name, allowed: allowed) else { return nil }
    guard let value = Int(text), range.contains(value) else { throw refuse(name, node, "`\(text)`", allowed: allowed) }
    return value
  }

  package mutating func double(_ name: String, default fallback: Double, in range: ClosedRange<Double>)
    throws(ConfigError) -> Double
  {
    let allowed = "a number from \(range.lowerBound) to \(range.upperBound)"
    var value = fallback
    if let (text, node) = try text(name, allowed: allowed) {
      guard let read = Double(text), range.contains(read) else {
        throw refuse(name, node, "`\(text)`", allowed: allowed)
      }
      value = read
    }
    record(name, .literal("\(value)"))
    return value
  }

  package mutating func bool(_ name: String, default fallback: Bool) throws(ConfigError) -> Bool {
    let value = try readBool(name) ?? fallback
    record(name, .literal("\(value)"))
    return value
  }

  package mutating func optionalBool(_ name: String) throws(ConfigError) -> Bool? {
    let value = try readBool(name)
    record(name, .literal(value.map { "\($0)" } ?? "null"))
    return value
  }

  private mutating func readBool(_ name: String) throws(ConfigError) -> Bool? {
    guard let (text, node) = try text(name, allowed: "true or false") else { return nil }
    guard text == "true" || text == "false" else { throw refuse(name, node, "`\(text)`", allowed: "true or false") }
    return text == "true"
  }

  /// One word of a list.
  package mutating func choice<Choice: RawRepresentable & CaseIterable>(_ name: String, default fallback: Choice)
    throws(ConfigError) -> Choice where Choice.RawValue == String
  {
    let allowed = Choice.allCases.map(\.rawValue).joined(separator: ", ")
    var value = fallback
    if let (text, node) = try text(name, allowed: allowed) {
      guard let read = Choice(rawValue: text) else { throw refuse(name, node, "`\(text)`", allowed: allowed) }
      value = read
    }
    record(name, .text(value.rawValue))
    return value
  }

  /// A map of text to text, in file order.
  package mutating func strings(_ name: String) throws(ConfigError) -> [(key: String, value: String)] {
    guard let node = take(name) else { return [] }
    var inner = try inner(name, node)
    var found: [(key: String, value: String)] = []
    for key in inner.pairs.map(\.key) { found.append((key, try inner.string(key, default: ""))) }
    entries += inner.entries
    return found
  }

  /// A section below this one; absent sections read as empty ones.
  package mutating func section<R>(_ name: String, _ read: (inout ConfigReader) throws(ConfigError) -> R)
    throws(ConfigError) -> R
  {
    let node = take(name) ?? ConfigNode(.mapping([]), line: line)
    var inner = try inner(name, node)
    let result = try read(&inner)
    try inner.finish()
    entries += inner.entries
    return result
  }

  /// Sections below this one whose names are free, in file order.
  package mutating func sections<R>(_ name: String, _ read: (inout ConfigReader) throws(ConfigError) -> R)
    throws(ConfigError) -> [(key: String, value: R)]
  {
    guard let node = take(name) else { return [] }
    var group = try inner(name, node)
    var found: [(key: String, value: R)] = []
    for key in group.pairs.map(\.key) { found.append((key, try group.section(key, read))) }
    entries += group.entries
    return found
  }

  package mutating func optionalSection<R>(_ name: String, _ read: (inout ConfigReader) throws(ConfigError) -> R)
    throws(ConfigError) -> R?
  {
    guard pairs.contains(where: { $0.key == name }) else {
      known.append(name)
      return nil
    }
    return try section(name, read)
  }

  /// A choice with settings of its own: `backend: !rest` and its keys below, `backend: { rest: {...} }`, or `backend: memory`.
  /// - Returns: nil when absent.
  package mutating func variant<R>(
    _ name: String, allowed: [String], _ read: (String, inout ConfigReader) throws(ConfigError) -> R
  ) throws(ConfigError) -> R? {
    guard let node = take(name) else { return nil }
    let (choice, settings) = try variant(node, name, allowed)
    guard allowed.contains(choice) else {
      throw refuse(name, node, "`\(choice)`", allowed: allowed.joined(separator: ", "))
    }
    record(name, .choice(choice))
    var inner = try inner(name, settings)
    let result = try read(choice, &inner)
    try inner.finish()
    entries += inner.entries
    return result
  }

  private func variant(_ node: ConfigNode, _ name: String, _ allowed: [String]) throws(ConfigError) -> (
    String, ConfigNode
  ) {
    if let tag = node.tag { return (tag, ConfigNode(node.value, line: node.line)) }
    switch node.value {
    case .scalar(let text, _): return (text, ConfigNode(.mapping([]), line: node.line))
    case .mapping(let pairs) where pairs.count == 1:
      if case .scalar(let choice, _) = pairs[0].key.value { return (choice, pairs[0].value) }
      fallthrough
    default: throw refuse(name, node, node.shown, allowed: "one of " + allowed.joined(separator: ", "))
    }
  }

  /// Accepts keys that mean nothing here and reports them.
  package mutating func ignore(_ names: [String], into ignored: inout [String]) {
    for name in names where take(name) != nil { ignored.append(ConfigReader.join(path, name)) }
  }

  /// Reports those of these keys that the file gives: they were judged, and mean nothing here.
  package func reportUnused(_ names: [String], into ignored: inout [String]) {
    for name in names where lines[name] != nil { ignored.append(ConfigReader.join(path, name)) }
  }

  /// - Throws: when a key is left that nobody asked for.
  package func finish() throws(ConfigError) {
    guard let (key, node) = pairs.first else { return }
    throw ConfigError(
      file: file, line: node.line, key: ConfigReader.join(path, key),
      message: "is not a key; allowed here: \(known.sorted().joined(separator: ", "))")
  }
}
