import LakeMaintain
import LakeModel
import LakePorts
import LakeSchema
import LakeShift
import LakeSystem
import LakeWAL

/// `icegate maintain run -c FILE` serves the catalog and, with a `queue` section, shifts; `migrate` makes the tables.
enum MaintainCommand {
  static func run(_ options: ServiceOptions) async throws {
    let configuration = try options.read(MaintainConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
    let (parts, plan) = try arrange(configuration)
    var ports = try await Outside().ports(configuration)
    let exporter = TraceExporter(configuration.tracing, service: "icegate-maintain", ports: &ports)
    let lake = Lake(ports: ports, parts: parts)
    try await LakeProcess(lake: lake, plan: plan, exporter: exporter).run { Console.announce("maintain", $0) }
  }

  /// Apart from `run`, and never inlined into it: the optimiser of Swift 6.3.1 stops with an error of its own on
  /// these typed throws inside an asynchronous function.
  @inline(never)
  private static func arrange(_ configuration: MaintainConfiguration) throws -> (parts: Lake.Parts, plan: Doors.Plan) {
    let places = try Places(configuration)
    var parts = Lake.Parts()
    if let queue = configuration.queue, let path = places.queue {
      parts.queue = QueueSettings(queue, basePath: path)
      if configuration.shift.isEnabled {
        parts.shift = ShiftSettings(configuration.shift, processors: Processors.count)
      }
    }
    parts.expiresSnapshots = true
    var plan = Doors.Plan()
    plan.iceberg = configuration.icebergREST
    plan.icebergDefaults = configuration.storage.clientDefaults
    plan.tables = places.tables
    plan.metrics = configuration.metrics.listener
    plan.metricsPath = configuration.metrics.path
    return (parts, plan)
  }

  /// - Parameters:
  ///   - upgrades: whether tables that are there may be changed.
  ///   - isRehearsal: says what would be done, and does nothing.
  static func migrate(_ options: ServiceOptions, upgrades: Bool, isRehearsal: Bool) async throws {
    let configuration = try options.read(MaintainConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
    let migrator = Migrator(catalog: try await Outside().ports(configuration).catalog)
    let steps = try await isRehearsal ? migrator.plan() : migrator.run(upgrades: upgrades)
    for step in steps { Console.say("\(isRehearsal ? "would " : "")\(step)") }
    if steps.isEmpty { Console.say("every table is there and up to date") }
  }

  /// - Parameters:
  ///   - tables: names within the lake's namespace, or NAMESPACE.TABLE; none: the lake's tables that are there.
  ///   - ageMax: milliseconds; nil: as the table's properties say, as for `keep`.
  static func expireSnapshots(
    _ options: ServiceOptions, tables: [String], ageMax: Int64?, keep: Int?, isRehearsal: Bool
  ) async throws {
    let configuration = try options.read(MaintainConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
    let ports = try await Outside().ports(configuration)
    let known = try await ports.catalog.listTables(in: [LakeTable.namespace])
    var chosen = LakeTable.all.map { TableIdentifier($0) }.filter { known.contains($0) }
    if !tables.isEmpty {
      chosen = tables.map { name in
        let levels = name.split(separator: ".").map(String.init)
        return levels.count < 2
          ? TableIdentifier(namespace: [LakeTable.namespace], name: name)
          : TableIdentifier(namespace: Array(levels.dropLast()), name: levels[levels.count - 1])
      }
    }
    let now = Int64(ports.wall.now.nanoseconds / 1_000_000)
    let would = isRehearsal ? "would " : ""
    for table in chosen {
      var expiry = SnapshotExpiry(try await ports.catalog.loadTable(table).metadata)
      if let ageMax { expiry.snapshotAgeMax = ageMax }
      if let keep { expiry.snapshotsToKeepMin = keep }
      let done = try await SnapshotExpirer(ports: ports).run(
        table, expiry: expiry, now: now, readGrace: min(SnapshotExpirer.readGrace, ageMax ?? .max),
        isRehearsal: isRehearsal)
      Console.say(
        "\(would)expire \(done.snapshots.count) snapshots of \(table) and delete \(done.files.count) files")
      for name in done.refs { Console.say("\(would)remove ref \(name)") }
      for location in done.files where isRehearsal { Console.say("would delete \(location)") }
      for location in done.left { Console.say("could not delete \(location)") }
    }
  }

  /// Every table's entries, one a line; nothing else, so that scripts can read it.
  static func listQuarantine(_ options: ServiceOptions) async throws {
    for (table, desk) in try await desks(options) {
      for entry in try await desk.entries() { Console.say("\(table) \(entry.text)") }
    }
  }

  static func giveUp(_ segments: Set<SegmentID>, _ options: ServiceOptions, isRehearsal: Bool) async throws {
    var left = segments
    for (table, desk) in try await desks(options) {
      let given =
        isRehearsal
        ? try await desk.entries().filter { segments.contains($0.segment) } : try await desk.giveUp(segments)
      for entry in given {
        left.remove(entry.segment)
        Console.say("\(isRehearsal ? "would give up" : "gave up") \(table) \(entry.text)")
      }
    }
    for segment in left.sorted() { Console.say("\(segment) is in no table's quarantine") }
  }

  /// One desk for each table that is there.
  private static func desks(_ options: ServiceOptions) async throws -> [(String, QuarantineDesk)] {
    let configuration = try options.read(MaintainConfiguration.self)
    let ports = try await Outside().ports(configuration)
    let known = try await ports.catalog.listTables(in: [LakeTable.namespace])
    return LakeTable.all.filter { known.contains(TableIdentifier($0)) }.map {
      ($0.name, QuarantineDesk(ports: ports, table: $0))
    }
  }
}
