/// What the reader is willing to allocate for one file, whatever its bytes claim.
package struct ReadLimits: Sendable {
  package var footerBytesMax = 256 << 20
  /// One page, compressed or not.
  package var pageBytesMax = 512 << 20
  /// Values of one column chunk, absent ones included.
  package var chunkValuesMax = 1 << 28
  /// Decoded bytes of one column chunk.
  package var chunkBytesMax = 2 << 30
  /// Columns and groups of the schema, and how deep they nest.
  package var schemaElementsMax = 100_000
  package var schemaDepthMax = 64
  /// Verify page checksums where the file has them.
  package var verifiesChecksums = true

  package init() {}
}
