import LakeModel
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL

/// A whole lake in a world: nodes that run the production engines, clients, readers, and the checkers that watch them.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class Lake: @unchecked Sendable {
  let world: World
  let settings: LakeSettings
  let ledger: RowLedger
  let lanes: LaneObjects
  let progress: TableProgress
  let liveObjects: LiveObjects
  let tenants: [TenantID]
  let tables: [LakeTable]
  /// Where each ingest node's life listens.
  var doors: [String: IngestDoor] = [:]
  /// Requests that clients are still trying to get acknowledged.
  var clientsAtWork = 0
  let contents: TableContents
  let habits: ClientHabits
  /// Whether readers ask the query engine, too.
  let asksEngine: Bool
  var reads = 0
  var failedReads = 0

  /// - Parameters:
  ///   - settings: nil: drawn from the seed.
  ///   - withEvents: the table `events` is fed from the same lanes; needs every column.
  init(
    _ world: World, settings: LakeSettings? = nil, tenants: Int = 2, withEvents: Bool = false,
    habits: ClientHabits = ClientHabits()
  ) throws {
    self.world = world
    self.settings = settings ?? LakeSettings.drawn(world.random("settings"))
    self.habits = habits
    self.tenants = (0..<tenants).map { TenantID("tenant-\($0)")! }
    tables = [self.settings.logs] + (withEvents ? [.events] : [])
    asksEngine = self.settings.isWide
    ledger = RowLedger(dedupWindow: self.settings.queue.dedupWindow)
    contents = TableContents(world)
    lanes = LaneObjects(world, basePath: self.settings.queue.basePath)
    progress = TableProgress(world, contents: contents)
    liveObjects = LiveObjects(
      world, basePath: self.settings.queue.basePath, tables: tables, progress: progress, contents: contents)
    world.catalog.writesMetadata = self.settings.isWide
    progress.onRowsMoved = { [unowned self] table, gone, back in
      guard table == TableIdentifier(.logs) else { return }
      ledger.move(gone: gone, back: back, now: world.simulation.scheduler.now)
    }
    try createTables()
  }

  private func createTables() throws {
    try world.catalog.state.createNamespace([LakeTable.namespace], properties: [:])
    for table in tables {
      var creation = TableCreation(table)
      creation.properties[TableProperties.manifestMinCountToMerge] = "\(settings.manifestsMin)"
      _ = try world.catalog.create(TableIdentifier(table), creation, by: world.story)
    }
  }

  /// Everything acknowledged is in every table, and nothing waits.
  func restConditions() {
    world.restsWhen { [unowned self] in
      clientsAtWork == 0 ? nil : "\(clientsAtWork) clients have requests that are not acknowledged"
    }
    world.restsWhen { [unowned self] in
      unshifted.map { "segment \($0) is not shifted" }
    }
  }

  /// A segment that some table has yet to take.
  private var unshifted: LaneObjects.Place? {
    for key in world.peekKeys() where key.text.hasPrefix(settings.queue.basePath) {
      guard let place = LaneObjects.Place(key, basePath: settings.queue.basePath), place.sequence > 0,
        liveObjects.isNeeded(place), world.peek(key)?.count != LaneObjects.tombstoneBytes
      else { continue }
      return place
    }
    return nil
  }

  /// WAL-7b: with no writer at work, everything goes: lanes end, leave the states, and nothing of them stays behind.
  func restConditionsOfTheQueue() {
    world.restsWhen { [unowned self] in
      world.peekKeys().first { $0.text.hasPrefix(settings.queue.basePath + "/") }.map { "\($0) is left in the queue" }
    }
    world.restsWhen { [unowned self] in orphan.map { "\($0) is named by no snapshot and still there" } }
    world.restsWhen { [unowned self] in
      for table in tables {
        guard let state = progress.state(of: TableIdentifier(table)) else { continue }
        if let lane = state.lanes.keys.min() { return "the state of \(table.name) still names lane \(lane)" }
        if let name = state.fingerprints.min() { return "the state of \(table.name) still names fingerprints \(name)" }
      }
      return nil
    }
  }

  /// DEL-3: a file of ours that no snapshot leads to.
  private var orphan: ObjectKey? {
    var named: Set<String> = []
    for table in tables {
      guard let metadata = world.catalog.table(TableIdentifier(table))?.metadata else { continue }
      for snapshot in metadata.snapshots {
        let files = contents.files(of: snapshot, metadata)
        named.formUnion(files.data)
        named.formUnion(files.metadata)
      }
    }
    return world.peekKeys().first { DataFilePlaces.isOurs($0) && !named.contains(world.warehouse.location(of: $0)) }
  }
}
