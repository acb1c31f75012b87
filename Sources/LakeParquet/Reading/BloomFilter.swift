package import LakeModel

/// A split-block Bloom filter over the xxHash of plain-encoded values.
package struct BloomFilter: Sendable {
  /// Parses header and bitset, fetched from `ColumnChunk.bloomFilterRange` (when the footer has no length, the range
  /// reaches as far as the filter may).
  package init(_ bytes: Bytes) throws(ParquetError) { preconditionFailure("not yet") }

  /// False: no value with this hash is in the column chunk.
  package func mightContain(_ hash: UInt64) -> Bool { preconditionFailure("not yet") }

  package func mightContain(_ bytes: UnsafeRawBufferPointer) -> Bool { mightContain(BloomFilter.hash(bytes)) }

  /// The hash of a text, binary, fixed or uuid value.
  package static func hash(_ bytes: UnsafeRawBufferPointer) -> UInt64 { preconditionFailure("not yet") }

  /// The hash of a value as `leaf` stores it; nil when its stored form cannot be told (then nothing is pruned).
  package static func hash(_ value: ParquetValue, leaf: Leaf) -> UInt64? { preconditionFailure("not yet") }
}
