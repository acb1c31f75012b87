import Glibc
import LakeSystem

/// What every service command understands: `run --config FILE [--check]`.
struct ServiceOptions {
  let file: String
  /// Judges the configuration, prints what it comes to, and ends.
  let checks: Bool

  static let configHint = "-c FILE (--config FILE) names the configuration, .yaml, .yml or .toml"

  init(_ arguments: inout Arguments) throws(Arguments.Wrong) {
    guard let file = try arguments.option("-c", "--config") else {
      throw Arguments.Wrong(description: ServiceOptions.configHint)
    }
    self.file = file
    checks = arguments.flag("--check")
  }

  func read<Configuration: ServiceConfiguration>(_ type: Configuration.Type) throws -> Configuration {
    try Configuration.read(ServiceOptions.source(file))
  }

  static func source(_ file: String) throws(Arguments.Wrong) -> ConfigSource {
    guard let text = SmallFile.text(file) else {
      throw Arguments.Wrong(description: "\(file): \(String(cString: strerror(errno)))")
    }
    return ConfigSource(file: file, text: text, environment: Outside.processEnvironment)
  }
}

/// What `--check` prints: the effective configuration, and what of the file means nothing here.
enum ConfigReport {
  static func text(_ configuration: some ServiceConfiguration) -> String {
    let facts = configuration.facts
    var out = "# \(facts.file) is good. Effective configuration, defaults filled in, secrets masked:\n"
    out += EffectiveConfiguration.text(facts.entries)
    for key in facts.ignored { out += "# accepted, without meaning here: \(key)\n" }
    for note in notes(configuration) { out += "# note: \(note)\n" }
    return out
  }

  private static func notes(_ configuration: some ServiceConfiguration) -> [String] {
    var notes: [String] = []
    if let query = configuration as? QueryConfiguration, !query.readsQueue {
      notes.append(
        "queries do not see rows that are not shifted yet (engine.wal_query_enabled, queue.common.base_path)")
    }
    if configuration.tracing.isEnabled && configuration.tracing.endpoint == nil {
      notes.append("tracing is on and has no endpoint (tracing.otlp_endpoint): nothing is traced")
    }
    return notes
  }
}
