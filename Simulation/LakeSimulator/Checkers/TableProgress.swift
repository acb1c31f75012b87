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
  /// Segments as `lane/sequence`, ascending.
  var quarantined: [String] = []

  static let property = "icegate.queue.state"

  /// - Returns: nil when the property is there and cannot be read.
  init?(_ table: TableMetadata) {
    guard let text = table.properties[ObservedState.property] else {
      self.init()
      return
    }
    self.init(text: text)
  }

  private init() {}

  init?(text: String) {
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
    for entry in document.root["quarantine"]?.elements.map({ $0 }) ?? [] {
      guard let lane = entry["lane"]?.string, let sequence = entry["sequence"]?.int else { return nil }
      quarantined.append("\(lane)/\(sequence)")
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
/// SHF-3: what a new snapshot names stands. CMP-1: a snapshot that says it replaces files holds the same rows. It does not
/// see whether the files that a shift adds hold the right rows: readers do.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class TableProgress: @unchecked Sendable {
  private let simulation: Simulation
  /// Lanes that have left each table's state.
  private(set) var retired: [TableIdentifier: Set<String>] = [:]
  private var states: [TableIdentifier: ObservedState] = [:]
  private(set) var commits = 0
  private let contents: TableContents
  /// Told of rows that another engine took out of a table, and of those that it brought back.
  var onRowsMoved: ((_ table: TableIdentifier, _ gone: [String], _ back: [String]) -> Void)?

  init(_ world: World, contents: TableContents) {
    simulation = world.simulation
    self.contents = contents
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
    if before.currentSnapshotID != after.currentSnapshotID {
      judgeLineage(table, before, after, life)
      judgeFiles(table, before, after, life)
    }
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
    // Another engine may point the branch at an older snapshot.
    let isRollback = before.snapshot(id: snapshot.id) != nil
    if isRollback && life.node == ForeignEngine.node { return }
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

  private func judgeFiles(_ table: TableIdentifier, _ before: TableMetadata, _ after: TableMetadata, _ life: Life) {
    guard let snapshot = after.currentSnapshot else { return }
    let now = contents.files(of: snapshot, after)
    let then = before.currentSnapshot.map { contents.files(of: $0, before) } ?? TableContents.Files()
    let added = now.data.subtracting(then.data)
    if let missing = added.sorted().first(where: { !contents.stands($0) }) {
      simulation.fail(.filesStand, "\(table): snapshot \(snapshot.id) of \(life) names \(missing), which is not there")
    }
    let removed = then.data.subtracting(now.data)
    if removed.isEmpty && life.node != ForeignEngine.node { return }
    guard life.node == ForeignEngine.node, let schema = after.schema else {
      return simulation.fail(.compactionKeepsRows, "\(table): \(life) took \(removed.min()!) out of the table")
    }
    func counts(_ files: Set<String>) -> [TableContents.Row: Int] {
      files.reduce(into: [:]) { counts, file in
        for row in contents.rows(of: file, schema) { counts[row, default: 0] += 1 }
      }
    }
    let (gone, come) = (counts(removed), counts(added))
    if snapshot.summary["operation"] == "replace", before.snapshot(id: snapshot.id) == nil, gone != come {
      simulation.fail(.compactionKeepsRows, "\(table): snapshot \(snapshot.id) of \(life) replaces files by other rows")
    }
    onRowsMoved?(
      table, gone.filter { (come[$0.key] ?? 0) < $0.value }.map(\.key.text),
      come.filter { (gone[$0.key] ?? 0) < $0.value }.map(\.key.text))
  }
}
