package enum IcebergError: Error, Hashable, Sendable {
  /// Bytes that are not what they should be: where, and what is wrong.
  case malformed(String)
  /// Well formed, but beyond what this version reads: format version 3, an unknown codec.
  case unsupported(String)
  /// A predicate, file or commit that contradicts the table: our caller's mistake, or the table changed.
  case invalid(String)
  /// What a commit was planned on has changed in the table: plan anew.
  case conflict(String)
}
