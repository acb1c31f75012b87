import LakeLogQL
package import LakeModel
import LakeOTLP

/// Times as Loki's parameters give them: Unix seconds (up to ten digits, or with a fraction), Unix nanoseconds, RFC 3339.
package enum LokiTime {
  package struct Malformed: Error, Hashable, Sendable {
    /// Go's message.
    let message: String
  }

  package static func parse(_ text: String) -> Result<Timestamp, Malformed> {
    if text.contains("."), let seconds = FloatText.parse(text).value {
      return .success(timestamp(seconds))
    }
    switch integer(text, function: "ParseInt") {
    case .success(let number):
      let scale: Int64 = text.utf8.count <= 10 ? 1_000_000_000 : 1
      return .success(clamped(Int128(number) * Int128(scale)))
    case .failure(let problem):
      return RFC3339.parse(text).map { .success(clamped($0)) } ?? .failure(problem)
    }
  }

  /// Fractions count to the millisecond.
  private static func timestamp(_ seconds: Double) -> Timestamp {
    guard seconds.isFinite, abs(seconds) < 1e11 else {
      return Timestamp(nanoseconds: seconds > 0 ? UInt64(Int64.max) : 0)
    }
    let whole = seconds.rounded(.towardZero)
    let milliseconds = ((seconds - whole) * 1000).rounded(.toNearestOrAwayFromZero)
    return clamped(Int128(whole) * 1_000_000_000 + Int128(milliseconds) * 1_000_000)
  }

  /// Times before 1970 hold no rows, nor do those that 64 bits cannot count.
  private static func clamped(_ nanoseconds: Int128) -> Timestamp {
    Timestamp(nanoseconds: UInt64(clamping: nanoseconds))
  }

  /// A decimal number of 64 bits; the message names Go's function.
  static func integer(_ text: String, function: String) -> Result<Int64, Malformed> {
    if let value = Int64(text) { return .success(value) }
    let digits = text.utf8.dropFirst(text.hasPrefix("-") || text.hasPrefix("+") ? 1 : 0)
    let isNumber = !digits.isEmpty && digits.allSatisfy { (48...57).contains($0) }
    let problem = isNumber ? "value out of range" : "invalid syntax"
    return .failure(Malformed(message: "strconv.\(function): parsing \(GoString.quote(text)): \(problem)"))
  }
}
