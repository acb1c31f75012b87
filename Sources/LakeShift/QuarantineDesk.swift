import LakeModel
package import LakePorts
package import LakeSchema
package import LakeWAL

/// What an operator can do about segments that could not be taken into a table (SHF-5, SHF-6): look at them, and give them
/// up. A segment that is given up leaves the state with a commit of its own; its object is deleted by the shift afterwards,
/// and queries no longer warn of it.
package struct QuarantineDesk: Sendable {
  private let ports: Ports
  private let settings: ShiftSettings
  private let identifier: TableIdentifier

  package init(ports: Ports, settings: ShiftSettings = ShiftSettings(), table: LakeTable) {
    self.ports = ports
    self.settings = settings
    identifier = TableIdentifier(table)
  }

  /// Ascending by segment.
  package func entries() async throws(ShiftError) -> [QuarantineEntry] { try state(of: try await load()).quarantine }

  /// - Returns: the entries that were given up: those of `segments` that were in quarantine.
  /// - Throws: `.gaveUp` when shifts won the race each time.
  package func giveUp(_ segments: Set<SegmentID>) async throws(ShiftError) -> [QuarantineEntry] {
    var given: [QuarantineEntry] = []
    for attempt in 0..<QuarantineDesk.attemptsMax {
      if attempt > 0 { try await Backoff(ports: ports).rest(attempt) }
      let base = try await load()
      let state = try state(of: base)
      let found = state.quarantine.filter { segments.contains($0.segment) }
      // Gone after an attempt whose answer was lost: they were given up, by that one or by another operator.
      if found.isEmpty { return given }
      given = found
      var next = state
      next.generation += 1
      next.quarantine.removeAll { segments.contains($0.segment) }
      let plan = ShiftPlan(
        generation: state.generation, tasks: [], nextState: next, knownQuarantine: Set(state.quarantine),
        fingerprints: [], segmentCount: 0, rowCount: 0, repeatCount: 0, isCut: false)
      let commit = ShiftCommit(
        ports: ports, settings: settings, table: identifier, plan: plan, state: next, files: [], began: ports.clock.now)
      guard case .committed = try await commit.run(on: base) else { continue }
      for entry in given {
        ports.journal.note(.warning, "shift.quarantine.given-up", [("segment", "\(entry.segment)")])
      }
      return given
    }
    throw .gaveUp("others shifted each time")
  }

  private static let attemptsMax = 10

  private func load() async throws(ShiftError) -> TableState {
    do throws(CatalogError) {
      return try await ports.catalog.loadTable(identifier)
    } catch {
      if case .cancelled = error { throw .cancelled }
      throw .catalog(error)
    }
  }

  private func state(of table: TableState) throws(ShiftError) -> QueueState {
    do throws(WALError) { return try QueueState(of: table.metadata) } catch { throw ShiftError(error) }
  }
}

extension QuarantineEntry {
  /// One line for people.
  package var text: String {
    switch reason {
    case .missing: "\(segment) missing"
    case .unreadable(let why): "\(segment) unreadable: \(why)"
    case .unreadableRowGroups(let groups, let why):
      "\(segment) row groups \(groups.map { "\($0.index)" }.joined(separator: ",")) of tenants "
        + "\(Set(groups.map(\.key.tenant.text)).sorted().joined(separator: ",")): \(why)"
    }
  }
}

extension SegmentID {
  /// `lane/sequence`, as `description` writes it.
  package init?(text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let lane = LaneID(parts[0]), let sequence = Int(parts[1]), sequence >= 0 else { return nil }
    self.init(lane: lane, sequence: sequence)
  }
}
