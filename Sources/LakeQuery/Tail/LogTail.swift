import LakeHash
import LakeLogQL
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL

/// Follows a log query: every matching row that becomes visible after the first step is delivered once (SHF-1), whether it
/// is met in the WAL or, when the shift was faster, in the table.
///
/// Rows come in the order in which they became visible; inside a step each stream is sorted by time.
package actor LogTail {
  private let engine: LogQueryEngine
  private let table: LogTable
  private let request: LogTailRequest
  private let plan: LogPlan
  private let range: TimeRange
  /// For templates: the same for every step, so that a row always becomes the same entry.
  private let now: Int64
  private var cursor: TailCursor?
  private var snapshotID: Int64?

  /// Entries after which a step ends, and the next one goes on.
  private static let stepEntriesMax = 5000

  /// - Throws: `.invalid` with Loki's message when the text is no log query.
  package init(engine: LogQueryEngine, request: LogTailRequest) throws(QueryError) {
    guard case .logs(let expression) = try engine.parse(request.query) else {
      throw .invalid("only log selector is supported")
    }
    guard let table = engine.source as? LogTable else {
      preconditionFailure("every engine outside the tests of this module reads a table")
    }
    self.engine = engine
    self.table = table
    self.request = request
    plan = try LogPlan(expression)
    range = TimeRange(start: request.start.signedNanoseconds, end: .max)
    now = engine.ports.wall.now.signedNanoseconds
  }

  /// What became visible since the step before; the first step gives the history.
  package func next() async throws(QueryError) -> LogTailStep {
    var attempt = 1
    while true {
      do throws(QueryError) {
        let context = QueryContext(engine.ports, engine.settings)
        let view = try await table.openTail(tenant: request.tenant, context: context)
        return cursor == nil ? try await begin(view, context) : try await goOn(view, context)
      } catch {
        // RDR-4
        guard case .vanished = error, attempt < engine.settings.snapshotAttemptsMax else { throw error }
        attempt += 1
      }
    }
  }

  // MARK: - The beginning

  private func begin(_ view: TailView, _ context: QueryContext) async throws(QueryError) -> LogTailStep {
    var cursor = TailCursor(state: view.wal.state)
    let blocks = try await view.table.blocks(plan.conditions, in: range)
    let scan = scan(limit: request.history, .backward, context)
    let candidates = try await scan.candidates(blocks)
    let streams = try await streams(blocks, candidates.reversed(), context)
    // What the table has not taken is remembered whole, also what the limit has left out.
    for group in view.wal.rowGroups {
      let entries = try await entries(of: view.table.block(of: group, dropping: []), context)
      cursor.deliver(group, dropping: [], LogTail.hashes(entries))
    }
    cursor.finish(view.wal.reach)
    self.cursor = cursor
    snapshotID = view.wal.table.metadata.currentSnapshotID
    return LogTailStep(streams: streams, hasMore: false, warnings: view.wal.warnings)
  }

  // MARK: - Afterwards

  private func goOn(_ view: TailView, _ context: QueryContext) async throws(QueryError) -> LogTailStep {
    var cursor = self.cursor!
    var found: [LogStream] = []
    let isCovered = cursor.covers(view.wal.state)
    let elsewhere = try await takenElsewhere(view, &cursor, context)
    let taken = cursor.advance(to: view.wal.state)
    if !isCovered {
      guard let taken else { throw .unavailable("the tail has fallen behind: start it again") }
      found = try await missed(view, delivered: taken + elsewhere, context)
    }
    snapshotID = view.wal.table.metadata.currentSnapshotID
    self.cursor = cursor
    var count = found.reduce(0) { $0 + $1.count }
    for group in view.wal.rowGroups where cursor.isNew(group) {
      if count >= LogTail.stepEntriesMax {
        return LogTailStep(streams: LogStream.merged(found), hasMore: true, warnings: [])
      }
      let repeats = cursor.repeats(in: group.segment)
      let new: [LogStream]
      do throws(QueryError) {
        new = try await entries(of: view.table.block(of: group, dropping: repeats), context)
      } catch {
        // What was found so far is done, and the cursor says so: it must not be lost with the rest.
        guard case .vanished = error, count > 0 else { throw error }
        return LogTailStep(streams: LogStream.merged(found), hasMore: true, warnings: [])
      }
      cursor.deliver(group, dropping: repeats, LogTail.hashes(new))
      self.cursor = cursor
      found += new
      count += new.reduce(0) { $0 + $1.count }
    }
    cursor.finish(view.wal.reach)
    self.cursor = cursor
    return LogTailStep(streams: LogStream.merged(found), hasMore: false, warnings: [])
  }

  /// Rows that were delivered and that the table took from another copy of their request (DUP-4).
  private func takenElsewhere(
    _ view: TailView, _ cursor: inout TailCursor, _ context: QueryContext
  ) async throws(QueryError) -> [RowHash] {
    if view.wal.state.generation == cursor.state.generation { return [] }
    let committed = try await table.committed(in: view.wal.state, since: cursor.state)
    var hashes: [SegmentID: [RowHash]] = [:]
    for group in cursor.takenElsewhere(committed, in: view.wal.state, of: request.tenant) {
      let entries = try await entries(of: view.table.block(of: group, dropping: []), context)
      hashes[group.segment.id, default: []] += LogTail.hashes(entries)
    }
    cursor.forget(committed, hashes)
    return hashes.values.flatMap { $0 }
  }

  /// Rows of segments that the table took before the tail saw them.
  private func missed(
    _ view: TailView, delivered: [RowHash], _ context: QueryContext
  ) async throws(QueryError) -> [LogStream] {
    var counts: [RowHash: Int] = [:]
    for hash in delivered { counts[hash, default: 0] += 1 }
    var found: [LogStream] = []
    for block in try await view.table.blocksAppended(since: snapshotID, in: range) {
      for stream in try await entries(of: block, context) {
        let new = LogTail.hashes([stream]).map { hash in
          guard let left = counts[hash], left > 0 else { return true }
          counts[hash] = left - 1
          return false
        }
        let rest = stream.keeping(new)
        try context.hold(bytes: rest.lines.memoryBytes + rest.count * 16)
        if rest.count > 0 { found.append(rest) }
      }
    }
    return found
  }

  // MARK: - Reading

  private func scan(
    limit: Int, _ direction: LogQueryRequest.Direction, _ context: QueryContext
  ) -> LogScan {
    LogScan(
      plan: plan, range: range, limit: limit, direction: direction, isCategorized: request.isCategorized, now: now,
      context: context)
  }

  /// Every matching row of a block, by stream, oldest first.
  private func entries(of block: any LogBlock, _ context: QueryContext) async throws(QueryError) -> [LogStream] {
    guard LogTail.mayMatch(block, plan.conditions, range) else { return [] }
    let candidates = try await scan(limit: block.rowCount, .forward, context).candidates([block])
    return try await streams([block], candidates, context)
  }

  private static func mayMatch(_ block: any LogBlock, _ conditions: [LabelCondition], _ range: TimeRange) -> Bool {
    let isInside = block.timeBounds.map { range.meetsMicroseconds($0.lowerBound, $0.upperBound) } ?? true
    return isInside && !conditions.contains { block.isRuledOut($0) }
  }

  private func streams(
    _ blocks: [any LogBlock], _ candidates: [LogCandidate], _ context: QueryContext
  ) async throws(QueryError) -> [LogStream] {
    if candidates.isEmpty { return [] }
    let answer = LogAnswer(blocks: blocks, isCategorized: request.isCategorized, context: context)
    return try await answer.streams(candidates, interval: 0)
  }

  private static func hashes(_ streams: [LogStream]) -> [RowHash] {
    var hashes: [RowHash] = []
    var bytes: [UInt8] = []
    for stream in streams {
      stream.forEachLine { index, line in
        bytes.removeAll(keepingCapacity: true)
        withUnsafeBytes(of: stream.times[index]) { bytes.append(contentsOf: $0) }
        var sets = [stream.labels]
        if index < stream.metadata.count { sets += [stream.metadata[index].structured, stream.metadata[index].parsed] }
        for set in sets {
          withUnsafeBytes(of: set.packed.count) { bytes.append(contentsOf: $0) }
          set.packed.withUnsafeBytes { bytes.append(contentsOf: $0) }
        }
        bytes.append(contentsOf: line)
        let hash = bytes.withUnsafeBytes { XXHash.xxh3_128($0) }
        hashes.append(RowHash(high: hash.high, low: hash.low))
      }
    }
    return hashes
  }
}

extension LogStream {
  /// One stream for each set of labels, its entries sorted by time; equal times stay in order.
  package static func merged(_ parts: [LogStream]) -> [LogStream] {
    var table = SeriesTable()
    var groups: [[LogStream]] = []
    for part in parts {
      let number = table.number(of: part.labels)
      if number == groups.count { groups.append([]) }
      groups[number].append(part)
    }
    return groups.map { $0.count == 1 ? $0[0] : LogStream(merging: $0) }
  }

  /// Calls `body` with each line; the bytes are valid inside the call only.
  package func forEachLine(_ body: (Int, UnsafeRawBufferPointer) -> Void) {
    guard case .bytes(let offsets, let data) = lines.plain.values else { preconditionFailure("lines are text") }
    data.withValues { data in
      for index in 0..<count {
        body(
          index,
          UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(data)[Int(offsets[index])..<Int(offsets[index + 1])]))
      }
    }
  }

  /// The entries whose flag is set.
  func keeping(_ flags: [Bool]) -> LogStream {
    if flags.allSatisfy({ $0 }) { return self }
    var lines = BytesColumnBuilder(capacity: count, bytesPerValue: 128)
    forEachLine { index, line in if flags[index] { lines.append(line) } }
    func kept<T>(_ values: [T]) -> [T] { zip(values, flags).compactMap { $1 ? $0 : nil } }
    return LogStream(labels: labels, times: kept(times), lines: lines.column(), metadata: kept(metadata))
  }

  /// Of streams with equal labels.
  init(merging parts: [LogStream]) {
    var places: [(time: UInt64, part: Int, index: Int)] = []
    for (part, stream) in parts.enumerated() {
      for (index, time) in stream.times.enumerated() { places.append((time, part, index)) }
    }
    places.sort { ($0.time, $0.part, $0.index) < ($1.time, $1.part, $1.index) }
    let columns = parts.map { part in
      guard case .bytes(let offsets, let data) = part.lines.plain.values else { preconditionFailure("lines are text") }
      return (offsets, data)
    }
    var lines = BytesColumnBuilder(capacity: places.count, bytesPerValue: 128)
    var metadata: [EntryMetadata] = []
    for place in places {
      let (offsets, data) = columns[place.part]
      data.withValues { data in
        lines.append(
          UnsafeRawBufferPointer(
            rebasing: UnsafeRawBufferPointer(data)[Int(offsets[place.index])..<Int(offsets[place.index + 1])]))
      }
      if place.index < parts[place.part].metadata.count { metadata.append(parts[place.part].metadata[place.index]) }
    }
    self.init(labels: parts[0].labels, times: places.map(\.time), lines: lines.column(), metadata: metadata)
  }
}
