import LakeLogQL
import LakeModel

/// A label filter that reads its label as something other than text.
enum QuantityTest: Sendable {
  case number(LogQL.Comparison, Double)
  /// Nanoseconds.
  case duration(LogQL.Comparison, Int64)
  case bytes(LogQL.Comparison, UInt64)
  case ip(IPMatcher, isNegated: Bool)

  enum Outcome {
    case pass, fail
    /// The value could not be read; the row stays, marked with this message.
    case unreadable(String)
  }

  /// - Parameter text: the label's value, not empty; rows without the label fail.
  func outcome(_ text: UnsafeRawBufferPointer) -> Outcome {
    do throws(GoNumber.Failure) {
      switch self {
      case .number(let comparison, let value): return of(comparison, try GoNumber.float(text), value)
      case .duration(let comparison, let value): return of(comparison, try GoNumber.duration(text), value)
      case .bytes(let comparison, let value): return of(comparison, try GoNumber.bytes(text), value)
      case .ip(let matcher, let isNegated): return matcher.matchesAny(in: text) != isNegated ? .pass : .fail
      }
    } catch {
      return .unreadable(error.message)
    }
  }

  @inline(__always)
  private func of<T: Comparable>(_ comparison: LogQL.Comparison, _ a: T, _ b: T) -> Outcome {
    let holds =
      switch comparison {
      case .equal: a == b
      case .notEqual: a != b
      case .greater: a > b
      case .greaterOrEqual: a >= b
      case .less: a < b
      case .lessOrEqual: a <= b
      }
    return holds ? .pass : .fail
  }
}
