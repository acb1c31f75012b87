import LakeModel

/// Nanoseconds from `start` up to, not including, `end`. Signed: windows may begin before the epoch.
struct TimeRange: Hashable, Sendable {
  var start: Int64
  var end: Int64

  static let everything = TimeRange(start: .min, end: .max)

  var isEmpty: Bool { end <= start }

  /// `start < t <= end`, the windows of range aggregations.
  init(after start: Int64, through end: Int64) {
    self.init(start: start.addingSaturated(1), end: end.addingSaturated(1))
  }

  init(start: Int64, end: Int64) {
    self.start = start
    self.end = end
  }

  /// Whether every time between two microsecond values, both included, lies inside.
  func coversMicroseconds(_ low: Int64, _ high: Int64) -> Bool {
    start <= low.multipliedSaturated(by: 1000) && high.multipliedSaturated(by: 1000).addingSaturated(999) < end
  }

  /// Whether some time between two microsecond values may lie inside.
  func meetsMicroseconds(_ low: Int64, _ high: Int64) -> Bool {
    low.multipliedSaturated(by: 1000) < end && high.multipliedSaturated(by: 1000).addingSaturated(999) >= start
  }
}

extension Int64 {
  func addingSaturated(_ other: Int64) -> Int64 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? (other < 0 ? .min : .max) : sum
  }

  func subtractingSaturated(_ other: Int64) -> Int64 {
    let (difference, overflow) = subtractingReportingOverflow(other)
    return overflow ? (other > 0 ? .min : .max) : difference
  }

  func multipliedSaturated(by other: Int64) -> Int64 {
    let (product, overflow) = multipliedReportingOverflow(by: other)
    return overflow ? ((self < 0) != (other < 0) ? .min : .max) : product
  }

  /// Division rounding towards negative infinity. - Precondition: `other` is positive.
  func dividedDown(by other: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: other)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

extension Timestamp {
  /// Times after the year 2262 stand for its end.
  var signedNanoseconds: Int64 { Int64(clamping: nanoseconds) }
  init(signedNanoseconds: Int64) { self.init(nanoseconds: UInt64(clamping: signedNanoseconds)) }
}
