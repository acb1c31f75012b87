import LakeHash
import LakeJSON
package import LakeModel
package import LakeParquet
package import LakePorts
import LakeSchema

/// A segment whose footer has been read.
///
/// A class: queries pass hundreds of them on.
package final class OpenSegment: Sendable {
  package let id: SegmentID
  package let key: ObjectKey
  package let metadata: SegmentMetadata
  package let file: ParquetFile
  /// The whole object, when it was small enough to be fetched at once.
  package let bytes: Bytes?

  /// - Throws: `.damaged` or `.newerFormat`.
  package init(file: ParquetFile, id: SegmentID, key: ObjectKey, bytes: Bytes?) throws(WALError) {
    self.id = id
    self.key = key
    self.file = file
    self.bytes = bytes
    let metadata = try OpenSegment.metadata(of: file, key)
    self.metadata = metadata
    let rows = file.rowGroups.map(\.rowCount)
    guard rows == metadata.rowGroups.map(\.rowCount) else {
      throw .damaged(
        key, "row groups of \(rows) rows, and \(metadata.rowGroups.map(\.rowCount)) told by the footer entry")
    }
  }

  /// - Throws: `.damaged` or `.newerFormat`.
  package convenience init(whole bytes: Bytes, id: SegmentID, key: ObjectKey) throws(WALError) {
    let file: ParquetFile
    do throws(ParquetError) {
      file = try ParquetFile(bytes)
    } catch {
      throw .damaged(key, "\(error)")
    }
    try self.init(file: file, id: id, key: key, bytes: bytes)
  }
}

extension OpenSegment {
  /// About what it takes in memory; what a cache counts.
  var memoryBytes: Int {
    (bytes?.count ?? 0) + 4096 + file.rowGroups.count * file.leaves.count * 256 + metadata.requests.count * 64
  }

  private static func metadata(of file: ParquetFile, _ key: ObjectKey) throws(WALError) -> SegmentMetadata {
    guard let format = file.value(forKey: SegmentMetadata.formatKey) else { throw .damaged(key, "not a segment") }
    guard format == SegmentMetadata.format else { throw .newerFormat(key, version: format) }
    guard let content = file.value(forKey: SegmentMetadata.contentKey),
      file.value(forKey: SegmentMetadata.checksumKey) == SegmentMetadata.checksum(of: content)
    else { throw .damaged(key, "checksum of the footer entry") }
    do throws(JSONError) {
      return try SegmentMetadata(json: content)
    } catch {
      throw .damaged(key, "\(error)")
    }
  }
}

extension SegmentMetadata {
  /// Footer entry with the checksum of `contentKey`; pages have their own.
  static let checksumKey = "icegate.segment.checksum"

  static func checksum(of content: String) -> String {
    var content = content
    return Hex.text(content.withUTF8 { XXHash.xxh64(UnsafeRawBufferPointer($0)) })
  }
}
