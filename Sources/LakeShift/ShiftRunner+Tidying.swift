import LakeIceberg
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL

/// What is left to do when a step is done.
extension ShiftRunner {
  /// Ends idle lanes (WAL-6) and deletes what every table is past (DEL-1).
  func tidy(_ step: Step, isFlush: Bool) async throws(ShiftError) {
    for end in step.idle { await endIdleLane(end) }
    var states = [step.state]
    for other in siblings {
      // A table that does not exist has taken nothing: nothing is deleted.
      states.append(try state(of: try await loadTable(TableIdentifier(other))))
    }
    let listing: LaneListing
    do throws(WALError) {
      listing = try await access.withOpenings(step.listing, states: states)
    } catch {
      throw ShiftError(error)
    }
    let delay = isFlush ? Duration.zero : settings.deleteDelay
    let segments = memory.deletable(listing, states: states, delay: delay, now: ports.clock.now)
    await delete(segments.map { access.layout.key(topic, $0) })
    try await deleteFingerprints(step.state)
    if !isFlush { try await sweepWhenDue() }
  }

  /// DEL-3: lists, waits, has an empty snapshot committed (`isDue`), then deletes what no snapshot names.
  private func sweepWhenDue() async throws(ShiftError) {
    let now = ports.clock.now
    guard let due = nextSweep else {
      // A life that has just begun has other things to do.
      nextSweep = now.advanced(by: settings.sweepInterval / 8)
      return
    }
    guard due <= now else { return }
    let base = try await loadTable(identifier)
    let sweep = OrphanSweep(ports: ports)
    var keys = try await sweep.listed(base.metadata)
    do throws(ShiftError) {
      if !keys.isEmpty {
        let named = try await sweep.named(in: try await loadTable(identifier).metadata)
        keys.removeAll { named.contains($0) }
      }
    } catch {
      // Snapshots were expired under our hands: another time.
      guard case .wal(.vanished) = error else { throw error }
      nextSweep = now.advanced(by: settings.housekeepingInterval)
      return
    }
    // Of the first load: what the second may have seen of later generations is not known to close anything.
    let gone = memory.deletableFiles(keys, generation: try state(of: base).generation, now: now)
    nextSweep = now.advanced(
      by: memory.hasOrphans ? min(settings.sweepInterval, settings.planAgeMax) : settings.sweepInterval)
    if gone.isEmpty { return }
    ports.journal.note(.info, "shift.sweep", [("table", table.name), ("files", "\(gone.count)")])
    await delete(gone)
  }

  /// On a condition: a segment of a slow writer that lands first is not lost.
  private func endIdleLane(_ end: SegmentID) async {
    let condition: PutCondition = ports.hasPlanted(.sealUnconditionally) ? .none : .ifAbsent
    let result: String
    do throws(ObjectStoreError) {
      _ = try await ports.store.put(access.layout.key(topic, end), LaneMark.tombstone, condition: condition)
      result = "ended"
    } catch {
      result = "\(error)"
    }
    ports.journal.note(.debug, "shift.lane.end", [("segment", "\(end)"), ("result", result)])
  }

  private func deleteFingerprints(_ state: QueueState) async throws(ShiftError) {
    let objects: [ObjectInfo]
    do throws(ObjectStoreError) {
      objects = try await ports.store.listAll(prefix: access.layout.fingerprintsPrefix(table.name))
    } catch {
      if case .cancelled = error { throw .cancelled }
      throw .store(error)
    }
    let names = objects.compactMap { access.layout.fingerprintsName(table.name, $0.key) }
    let gone = memory.deletableFingerprints(names, state, now: ports.clock.now)
    await delete(gone.map { access.layout.fingerprints(table.name, $0) })
  }

  func delete(_ runs: [LaneRun]) async {
    await delete(
      runs.flatMap { run in
        run.segments.map { access.layout.key(topic, SegmentID(lane: run.lane, sequence: $0.sequence)) }
      })
  }

  /// What is not deleted now is deleted later: errors are only noted.
  private func delete(_ keys: [ObjectKey]) async {
    let left = await ports.store.deleteAll(keys)
    for failure in left {
      ports.journal.note(
        .debug, "shift.delete.failed", [("key", failure.key.text), ("error", "\(failure.error)")])
    }
    counters.deleted += keys.count - left.count
  }
}
