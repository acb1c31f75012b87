/// A configuration file and the environment that its `${NAME}`s are taken from.
package struct ConfigSource: Sendable {
  package var file: String
  package var text: String
  package var environment: @Sendable (String) -> String?

  package init(file: String, text: String, environment: @escaping @Sendable (String) -> String?) {
    self.file = file
    self.text = text
    self.environment = environment
  }

  func reader() throws(ConfigError) -> ConfigReader {
    let root: ConfigNode
    if file.hasSuffix(".toml") {
      root = try TOMLDocument.parse(text, file: file)
    } else if file.hasSuffix(".yaml") || file.hasSuffix(".yml") {
      root = try YAMLDocument.parse(text, file: file)
    } else {
      throw ConfigError(file: file, line: 0, key: "", message: "the name must end in .yaml, .yml or .toml")
    }
    return try ConfigReader(root, file: file, environment: environment)
  }
}

/// What a configuration says of itself: for `--check`, and for errors that are found later.
package struct ConfigFacts: Sendable {
  package var file: String
  /// Every key with its effective value.
  package var entries: [ConfigEntry] = []
  /// Keys of the file that are accepted and mean nothing here.
  package var ignored: [String] = []

  /// An error about a key, with the line where it stands.
  package func refusal(_ key: String, _ message: String) -> ConfigError {
    let line = entries.first { $0.key == key }?.line
    return ConfigError(file: file, line: line ?? 0, key: key, message: message)
  }

  package func gives(_ key: String) -> Bool { entries.contains { $0.key == key && $0.line != nil } }
}
