import LakeJSON
import LakeModel
import LakePorts
import LakeSchema

/// What a table property says of lanes, read without the engine's code.
struct ObservedState: Equatable {
  enum Position: Equatable {
    case next(Int)
    case end(Int)
  }

  var generation = 0
  var lanes: [String: Position] = [:]
  var fingerprints: [String] = []

  static let property = "icegate.queue.state"

  /// - Returns: nil when the property is there and cannot be read.
  init?(_ table: TableMetadata) {
    guard let text = table.properties[ObservedState.property] else { return }
    guard let document = try? JSONDocument(Bytes(text)) else { return nil }
    guard let generation = document.root["generation"]?.int else { return nil }
    self.generation = generation
    guard let members = document.root["lanes"]?.members, let objects = document.root["fingerprints"]?.elements else {
      return nil
    }
    for member in members {
      if let next = member.value["next"]?.int {
        lanes[member.nameText] = .next(next)
      } else if let end = member.value["end"]?.int {
        lanes[member.nameText] = .end(end)
      } else {
        return nil
      }
    }
    for object in objects {
      guard let name = object["name"]?.string else { return nil }
      fingerprints.append(name)
    }
  }

  /// Whether the table no longer needs this object of the lane.
  func isPast(_ lane: String, _ sequence: Int) -> Bool? {
    switch lanes[lane] {
    case .next(let next): sequence < next
    case .end: true
    case nil: nil
    }
  }
}

/// SHF-2: every commit of a table, judged when it lands.
///
/// It does not see whether the files of a snapshot hold the right rows: readers do.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class TableProgress: @unchecked Sendable {
  private let simulation: Simulation
  /// Lanes that have left each table's state.
  private(set) var retired: [TableIdentifier: Set<String>] = [:]
  private var states: [TableIdentifier: ObservedState] = [:]
  private(set) var commits = 0

  init(_ world: World) {
    simulation = world.simulation
    world.catalog.afterCommit.append { [unowned self] table, before, after, life in
      judge(table, before?.metadata, after.metadata, life)
    }
  }

  func state(of table: TableIdentifier) -> ObservedState? { states[table] }

  private func judge(_ table: TableIdentifier, _ before: TableMetadata?, _ after: TableMetadata, _ life: Life) {
    commits += 1
    guard let state = ObservedState(after) else {
      return simulation.fail(.stateMovesForward, "\(table): \(life) left a state that cannot be read")
    }
    states[table] = state
    guard let before, let old = ObservedState(before) else { return }
    if before.currentSnapshotID != after.currentSnapshotID { judgeLineage(table, before, after, life) }
    if before.properties[ObservedState.property] == after.properties[ObservedState.property] { return }
    if before.currentSnapshotID == after.currentSnapshotID {
      return simulation.fail(.stateMovesForward, "\(table): \(life) changed the state without a new snapshot")
    }
    if state.generation != old.generation + 1 {
      return simulation.fail(
        .stateMovesForward, "\(table): \(life) went from generation \(old.generation) to \(state.generation)")
    }
    judgeLanes(table, old, state, life)
  }

  private func judgeLanes(_ table: TableIdentifier, _ old: ObservedState, _ new: ObservedState, _ life: Life) {
    for (lane, position) in old.lanes.sorted(by: { $0.key < $1.key }) {
      let isForward =
        switch (position, new.lanes[lane]) {
        case (.next(let a), .next(let b)?): b >= a
        case (.next(let a), .end(let b)?): b >= a
        case (.end(let a), .end(let b)?): a == b
        case (.end, nil): true
        case (.next, nil), (.end, .next?): false
        }
      if !isForward {
        return simulation.fail(
          .stateMovesForward,
          "\(table): lane \(lane) went from \(position) to \(new.lanes[lane].map { "\($0)" } ?? "nothing") by \(life)")
      }
      if new.lanes[lane] == nil { retired[table, default: []].insert(lane) }
    }
    if let back = new.lanes.keys.filter({ retired[table]?.contains($0) ?? false }).min() {
      simulation.fail(.stateMovesForward, "\(table): lane \(back) came back into the state by \(life)")
    }
  }

  private func judgeLineage(_ table: TableIdentifier, _ before: TableMetadata, _ after: TableMetadata, _ life: Life) {
    guard let snapshot = after.currentSnapshot else {
      return simulation.fail(.lineageIsUnbroken, "\(table): \(life) left no current snapshot")
    }
    if snapshot.parentID != before.currentSnapshotID {
      simulation.fail(
        .lineageIsUnbroken,
        "\(table): snapshot \(snapshot.id) of \(life) is the child of \(snapshot.parentID.map { "\($0)" } ?? "none"), "
          + "current was \(before.currentSnapshotID.map { "\($0)" } ?? "none")")
    }
    if snapshot.sequenceNumber <= before.lastSequenceNumber {
      simulation.fail(.lineageIsUnbroken, "\(table): sequence number \(snapshot.sequenceNumber) by \(life) is not new")
    }
  }
}
