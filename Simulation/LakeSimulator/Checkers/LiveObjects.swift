import LakeModel
import LakePorts
import LakeSchema

/// DEL-1: an object that some table or reader needs is not deleted.
///
/// Asked before each delete takes effect. A segment is needed until every table fed by its topic is past it; files of a
/// table while a snapshot in its metadata names them; fingerprint objects while a state names them. It does not see
/// readers of older snapshots: they begin again (RDR-4).
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class LiveObjects: @unchecked Sendable {
  private let world: World
  private let basePath: String
  private let tables: [LakeTable]
  private let progress: TableProgress
  private let contents: TableContents
  private(set) var deletes = 0

  init(_ world: World, basePath: String, tables: [LakeTable], progress: TableProgress, contents: TableContents) {
    self.world = world
    self.contents = contents
    self.basePath = basePath
    self.tables = tables
    self.progress = progress
    world.cloud.beforeDelete.append { [unowned self] key, life in judge(key, life) }
  }

  /// Whether some table has yet to take what lies there.
  func isNeeded(_ place: LaneObjects.Place) -> Bool {
    let lane = String(place.lane.suffix(32))
    for table in tables where place.lane.dropLast(33).hasSuffix(table.topic) {
      let identifier = TableIdentifier(table)
      guard let state = progress.state(of: identifier) else { return true }
      if let isPast = state.isPast(lane, place.sequence) {
        if !isPast { return true }
      } else if hasOpening(place) && !(progress.retired[identifier]?.contains(lane) ?? false) {
        return true
      }
    }
    return false
  }

  private func hasOpening(_ place: LaneObjects.Place) -> Bool {
    let key = ObjectKey(trusted: "\(place.lane)/\(String(repeating: "0", count: 20)).parquet")
    return world.peek(key) != nil
  }

  private func judge(_ key: ObjectKey, _ life: Life) {
    guard let info = try? world.cloud.objects.head(key) else { return }
    deletes += 1
    if let place = LaneObjects.Place(key, basePath: basePath) {
      // Openings and tombstones hold no rows; that they go too early shows in what is read.
      if place.sequence > 0 && info.size != LaneObjects.tombstoneBytes && isNeeded(place) {
        world.simulation.fail(.liveObjectIsKept, "\(life) deletes \(place), which a table has yet to take")
      }
    } else if key.text.hasPrefix(basePath + "/_fingerprints/") {
      judgeFingerprints(key, life)
    } else {
      judgeFile(key, life)
    }
  }

  private func judgeFingerprints(_ key: ObjectKey, _ life: Life) {
    let name = key.text.split(separator: "/").last.map { $0.prefix { $0 != "." } } ?? ""
    for table in tables {
      if progress.state(of: TableIdentifier(table))?.fingerprints.contains(String(name)) ?? false {
        world.simulation.fail(.liveObjectIsKept, "\(life) deletes \(key), which the state of \(table.name) names")
      }
    }
  }

  private func judgeFile(_ key: ObjectKey, _ life: Life) {
    let location = world.warehouse.location(of: key)
    for table in tables {
      guard let state = world.catalog.table(TableIdentifier(table)) else { continue }
      if state.metadataLocation == location {
        world.simulation.fail(.liveObjectIsKept, "\(life) deletes \(key), the metadata of \(table.name)")
      }
      for snapshot in state.metadata.snapshots where contents.files(of: snapshot, state.metadata).names(location) {
        world.simulation.fail(
          .liveObjectIsKept, "\(life) deletes \(key), which snapshot \(snapshot.id) of \(table.name) names")
        return
      }
    }
  }
}
