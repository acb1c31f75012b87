import LakeIngest
import LakeMaintain
import LakePorts
import LakeQuery
import LakeSchema
import LakeShift
import LakeWAL

/// The engines of one process over one set of ports.
struct DevLake: Sendable {
  let ports: Ports
  let ingestor: Ingestor
  let query: LogQueryEngine
  let shifts: [ShiftRunner]
  private let runsShifts: Bool

  init(ports: Ports, shifts runsShifts: Bool) {
    self.ports = ports
    self.runsShifts = runsShifts
    var queue = QueueSettings()
    queue.basePath = "wal"
    ingestor = Ingestor(ports: ports, settings: queue)
    var shift = ShiftSettings()
    shift.queue = queue
    shift.interval = .seconds(10)
    shifts = [
      ShiftRunner(ports: ports, settings: shift, table: .logs),
      ShiftRunner(ports: ports, settings: shift, table: .events, derivation: EventRows()),
    ]
    query = LogQueryEngine(ports: ports, queue: queue)
  }

  /// Creates what is missing and refuses ports that do not keep their promises (PRT-3).
  func prepare() async throws {
    _ = try await Migrator(catalog: ports.catalog).run(upgrades: true)
    try await StoreProbe(store: ports.store, random: ports.random).run(prefix: "wal/", needsReplacement: false)
    try await CatalogProbe(catalog: ports.catalog, random: ports.random).run(TableIdentifier(LakeTable.logs))
  }

  /// What runs in the background until it is cancelled.
  var jobs: [@Sendable () async -> Void] {
    var jobs: [@Sendable () async -> Void] = [{ await ingestor.run() }]
    if runsShifts { jobs += shifts.map { runner in { await runner.run() } } }
    return jobs
  }

  /// Everything acknowledged before the call is in the tables when it returns.
  func flush() async throws {
    for shift in shifts { try await shift.flush() }
  }
}
