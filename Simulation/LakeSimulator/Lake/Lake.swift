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
  /// Data files never change, so what was once decoded is not decoded again.
  let decodedFiles = DecodedFiles()
  var reads = 0
  var failedReads = 0

  /// - Parameter settings: nil: drawn from the seed.
  init(_ world: World, settings: LakeSettings? = nil, tenants: Int = 2, tables: [LakeTable] = [.logs]) throws {
    self.world = world
    self.settings = settings ?? LakeSettings.drawn(world.random("settings"))
    self.tenants = (0..<tenants).map { TenantID("tenant-\($0)")! }
    self.tables = tables
    ledger = RowLedger(dedupWindow: self.settings.queue.dedupWindow)
    lanes = LaneObjects(world, basePath: self.settings.queue.basePath)
    progress = TableProgress(world)
    liveObjects = LiveObjects(world, basePath: self.settings.queue.basePath, tables: tables, progress: progress)
    try createTables()
  }

  private func createTables() throws {
    try world.catalog.state.createNamespace([LakeTable.namespace], properties: [:])
    for table in tables { _ = try world.catalog.create(TableIdentifier(table), TableCreation(table), by: world.story) }
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
    for key in world.cloud.objects.allKeys {
      guard let place = LaneObjects.Place(key, basePath: settings.queue.basePath), place.sequence > 0,
        let info = try? world.cloud.objects.head(key), info.size != LaneObjects.tombstoneBytes
      else { continue }
      if liveObjects.isNeeded(place) { return place }
    }
    return nil
  }
}
