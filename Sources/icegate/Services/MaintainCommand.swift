import LakeMaintain
import LakePorts
import LakeShift
import LakeSystem
import LakeWAL

/// `icegate maintain run -c FILE` serves the catalog and, with a `queue` section, shifts; `migrate` makes the tables.
enum MaintainCommand {
  static func run(_ options: ServiceOptions) async throws {
    let configuration = try options.read(MaintainConfiguration.self)
    if options.checks { return Console.write(ConfigReport.text(configuration)) }
    let (parts, plan) = try arrange(configuration)
    let lake = Lake(ports: try await Outside().ports(configuration), parts: parts)
    try await LakeProcess(lake: lake, plan: plan).run { Console.announce("maintain", $0) }
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
    var plan = Doors.Plan()
    plan.iceberg = configuration.icebergREST
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
}
