import LakeShift
import LakeWAL

/// The words after `ingest`, `query` or `maintain`.
enum ServiceCommand {
  static let usage = """
      ingest run -c FILE            takes telemetry in and shifts it into the tables
      query run -c FILE             answers queries
      maintain run -c FILE          serves the catalog to other engines, shifts if told to
      maintain migrate create|upgrade -c FILE [--dry-run]
                                    makes the tables; brings older ones up to date
      maintain expire-snapshots [TABLE ...] -c FILE [--older-than 7d] [--keep N] [--dry-run]
                                    as the tables' history.expire.* properties say, or these; deletes what only
                                    the expired ones led to
      maintain quarantine list -c FILE
      maintain quarantine give-up LANE/SEQUENCE ... -c FILE [--dry-run]
                                    segments that could not be taken; gives them up for good
          [--check]                 with any of these: judges FILE, prints what it comes to, and ends
      ingest|query|maintain version prints the version
    """

  static func ingest(_ words: [String]) async throws {
    var arguments = Arguments(words)
    switch arguments.word() {
    case "run": try await IngestCommand.run(try options(&arguments))
    case "version": Console.say("icegate \(Version.text)")
    case let other: throw Arguments.Wrong(description: "found `\(other ?? "nothing")`, allowed: run, version")
    }
  }

  static func query(_ words: [String]) async throws {
    var arguments = Arguments(words)
    switch arguments.word() {
    case "run": try await QueryCommand.run(try options(&arguments))
    case "version": Console.say("icegate \(Version.text)")
    case let other: throw Arguments.Wrong(description: "found `\(other ?? "nothing")`, allowed: run, version")
    }
  }

  static func maintain(_ words: [String]) async throws {
    var arguments = Arguments(words)
    switch arguments.word() {
    case "run": try await MaintainCommand.run(try options(&arguments))
    case "migrate":
      let isRehearsal = arguments.flag("--dry-run")
      let action = arguments.word()
      guard action == "create" || action == "upgrade" else {
        throw Arguments.Wrong(description: "migrate: found `\(action ?? "nothing")`, allowed: create, upgrade")
      }
      try await MaintainCommand.migrate(
        try options(&arguments), upgrades: action == "upgrade", isRehearsal: isRehearsal)
    case "expire-snapshots": try await expireSnapshots(&arguments)
    case "quarantine": try await quarantine(&arguments)
    case "version": Console.say("icegate \(Version.text)")
    case let other:
      throw Arguments.Wrong(
        description: "found `\(other ?? "nothing")`, allowed: run, migrate, expire-snapshots, quarantine, version")
    }
  }

  private static func expireSnapshots(_ arguments: inout Arguments) async throws {
    let isRehearsal = arguments.flag("--dry-run")
    let age = try arguments.option("--older-than").map { try milliseconds($0) }
    let keep = try arguments.int("--keep", in: 1...1_000_000)
    let service = try ServiceOptions(&arguments)
    var tables: [String] = []
    while let word = arguments.word() { tables.append(word) }
    try arguments.finish()
    try await MaintainCommand.expireSnapshots(
      service, tables: tables, ageMax: age, keep: keep, isRehearsal: isRehearsal)
  }

  /// `90s`, `15m`, `12h`, `7d`.
  private static func milliseconds(_ text: String) throws(Arguments.Wrong) -> Int64 {
    let units: [Character: Int64] = ["s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000]
    guard let unit = text.last.flatMap({ units[$0] }), let count = Int64(text.dropLast()), (0...1_000_000) ~= count
    else { throw Arguments.Wrong(description: "--older-than: found `\(text)`, expected 90s, 15m, 12h, 7d") }
    return count * unit
  }

  private static func quarantine(_ arguments: inout Arguments) async throws {
    let isRehearsal = arguments.flag("--dry-run")
    let service = try ServiceOptions(&arguments)
    switch arguments.word() {
    case "list":
      try arguments.finish()
      try await MaintainCommand.listQuarantine(service)
    case "give-up":
      var segments: Set<SegmentID> = []
      while let word = arguments.word() {
        guard let segment = SegmentID(text: word) else {
          throw Arguments.Wrong(description: "found `\(word)`, expected LANE/SEQUENCE as `quarantine list` prints it")
        }
        segments.insert(segment)
      }
      guard !segments.isEmpty else { throw Arguments.Wrong(description: "give-up: which LANE/SEQUENCE?") }
      try arguments.finish()
      try await MaintainCommand.giveUp(segments, service, isRehearsal: isRehearsal)
    case let other:
      throw Arguments.Wrong(description: "quarantine: found `\(other ?? "nothing")`, allowed: list, give-up")
    }
  }

  private static func options(_ arguments: inout Arguments) throws(Arguments.Wrong) -> ServiceOptions {
    let options = try ServiceOptions(&arguments)
    try arguments.finish()
    return options
  }
}
