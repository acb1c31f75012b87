import LakeModel
import LakePorts
import LakeWAL
import Testing

@Suite struct LaneTests {
  private let layout = QueueLayout(basePath: "queue")
  private let lane = LaneID(high: 0, low: 0xAB)

  private func listing(_ objects: [(String, Int)]) -> LaneListing {
    LaneListing(
      objects.map { ObjectInfo(key: ObjectKey(trusted: $0.0), size: $0.1, tag: ContentTag("t"), modified: 0) },
      topic: .logs, layout: layout)
  }

  private func lane(opening: Bool = true, _ entries: [(Int, Int)]) -> LaneListing.Lane {
    LaneListing.Lane(
      id: lane, hasOpening: opening, entries: entries.map { LaneListing.Entry(sequence: $0.0, size: $0.1) })
  }

  @Test("keys are written and read the same way")
  func keys() {
    let key = layout.key(.logs, SegmentID(lane: lane, sequence: 42))
    #expect(key.text == "queue/logs/000000000000000000000000000000ab/00000000000000000042.parquet")
    #expect(layout.segment(.logs, key) == SegmentID(lane: lane, sequence: 42))
    #expect(layout.segment(.spans, key) == nil)
    for bad in [
      "queue/logs/000000000000000000000000000000AB/00000000000000000042.parquet",
      "queue/logs/000000000000000000000000000000ab/42.parquet",
      "queue/logs/000000000000000000000000000000ab/99999999999999999999.parquet",
      "queue/logs/000000000000000000000000000000ab/00000000000000000042.parquet.tmp",
      "queue/logs/x/000000000000000000000000000000ab/00000000000000000042.parquet",
    ] {
      #expect(layout.segment(.logs, ObjectKey(trusted: bad)) == nil, "\(bad)")
    }
  }

  @Test("a listing tells openings, segments, tombstones and strangers apart")
  func listed() {
    let found = listing([
      ("queue/logs/000000000000000000000000000000ab/00000000000000000000.parquet", 0),
      ("queue/logs/000000000000000000000000000000ab/00000000000000000001.parquet", 500),
      ("queue/logs/000000000000000000000000000000ab/00000000000000000002.parquet", 16),
      ("queue/logs/000000000000000000000000000000ac/00000000000000000005.parquet", 500),
      ("queue/logs/readme.txt", 1),
    ])
    #expect(found.lanes.map(\.id.low) == [0xAB, 0xAC])
    #expect(found.lanes.map(\.hasOpening) == [true, false])
    #expect(found.lanes[0].entries.map(\.isTombstone) == [false, true])
    #expect(found.strangers.map(\.text) == ["queue/logs/readme.txt"])
    #expect(found.lane(LaneID(high: 0, low: 0xAC))?.entry(at: 5)?.size == 500)
    #expect(found.lane(LaneID(high: 0, low: 0xAC))?.entry(at: 4) == nil)
    #expect(found.lane(LaneID(high: 0, low: 1)) == nil)
  }

  @Test("a lane unknown to the state counts from its opening, one without opening not at all")
  func unknownLane() throws {
    let run = try #require(LaneRun(lane([(1, 500), (2, 500)]), position: nil))
    #expect(run.start == 1)
    #expect(run.segments.map(\.sequence) == [1, 2])
    #expect(run.end == nil)
    #expect(run.next == 3)
    #expect(LaneRun(lane(opening: false, [(1, 500)]), position: nil) == nil)
    #expect(try #require(LaneRun(lane([]), position: nil)).next == 1)
  }

  @Test("a known lane counts from its position on, an ended one not at all")
  func knownLane() throws {
    let run = try #require(LaneRun(lane(opening: false, [(1, 500), (2, 500), (3, 16)]), position: .next(2)))
    #expect(run.segments.map(\.sequence) == [2])
    #expect(run.end == 3)
    #expect(run.next == 3)
    #expect(LaneRun(lane([(1, 500)]), position: .ended(4)) == nil)
  }

  @Test("a hole below a standing object is told, and what stands behind a tombstone is nothing")
  func holes() throws {
    let run = try #require(LaneRun(lane([(2, 500), (5, 16), (6, 500)]), position: nil))
    #expect(run.segments.map(\.sequence) == [2])
    #expect(run.missing == [1..<2, 3..<5])
    #expect(run.end == 5)
  }

  @Test("of copies that are not committed the first is taken, committed ones are dropped")
  func repeats() {
    let a = Fingerprint(high: 0, low: 1)
    let b = Fingerprint(high: 0, low: 2)
    let c = Fingerprint(high: 0, low: 3)
    func segment(_ fingerprints: [Fingerprint?]) -> SegmentMetadata {
      SegmentMetadata(
        contentID: ContentID(high: 0, low: 0), topic: .logs, rowGroups: [],
        requests: fingerprints.map { .init(fingerprint: $0, shares: []) })
    }
    var filter = RepeatFilter(committed: [a])
    #expect(filter.dropped(of: segment([a, b, nil, b])) == [0, 3])
    #expect(filter.dropped(of: segment([nil, b, c]), excluding: [2]) == [1])
    #expect(filter.dropped(of: segment([c])) == [])
  }
}
