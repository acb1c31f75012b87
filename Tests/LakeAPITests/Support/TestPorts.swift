import Foundation
import LakeModel
import LakePorts

/// Ports over memory, with the machine's clock and chance from a seed.
enum TestPorts {
  static func make(now: Timestamp = Timestamp(nanoseconds: 1_768_473_600_000_000_000), seed: UInt64 = 1) -> Ports {
    let wall = FixedWallClock(now: now)
    let random = SeededRandomness(seed: seed)
    return Ports(
      clock: MachineClock(), wall: wall, random: random, store: MemoryObjectStore(wall: wall),
      catalog: MemoryCatalog(warehouse: WarehouseLocation(trusted: "memory://lake"), random: random, wall: wall))
  }
}

struct FixedWallClock: WallClock {
  var now: Timestamp
}

struct MachineClock: LakeClock {
  var now: ClockInstant { ClockInstant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds)) }
  func sleep(until deadline: ClockInstant) async throws { try await Task.sleep(for: now.duration(to: deadline)) }
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
