/// Trace and span ids.
enum IDs {
  static let traceBytes = 16
  static let spanBytes = 8

  /// Right length and not all zero.
  @inline(__always)
  static func isValid(_ id: RawBytes, count: Int) -> Bool {
    guard id.count == count else { return false }
    if count == traceBytes { return load64(id.start) | load64(id.start + 8) != 0 }
    return load64(id.start) != 0
  }
}
