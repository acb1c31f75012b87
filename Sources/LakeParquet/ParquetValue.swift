package import LakeModel

/// One value of a leaf column as its field type has it: times in microseconds, decimals as big-endian two's complement
/// of the width that `Column` uses.
package enum ParquetValue: Hashable, Sendable {
  case boolean(Bool)
  case int(Int32)
  case long(Int64)
  case float(Float)
  case double(Double)
  /// Text, binary, fixed, uuid, decimal.
  case bytes(Bytes)
}
