import LakeModel
import LakePorts

/// A clock that stands still unless told otherwise.
struct TestClock: LakeClock {
  var now: ClockInstant { ClockInstant(nanoseconds: 0) }
  func sleep(until deadline: ClockInstant) async throws {}
}

struct TestWall: WallClock {
  var now: Timestamp { Timestamp(nanoseconds: 1_700_000_000_000_000_000) }
}

final class TestRandom: Randomness, @unchecked Sendable {
  private var seeded: Seeded
  init(_ seed: UInt64) { seeded = Seeded(seed) }
  func next() -> UInt64 { seeded.next() }
}
