/// One value of a primitive column: in partition tuples, bounds and predicates.
///
/// Dates are `.int`; times and timestamps `.long` (microseconds); uuid and fixed `.binary`. Equality and hashing go by
/// bytes (text is not normalised), zeros of either sign are equal only as text of the type they have.
package enum Datum: Sendable {
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  /// Unscaled.
  case decimal(Int128)
  case string(String)
  case binary([UInt8])
}

extension Datum: Hashable {
  package static func == (a: Datum, b: Datum) -> Bool {
    switch (a, b) {
    case (.boolean(let a), .boolean(let b)): a == b
    case (.int(let a), .int(let b)): a == b
    case (.long(let a), .long(let b)): a == b
    case (.float(let a), .float(let b)): a.bitPattern == b.bitPattern
    case (.double(let a), .double(let b)): a.bitPattern == b.bitPattern
    case (.decimal(let a), .decimal(let b)): a == b
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    case (.binary(let a), .binary(let b)): a == b
    default: false
    }
  }

  package func hash(into hasher: inout Hasher) {
    switch self {
    case .boolean(let value): hasher.combine(value)
    case .int(let value): hasher.combine(value)
    case .long(let value): hasher.combine(value)
    case .float(let value): hasher.combine(value.bitPattern)
    case .double(let value): hasher.combine(value.bitPattern)
    case .decimal(let value): hasher.combine(value)
    case .string(let value): for byte in value.utf8 { hasher.combine(byte) }
    case .binary(let value): hasher.combine(value)
    }
  }
}

extension Datum {
  /// -1, 0, 1 in Iceberg's order (numbers by value, text and bytes unsigned, false first); nil for values of different
  /// kinds and for NaN. Ints compare with longs and floats with doubles, as after a type promotion.
  package func compare(to other: Datum) -> Int? {
    func order<Value: Comparable>(_ a: Value, _ b: Value) -> Int { a < b ? -1 : (a == b ? 0 : 1) }
    func order(_ a: Double, _ b: Double) -> Int? { a.isNaN || b.isNaN ? nil : (a < b ? -1 : (a == b ? 0 : 1)) }
    func order(_ a: some Sequence<UInt8>, _ b: some Sequence<UInt8>) -> Int {
      a.lexicographicallyPrecedes(b) ? -1 : (b.lexicographicallyPrecedes(a) ? 1 : 0)
    }
    switch (self, other) {
    case (.boolean(let a), .boolean(let b)): return order(a ? 1 : 0, b ? 1 : 0)
    case (.int(let a), .int(let b)): return order(a, b)
    case (.int(let a), .long(let b)): return order(Int64(a), b)
    case (.long(let a), .int(let b)): return order(a, Int64(b))
    case (.long(let a), .long(let b)): return order(a, b)
    case (.float(let a), .float(let b)): return order(Double(a), Double(b))
    case (.float(let a), .double(let b)): return order(Double(a), b)
    case (.double(let a), .float(let b)): return order(a, Double(b))
    case (.double(let a), .double(let b)): return order(a, b)
    case (.decimal(let a), .decimal(let b)): return order(a, b)
    case (.string(let a), .string(let b)): return order(a.utf8, b.utf8)
    case (.binary(let a), .binary(let b)): return order(a, b)
    default: return nil
    }
  }
}
