package import LakeModel
import LakeParquet
package import LakePorts
package import LakeSchema

/// Reads what lies in the queue of one topic: listings, footers, fingerprint objects. Decides nothing.
package struct QueueAccess: Sendable {
  package let ports: Ports
  package let settings: QueueSettings
  package let topic: Topic
  package let layout: QueueLayout
  package let cache: WALCache

  package init(ports: Ports, settings: QueueSettings, topic: Topic, cache: WALCache) {
    self.ports = ports
    self.settings = settings
    self.topic = topic
    self.cache = cache
    layout = QueueLayout(settings)
  }

  // MARK: lanes

  package func listLanes() async throws(WALError) -> LaneListing {
    do throws(ObjectStoreError) {
      let objects = try await ports.store.listAll(prefix: layout.lanesPrefix(topic))
      return LaneListing(objects, topic: topic, layout: layout)
    } catch {
      throw WALError(error)
    }
  }

  /// The same, from an earlier listing on.
  func listLanes(since kept: KeptListing) async throws(WALError) -> LaneListing {
    let last = kept.last
    do throws(ObjectStoreError) {
      let prefix = layout.lanesPrefix(topic)
      guard let objects = try await ports.store.relist(prefix: prefix, known: last?.objects) else {
        return last?.listing ?? LaneListing()
      }
      let listing = LaneListing(objects.objects, topic: topic, layout: layout)
      kept.keep(objects, listing)
      return listing
    } catch {
      throw WALError(error)
    }
  }

  /// The runs beyond a state, ascending by lane.
  ///
  /// A listing that overlaps writes may show segment n+1 and not n. Since n was known to stand before n+1 was begun, a look
  /// at n itself, begun after the listing, finds it: only what that look does not find is missing (SHF-6).
  package func runs(_ listing: LaneListing, beyond state: QueueState) async throws(WALError) -> [LaneRun] {
    var runs: [LaneRun] = []
    for shown in listing.lanes {
      var lane = shown
      let position = state.lanes[lane.id]
      if position == nil && !lane.hasOpening {
        lane.hasOpening = try await size(at: SegmentID(lane: lane.id, sequence: 0)) == 0
      }
      while let run = run(lane, position) {
        guard let entry = try await firstFound(in: run.missing, of: lane.id) else {
          // No alarm yet: a shift may have committed and deleted since the state was loaded. What stays missing is told of
          // by the commit that takes it into quarantine.
          if !run.missing.isEmpty { ports.journal.note(.debug, "wal.hole", [("lane", "\(lane.id)")]) }
          runs.append(run)
          break
        }
        ports.journal.note(.debug, "wal.listing.overlapped", [("lane", "\(lane.id)")])
        lane.add(entry)
      }
    }
    for (lane, position) in state.lanes where !position.hasEnded && listing.lane(lane) == nil {
      let nothing = LaneListing.Lane(id: lane, hasOpening: false, entries: [])
      if let run = LaneRun(nothing, position: position) { runs.append(run) }
    }
    return runs.sorted { $0.lane < $1.lane }
  }

  /// The listing with openings that it did not show because it overlapped their creation, for lanes that some state does
  /// not know: a lane without entry and opening is void, and only a look begun after the listing can tell.
  package func withOpenings(_ listing: LaneListing, states: [QueueState]) async throws(WALError) -> LaneListing {
    var listing = listing
    for index in listing.lanes.indices {
      let lane = listing.lanes[index]
      guard !lane.hasOpening, states.contains(where: { $0.lanes[lane.id] == nil }) else { continue }
      listing.lanes[index].hasOpening = try await size(at: SegmentID(lane: lane.id, sequence: 0)) == 0
    }
    return listing
  }

  private func run(_ lane: LaneListing.Lane, _ position: LanePosition?) -> LaneRun? {
    LaneRun(
      lane, position: position, countsVoid: ports.hasPlanted(.countVoidLanes),
      startsAtZero: ports.hasPlanted(.skipLaneOpening))
  }

  private func firstFound(in missing: [Range<Int>], of lane: LaneID) async throws(WALError) -> LaneListing.Entry? {
    if ports.hasPlanted(.skipHoles) { return nil }
    for range in missing {
      if let size = try await size(at: SegmentID(lane: lane, sequence: range.lowerBound)) {
        return LaneListing.Entry(sequence: range.lowerBound, size: size)
      }
    }
    return nil
  }

  private func size(at id: SegmentID) async throws(WALError) -> Int? {
    do throws(ObjectStoreError) {
      return try await ports.store.head(layout.key(topic, id)).size
    } catch {
      if case .notFound = error { return nil }
      throw WALError(error)
    }
  }

  // MARK: segments

  /// Reads the footer of a segment, or takes it from memory.
  ///
  /// - Parameter isFresh: read past the cache (SHF-5).
  /// - Throws: `.vanished`, `.damaged`, `.newerFormat`, `.store`.
  package func open(_ id: SegmentID, size: Int, isFresh: Bool = false) async throws(WALError) -> OpenSegment {
    if !isFresh, let segment = cache.segment(id, of: topic) { return segment }
    let segment = try await read(id, layout.key(topic, id), size: size)
    cache.keep(segment, of: topic)
    return segment
  }

  private func read(_ id: SegmentID, _ key: ObjectKey, size: Int) async throws(WALError) -> OpenSegment {
    if size <= settings.footerBytesHint {
      return try OpenSegment(whole: try await get(key), id: id, key: key)
    }
    var start = size - settings.footerBytesHint
    while true {
      let tail = try await get(key, .from(start))
      switch QueueAccess.footer(tail, size: size) {
      case .success(let file): return try OpenSegment(file: file, id: id, key: key, bytes: nil)
      // The footer is longer than the hint, and says by how much.
      case .failure(.bytesMissing(let range)) where range.lowerBound < start: start = range.lowerBound
      case .failure(let error): throw .damaged(key, "\(error)")
      }
    }
  }

  private static func footer(_ tail: Bytes, size: Int) -> Result<ParquetFile, ParquetError> {
    Result { () throws(ParquetError) in try ParquetFile(tail: tail, fileBytes: size) }
  }

  package func get(_ key: ObjectKey, _ range: ByteRange? = nil) async throws(WALError) -> Bytes {
    do throws(ObjectStoreError) {
      return try await ports.store.get(key, range: range).bytes
    } catch {
      throw WALError(error)
    }
  }

  // MARK: rows

  /// Rows of one row group, columns met by field id; absent where the segment lacks one.
  ///
  /// - Parameter dropped: numbers of requests whose rows are left out, ascending (RDR-3).
  /// - Throws: `.vanished`, `.damaged`, `.store`.
  package func rows(
    of segment: OpenSegment, rowGroup: Int, columns: Schema, dropping dropped: [Int] = [], isFresh: Bool = false
  ) async throws(WALError) -> ColumnBatch {
    let wanted = dropped.isEmpty ? columns : SegmentEncoder.segmentSchema(columns)
    let plan: ReadPlan
    do throws(ParquetError) {
      plan = try segment.file.plan(rowGroup: rowGroup, projection: try segment.file.projection(to: wanted))
    } catch {
      throw .damaged(segment.key, "\(error)")
    }
    var fetched: [Bytes] = []
    for range in plan.ranges {
      if let bytes = segment.bytes, !isFresh {
        fetched.append(bytes[range])
      } else {
        fetched.append(try await get(segment.key, .span(range)))
      }
    }
    do throws(ParquetError) {
      let rows = try segment.file.decode(plan, fetched: fetched)
      return dropped.isEmpty ? rows : QueueAccess.kept(rows, dropping: dropped, schema: columns)
    } catch {
      throw .damaged(segment.key, "row group \(rowGroup): \(error)")
    }
  }

  /// The rows of requests that count, without the request column.
  static func kept(_ rows: ColumnBatch, dropping dropped: [Int], schema: Schema) -> ColumnBatch {
    guard case .int32(let numbers) = rows.columns[rows.columns.count - 1].values else {
      preconditionFailure("the request column is of integers")
    }
    let gone = Set(dropped.map { Int32(truncatingIfNeeded: $0) })
    let kept = (0..<rows.count).lazy.filter { !gone.contains(numbers[$0]) }.map { Int32(truncatingIfNeeded: $0) }
    let batch = ColumnBatch(schema: schema, columns: Array(rows.columns.dropLast()), count: rows.count)
    return batch.gather(Buffer(Array(kept)))
  }

  // MARK: fingerprints

  /// committed(S): the fingerprints in the objects that a state names (DUP-4).
  ///
  /// - Throws: `.vanished` when an object is gone: the state is no longer the table's (RDR-4).
  package func committed(_ state: QueueState, table: String) async throws(WALError) -> Set<Fingerprint> {
    let keys = state.fingerprints.map { layout.fingerprints(table, $0.name) }
    if let merged = cache.merged(keys) { return merged }
    let sets = try await concurrently(keys, limit: QueueAccess.readsAtOnceMax) { key throws(WALError) in
      if let set = cache.fingerprints(key) { return set }
      let set = try FingerprintSet(try await get(key), key: key)
      cache.keep(set, for: key)
      return set
    }
    var all: Set<Fingerprint> = []
    for set in sets { all.formUnion(set.fingerprints) }
    cache.keep(merged: all, of: keys)
    return all
  }

  static let readsAtOnceMax = 8
}
