package import LakeModel

/// The objects of a lane that hold no rows. Source: README.md, "Naming and gaps".
package enum LaneMark {
  /// The opening, at sequence 0: empty (WAL-1).
  package static let opening = Bytes()

  /// The tombstone, at the sequence after the last segment: these 16 bytes. No segment is so small, so that a listing
  /// alone tells one from the other (WAL-6).
  package static let tombstone = Bytes("icegate-lane-end")

  package static func isTombstone(size: Int) -> Bool { size == tombstone.count }
}
