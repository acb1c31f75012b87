import LakeCompression
package import LakeModel
package import LakeSchema

/// The footer of a Parquet file: what it holds and where. Reads nothing itself: the caller fetches byte ranges.
package struct ParquetFile: Sendable {
  /// The columns as Iceberg types. Ids are the file's; columns without one get ids below zero.
  package let schema: Schema
  /// True when some column has a field id: then names say nothing.
  package let hasFieldIDs: Bool
  package let rowCount: Int
  package let rowGroups: [RowGroup]
  package let leaves: [Leaf]
  package let keyValueMetadata: [(key: String, value: String)]
  package let createdBy: String?
  package let fileBytes: Int
  package let limits: ReadLimits
  let nodes: [SchemaNode]
  let textIndexes: TextIndexDirectory

  /// Bytes before the footer's own: its length and the magic.
  static let trailerBytes = 8

  /// Where the footer lies, told from the last bytes (at least 8) of a file of `fileBytes` bytes.
  package static func footerRange(
    tail: Bytes, fileBytes: Int, limits: ReadLimits = .init()
  ) throws(ParquetError) -> Range<Int> {
    guard tail.count >= trailerBytes, fileBytes >= tail.count, fileBytes >= trailerBytes + 4 else {
      throw .truncated("file", needed: trailerBytes + 4, found: fileBytes)
    }
    let magic = tail[tail.count - 4..<tail.count].array
    if magic == Array("PARE".utf8) { throw .encrypted }
    guard magic == ParquetWriter.magic else { throw .notParquet }
    let length = tail.withUnsafeBytes {
      Int(UInt32(littleEndian: $0.loadUnaligned(fromByteOffset: tail.count - 8, as: UInt32.self)))
    }
    guard length <= limits.footerBytesMax else {
      throw .limitExceeded("bytes of the footer", limit: limits.footerBytesMax, found: length)
    }
    guard length <= fileBytes - trailerBytes - 4 else {
      throw .truncated("footer", needed: length, found: fileBytes - trailerBytes - 4)
    }
    return fileBytes - trailerBytes - length..<fileBytes - trailerBytes
  }

  /// Parses the footer out of the last bytes of the file.
  /// - Throws: `.bytesMissing` with the range from the footer to the file's end when `tail` does not hold all of it:
  ///   fetch that and try again.
  package init(tail: Bytes, fileBytes: Int, limits: ReadLimits = .init()) throws(ParquetError) {
    let range = try Self.footerRange(tail: tail, fileBytes: fileBytes, limits: limits)
    let tailStart = fileBytes - tail.count
    guard range.lowerBound >= tailStart else { throw .bytesMissing(range.lowerBound..<fileBytes) }
    let footer = tail[range.lowerBound - tailStart..<range.upperBound - tailStart]
    try self.init(RawFooter(decoding: footer, limits: limits), dataEnd: range.lowerBound, fileBytes, limits)
  }

  /// Parses the footer of a file that is wholly in memory.
  package init(_ file: Bytes, limits: ReadLimits = .init()) throws(ParquetError) {
    try self.init(tail: file, fileBytes: file.count, limits: limits)
  }

  private init(_ raw: RawFooter, dataEnd: Int, _ fileBytes: Int, _ limits: ReadLimits) throws(ParquetError) {
    if raw.isEncrypted { throw .encrypted }
    let tree = try FileSchema(raw.schema, limits: limits)
    nodes = tree.nodes
    leaves = tree.leaves
    hasFieldIDs = tree.hasFieldIDs
    schema = Schema(id: 0, fields: tree.nodes.map(\.field))
    keyValueMetadata = raw.keyValues
    createdBy = raw.createdBy
    self.fileBytes = fileBytes
    self.limits = limits.scaled(toFileBytes: fileBytes)
    var groups: [RowGroup] = []
    var rows = 0
    for (index, group) in raw.rowGroups.enumerated() {
      let orders = raw.columnOrders
      groups.append(
        try RowGroup(group, index: index, firstRow: rows, leaves: tree.leaves, columnOrders: orders, dataEnd: dataEnd))
      let (sum, overflow) = rows.addingReportingOverflow(group.rowCount)
      guard !overflow else { throw .malformed("more rows than can be counted") }
      rows = sum
    }
    // Some writers leave the file's number at 0.
    guard rows == raw.rowCount || raw.rowCount == 0 else {
      throw .malformed("\(rows) rows in row groups, \(raw.rowCount) in the file")
    }
    rowGroups = groups
    rowCount = rows
    textIndexes = TextIndexDirectory(
      raw.keyValues.last { $0.key == TextIndexFormat.key }?.value, leafCount: leaves.count, rowGroupCount: groups.count,
      dataEnd: dataEnd)
  }

  /// The last footer entry with this key.
  package func value(forKey key: String) -> String? { keyValueMetadata.last { $0.key == key }?.value }

  /// The leaf with this field id.
  package func leaf(fieldID: Int) -> Leaf? { leaves.first { $0.fieldID == fieldID } }

  /// The leaf with this dotted path in the file.
  package func leaf(path: String) -> Leaf? { leaves.first { $0.pathText == path } }
}

/// A leaf column of the file.
package struct Leaf: Sendable {
  /// Its position among the leaves, and in `RowGroup.chunks`.
  package let index: Int
  package let path: [String]
  package let fieldID: Int?
  /// What its values are read as.
  package let type: FieldType
  package let physicalType: PhysicalType
  package let logicalType: LogicalType?
  /// Bytes of a fixed-length value.
  let typeLength: Int
  package let maxDefinition: Int
  package let maxRepetition: Int

  package var pathText: String { path.joined(separator: ".") }
}
