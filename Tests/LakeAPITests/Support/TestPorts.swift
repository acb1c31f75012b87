import Foundation
import LakeModel
import LakePorts

/// Ports over memory, with a clock that has patience and chance from a seed.
enum TestPorts {
  static func make(now: Timestamp = Timestamp(nanoseconds: 1_768_473_600_000_000_000), seed: UInt64 = 1) -> Ports {
    let wall = FixedWallClock(now: now)
    let random = SeededRandomness(seed: seed)
    return Ports(
      clock: PatientClock(), wall: wall, random: random, store: MemoryObjectStore(wall: wall),
      catalog: MemoryCatalog(warehouse: WarehouseLocation(trusted: "memory://lake"), random: random, wall: wall))
  }
}

struct FixedWallClock: WallClock {
  var now: Timestamp
}

/// The machine's clock, but of a stretch in which nobody in the process asked for the time only `stepMax` counts.
///
/// Suites of simulations take every thread of the test process for seconds on end. A deadline of the code under test shall pass
/// because that code was slow while it ran, not because it did not get to run.
final class PatientClock: LakeClock, @unchecked Sendable {  // guarded by the lock
  private static let stepMax: Duration = .milliseconds(5)
  private let lock = NSLock()
  private var machine = DispatchTime.now().uptimeNanoseconds
  private var elapsed: Duration = .zero

  var now: ClockInstant {
    lock.withLock {
      let machineNow = DispatchTime.now().uptimeNanoseconds
      elapsed += min(.nanoseconds(Int64(machineNow - machine)), Self.stepMax)
      machine = machineNow
      return ClockInstant(nanoseconds: 0).advanced(by: elapsed)
    }
  }

  func sleep(until deadline: ClockInstant) async throws {
    while true {
      let left = now.duration(to: deadline)
      guard left > .zero else { return }
      try await Task.sleep(for: min(left, Self.stepMax))
    }
  }
}

final class SeededRandomness: Randomness, @unchecked Sendable {  // guarded by the lock
  private let lock = NSLock()
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  func next() -> UInt64 {
    lock.withLock {
      state &+= 0x9E37_79B9_7F4A_7C15
      var z = state
      z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
      z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
      return z ^ (z >> 31)
    }
  }
}
