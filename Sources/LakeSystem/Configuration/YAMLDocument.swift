import CYaml

/// Reads YAML 1.1 with libyaml into a `ConfigNode`.
package enum YAMLDocument {
  /// - Parameter file: the name for messages.
  package static func parse(_ text: String, file: String) throws(ConfigError) -> ConfigNode {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else {
      throw ConfigError(file: file, line: 0, key: "", message: "the YAML parser could not start")
    }
    defer { yaml_parser_delete(&parser) }
    let bytes = Array(text.utf8)
    return try bytes.withUnsafeBufferPointer { (buffer) throws(ConfigError) in
      yaml_parser_set_input_string(&parser, buffer.baseAddress, buffer.count)
      var document = yaml_document_t()
      guard yaml_parser_load(&parser, &document) == 1 else { throw failure(parser, file) }
      defer { yaml_document_delete(&document) }
      guard yaml_document_get_root_node(&document) != nil else {
        return ConfigNode(.mapping([]), line: 1)
      }
      return try node(1, &document, file, depth: 0)
    }
  }

  private static let depthMax = 32

  private static func failure(_ parser: yaml_parser_t, _ file: String) -> ConfigError {
    let problem = parser.problem.map { String(cString: $0) } ?? "not YAML"
    return ConfigError(file: file, line: Int(parser.problem_mark.line) + 1, key: "", message: problem)
  }

  private static func node(_ index: Int32, _ document: inout yaml_document_t, _ file: String, depth: Int)
    throws(ConfigError) -> ConfigNode
  {
    guard let found = yaml_document_get_node(&document, index) else {
      throw ConfigError(file: file, line: 0, key: "", message: "a node is missing")
    }
    let raw = found.pointee
    let line = Int(raw.start_mark.line) + 1
    // An alias that contains itself would not end.
    if depth > depthMax { throw ConfigError(file: file, line: line, key: "", message: "nested too deeply") }
    let tag = raw.tag.flatMap { String(validatingCString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self)) }
    let own = tag.flatMap { $0.hasPrefix("!") && $0.count > 1 ? String($0.dropFirst()) : nil }
    switch raw.type {
    case YAML_SCALAR_NODE:
      let scalar = raw.data.scalar
      let text = String(decoding: UnsafeBufferPointer(start: scalar.value, count: scalar.length), as: UTF8.self)
      return ConfigNode(.scalar(text, isQuoted: scalar.style != YAML_PLAIN_SCALAR_STYLE), tag: own, line: line)
    case YAML_SEQUENCE_NODE:
      var items: [ConfigNode] = []
      var at = raw.data.sequence.items.start
      while let item = at, item < raw.data.sequence.items.top {
        items.append(try node(item.pointee, &document, file, depth: depth + 1))
        at = item + 1
      }
      return ConfigNode(.sequence(items), tag: own, line: line)
    default:
      var pairs: [(key: ConfigNode, value: ConfigNode)] = []
      var at = raw.data.mapping.pairs.start
      while let pair = at, pair < raw.data.mapping.pairs.top {
        let key = try node(pair.pointee.key, &document, file, depth: depth + 1)
        let value = try node(pair.pointee.value, &document, file, depth: depth + 1)
        pairs.append((key, value))
        at = pair + 1
      }
      return ConfigNode(.mapping(pairs), tag: own, line: line)
    }
  }
}
