package import LakeModel
package import LakeSchema

/// The footer of a Parquet file: what it holds and where. Reads nothing itself: the caller fetches byte ranges.
package struct ParquetFile: Sendable {
  /// The columns as Iceberg types. Ids are the file's; columns without one get ids below zero.
  package let schema: Schema
  /// True when every column has a field id: then names say nothing.
  package let hasFieldIDs: Bool
  package let rowCount: Int
  package let rowGroups: [RowGroup]
  package let leaves: [Leaf]
  package let keyValueMetadata: [(key: String, value: String)]
  package let createdBy: String?
  package let fileBytes: Int
  package let limits: ReadLimits

  /// Where the footer lies, told from the last bytes (at least 8) of a file of `fileBytes` bytes.
  package static func footerRange(
    tail: Bytes, fileBytes: Int, limits: ReadLimits = .init()
  ) throws(ParquetError) -> Range<Int> { preconditionFailure("not yet") }

  /// Parses the footer out of the last bytes of the file.
  /// - Throws: `.bytesMissing` with the footer's range when `tail` does not hold all of it: fetch from there and try again.
  package init(tail: Bytes, fileBytes: Int, limits: ReadLimits = .init()) throws(ParquetError) {
    preconditionFailure("not yet")
  }

  /// Parses the footer of a file that is wholly in memory.
  package init(_ file: Bytes, limits: ReadLimits = .init()) throws(ParquetError) { preconditionFailure("not yet") }

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
