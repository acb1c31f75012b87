import LakeCompression
import LakeJSON
package import LakeModel
package import LakeSchema

/// `metadata.json`, plain or gzip.
package enum TableMetadataCodec {
  /// A larger metadata file is refused.
  package static let bytesMax = 512 << 20

  /// - Parameter gzip: for locations named `*.gz.metadata.json`.
  /// - Precondition: format version 2.
  package static func encode(_ table: TableMetadata, gzip: Bool = false) -> Bytes {
    var json = JSONWriter(capacity: 16 << 10)
    table.write(to: &json)
    let plain = json.finish()
    guard gzip else { return plain }
    do { return try ContentEncoding.gzip.encode(plain) } catch { preconditionFailure("gzip: \(error)") }
  }

  /// Reads format versions 1 and 2; gzip is recognised by its first bytes. Unknown members are passed over.
  /// - Throws: `.unsupported` for format version 3 and up.
  package static func decode(_ bytes: Bytes) throws(IcebergError) -> TableMetadata {
    var plain = bytes
    if bytes.count >= 2, bytes[0] == 0x1F, bytes[1] == 0x8B {
      do { plain = try ContentEncoding.gzip.decode(bytes, limit: bytesMax) } catch {
        throw .malformed("table metadata: \(error)")
      }
    }
    return try TableMetadata(json: JSONReader(try JSONDocument.parse(plain).root, path: "metadata"))
  }
}
