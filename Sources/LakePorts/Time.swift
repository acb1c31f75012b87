package import LakeModel

/// A point on one life's own clock: nanoseconds since an origin that means nothing elsewhere (CLK-1).
package struct ClockInstant: Hashable, Comparable, Sendable {
  package let nanoseconds: Int64
  package init(nanoseconds: Int64) { self.nanoseconds = nanoseconds }

  package func advanced(by duration: Duration) -> ClockInstant {
    ClockInstant(nanoseconds: nanoseconds.addingReportingOverflow(duration.nanoseconds).partialValue)
  }
  package func duration(to other: ClockInstant) -> Duration { .nanoseconds(other.nanoseconds - nanoseconds) }
  package static func < (a: ClockInstant, b: ClockInstant) -> Bool { a.nanoseconds < b.nanoseconds }
}

/// Elapsed time and waiting. Pauses of the process count (CLK-1). Named apart from the standard library's `Clock`.
package protocol LakeClock: Sendable {
  var now: ClockInstant { get }
  /// - Throws: `CancellationError` when the task is cancelled first.
  func sleep(until deadline: ClockInstant) async throws
}

extension LakeClock {
  package func sleep(for duration: Duration) async throws { try await sleep(until: now.advanced(by: duration)) }
}

/// The time of day, for values in rows and snapshots only (CLK-1).
package protocol WallClock: Sendable {
  var now: Timestamp { get }
}

/// Chance: ids, jitter.
package protocol Randomness: Sendable {
  func next() -> UInt64
}

extension Randomness {
  package func laneID() -> LaneID { LaneID(high: next(), low: next()) }

  /// A version 4 UUID, lower case.
  package func uuid() -> String {
    let high = (next() & 0xFFFF_FFFF_FFFF_0FFF) | 0x0000_0000_0000_4000
    let low = (next() & 0x3FFF_FFFF_FFFF_FFFF) | 0x8000_0000_0000_0000
    let a = Hex.text(high)
    let b = Hex.text(low)
    return "\(a.prefix(8))-\(a.dropFirst(8).prefix(4))-\(a.suffix(4))-\(b.prefix(4))-\(b.suffix(12))"
  }

  /// Uniform in the range.
  package func uniform(_ range: Range<Int>) -> Int {
    precondition(!range.isEmpty)
    let width = UInt64(range.count)
    return range.lowerBound + Int(next().multipliedFullWidth(by: width).high)
  }
}
