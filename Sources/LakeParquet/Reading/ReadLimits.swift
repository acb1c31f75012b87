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

  /// What a file of any size may be decoded to, and what each of its bytes may add to that. Run lengths and compression
  /// have no bound of their own; what real files come to lies far below.
  private static let base = (page: 64 << 20, chunk: 256 << 20, values: 1 << 26)
  private static let expansion = (page: 4096, chunk: 4096, values: 1024)

  /// These limits, and none beyond what a file of `fileBytes` bytes may claim.
  func scaled(toFileBytes fileBytes: Int) -> ReadLimits {
    func limit(_ own: Int, _ base: Int, _ factor: Int) -> Int {
      let (bytes, overflow) = fileBytes.multipliedReportingOverflow(by: factor)
      return overflow || bytes > Int.max - base ? own : min(own, base + bytes)
    }
    var scaled = self
    scaled.pageBytesMax = limit(pageBytesMax, Self.base.page, Self.expansion.page)
    scaled.chunkBytesMax = limit(chunkBytesMax, Self.base.chunk, Self.expansion.chunk)
    scaled.chunkValuesMax = limit(chunkValuesMax, Self.base.values, Self.expansion.values)
    return scaled
  }
}
