import Glibc
import LakeLogQL

/// Arithmetic and comparison of two samples.
struct BinaryOperator {
  let operation: LogQL.BinaryOperation.Operation
  let returnsBool: Bool

  init(_ expression: LogQL.BinaryOperation) {
    operation = expression.operation
    returnsBool = expression.returnsBool
  }

  /// - Parameter kept: the sample that a comparison without `bool` lets through.
  /// - Returns: nil when a comparison without `bool` does not hold.
  func apply(_ a: Double, _ b: Double, kept: Double) -> Double? {
    switch operation {
    case .add: return a + b
    case .subtract: return a - b
    case .multiply: return a * b
    case .divide: return b == 0 ? .nan : a / b
    case .modulo: return b == 0 ? .nan : a.truncatingRemainder(dividingBy: b)
    case .power: return pow(a, b)
    case .equal: return compared(a == b, kept)
    case .notEqual: return compared(a != b, kept)
    case .greater: return compared(a > b, kept)
    case .greaterOrEqual: return compared(a >= b, kept)
    case .less: return compared(a < b, kept)
    case .lessOrEqual: return compared(a <= b, kept)
    case .or, .and, .unless: preconditionFailure("set operators combine vectors")
    }
  }

  private func compared(_ holds: Bool, _ kept: Double) -> Double? {
    if returnsBool { return holds ? 1 : 0 }
    return holds ? kept : nil
  }
}
