/// A configuration file as a tree, each node knowing where it stands. YAML and TOML give the same tree.
package struct ConfigNode: Sendable {
  package indirect enum Value: Sendable {
    /// Text as written; `isQuoted` tells `"1"` from `1`.
    case scalar(String, isQuoted: Bool)
    case sequence([ConfigNode])
    /// In file order.
    case mapping([(key: ConfigNode, value: ConfigNode)])
  }

  package var value: Value
  /// A YAML tag of our own, without `!`: `rest` of `backend: !rest`.
  package var tag: String?
  /// 1-based.
  package var line: Int

  package init(_ value: Value, tag: String? = nil, line: Int) {
    self.value = value
    self.tag = tag
    self.line = line
  }

  /// What a reader of the file sees here, for messages.
  package var shown: String {
    switch value {
    case .scalar(let text, _): text.isEmpty ? "nothing" : "`\(text)`"
    case .sequence: "a list"
    case .mapping: "a section"
    }
  }
}

/// Why a configuration was refused: `ingest.yaml:12: queue.write.flush_interval_ms: found `soon`, allowed: a whole number of at least 1`.
package struct ConfigError: Error, Hashable, Sendable, CustomStringConvertible {
  package let file: String
  /// 1-based; 0 when it is about the file as a whole.
  package let line: Int
  /// Dotted path; empty when it is about the file as a whole.
  package let key: String
  package let message: String

  package init(file: String, line: Int, key: String, message: String) {
    self.file = file
    self.line = line
    self.key = key
    self.message = message
  }

  package var description: String {
    let place = line > 0 ? "\(file):\(line)" : file
    return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
  }
}
