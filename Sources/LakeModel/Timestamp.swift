/// An instant: nanoseconds since 1970-01-01T00:00:00Z, unsigned as OTLP has it (up to the year 2554).
package struct Timestamp: Hashable, Comparable, Sendable {
  package let nanoseconds: UInt64

  package init(nanoseconds: UInt64) { self.nanoseconds = nanoseconds }
  package init(microseconds: Int64, remainder: Int = 0) {
    nanoseconds = UInt64(max(0, microseconds)) &* 1000 &+ UInt64(remainder)
  }

  /// Whole microseconds, as the tables hold them.
  package var microseconds: Int64 { Int64(nanoseconds / 1000) }
  /// Days since the epoch.
  package var day: Int32 { Int32(nanoseconds / 86_400_000_000_000) }

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.nanoseconds < b.nanoseconds }
}

extension Duration {
  /// Whole nanoseconds, saturating.
  package var nanoseconds: Int64 {
    let (seconds, attoseconds) = components
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    if overflow { return seconds < 0 ? .min : .max }
    return product.addingReportingOverflow(attoseconds / 1_000_000_000).partialValue
  }
}
