import LakeIngest
import LakeMaintain
import LakePorts
import LakeQuery
import LakeSchema
import LakeShift
import LakeSystem
import LakeWAL

/// The engines of one process over one set of ports. `icegate dev` and the services differ in `Parts` only.
struct Lake: Sendable {
  /// Which engines run, and how.
  struct Parts: Sendable {
    /// nil: this process does not touch the write-ahead log.
    var queue: QueueSettings?
    var ingests = false
    /// nil: this process does not shift.
    var shift: ShiftSettings?
    /// nil: this process does not answer queries.
    var query: QuerySettings?
    /// Whether the runners work by themselves; otherwise only when `flush` asks.
    var shiftsByItself = true
    /// Whether snapshots go as the tables' `history.expire.*` properties say.
    var expiresSnapshots = false
    /// Memory beyond which nothing is taken in; nil: half of what there is.
    var memoryBytesMax: Int?
  }

  let ports: Ports
  let parts: Parts
  let ingestor: Ingestor?
  let query: LogQueryEngine?
  let shifts: [ShiftRunner]
  let memory: ProcessMemory

  /// - Parameter cached: the store that queries read through; the shift reads past every cache (SHF-5).
  init(ports: Ports, parts: Parts, cached: (any ObjectStore)? = nil) {
    self.ports = ports
    self.parts = parts
    memory = ProcessMemory(bytesMax: parts.memoryBytesMax, ports: ports)
    ingestor = parts.ingests ? parts.queue.map { Ingestor(ports: ports, settings: $0) } : nil
    var reading = ports
    if let cached { reading.store = cached }
    query = parts.query.map { LogQueryEngine(ports: reading, settings: $0, queue: parts.queue ?? QueueSettings()) }
    guard var shift = parts.shift, let queue = parts.queue else {
      shifts = []
      return
    }
    shift.queue = queue
    // Tables fed by one topic look at the same footers.
    let cache = WALCache()
    shifts = [
      ShiftRunner(ports: ports, settings: shift, table: .logs, cache: cache),
      ShiftRunner(ports: ports, settings: shift, table: .events, derivation: EventRows(), cache: cache),
      ShiftRunner(ports: ports, settings: shift, table: .spans, cache: cache),
      ShiftRunner(ports: ports, settings: shift, table: .metrics, cache: cache),
    ]
  }

  /// Refuses a store that does not keep its conditions (PRT-3).
  func probeStore() async throws {
    guard let queue = parts.queue, ingestor != nil || !shifts.isEmpty else { return }
    try await StoreProbe(store: ports.store, random: ports.random)
      .run(prefix: "\(queue.basePath)/", needsReplacement: false)
  }

  /// Creates what is missing, changes what is old.
  func migrate() async throws { _ = try await Migrator(catalog: ports.catalog).run(upgrades: true) }

  /// Refuses a catalog that takes commits whose requirements do not hold (PRT-3).
  func probeCatalog() async throws {
    try await CatalogProbe(catalog: ports.catalog, random: ports.random).run(TableIdentifier(LakeTable.logs))
  }

  /// What runs in the background until it is cancelled. One that throws has found what the process must not go on with.
  var jobs: [@Sendable () async throws -> Void] {
    var jobs: [@Sendable () async throws -> Void] = [{ await memory.run() }]
    if let ingestor { jobs.append { await ingestor.run() } }
    if parts.shiftsByItself && !shifts.isEmpty { jobs.append { try await runShifts() } }
    if parts.expiresSnapshots {
      let keeper = SnapshotKeeper(ports: ports)
      jobs.append { await keeper.run() }
    }
    return jobs
  }

  /// How long a catalog that is not there, or has no tables yet, is left alone.
  private static let catalogPatience = Duration.seconds(2)

  /// The write-ahead log takes rows without a catalog; shifts begin once it is there and has been tried.
  private func runShifts() async throws {
    while true {
      do throws(CatalogError) {
        for shift in shifts { _ = try await ports.catalog.loadTable(TableIdentifier(shift.table)) }
        break
      } catch {
        if error == .cancelled || Task.isCancelled { return }
        ports.journal.note(
          .warning, "shift.waiting", [("reason", "\(error)"), ("hint", "maintain migrate create makes the tables")])
      }
      do { try await ports.clock.sleep(for: Lake.catalogPatience) } catch { return }
    }
    try await probeCatalog()
    await withTaskGroup(of: Void.self) { group in
      for runner in shifts { group.addTask { await runner.run() } }
    }
  }

  /// Everything acknowledged before the call is in the tables when it returns.
  func flush() async throws {
    for shift in shifts { try await shift.flush() }
  }
}
