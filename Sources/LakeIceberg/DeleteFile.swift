package import LakeSchema

/// A file that takes rows out of older data files.
package struct DeleteFile: Hashable, Sendable {
  package let file: DataFile
  package let sequenceNumber: Int64

  package init(file: DataFile, sequenceNumber: Int64) {
    self.file = file
    self.sequenceNumber = sequenceNumber
  }

  /// Columns of a position delete file that matter. Source: Iceberg table specification, "Position Delete Files".
  package static let positionSchema = Schema(
    id: 0,
    fields: [
      Field(pathFieldID, "file_path", .string, required: true), Field(positionFieldID, "pos", .long, required: true),
    ])
  package static let pathFieldID = 2_147_483_546
  package static let positionFieldID = 2_147_483_545

  /// The columns to read of the file: path and position, or the columns that must be equal.
  ///
  /// Equality columns that the table dropped since are still compared.
  /// - Throws: `.malformed` when a column is in no schema of the table or is not primitive.
  package func schema(in table: TableMetadata) throws(IcebergError) -> Schema {
    if file.content == .positionDeletes { return DeleteFile.positionSchema }
    var fields: [Field] = []
    for id in file.equalityIDs.sorted() {
      guard var field = table.sourceField(id: id), field.type.isPrimitive else {
        throw .malformed("\(file.path): no primitive column \(id) in the table")
      }
      field.isRequired = false
      fields.append(field)
    }
    guard !fields.isEmpty else { throw .malformed("\(file.path): equality deletes without columns") }
    return Schema(id: 0, fields: fields)
  }
}

/// Finds the delete files of a data file. Source: Iceberg table specification, "Scan Planning", scope rules.
package struct DeleteIndex: Sendable {
  private struct Partition: Hashable {
    let specID: Int
    let values: [Datum?]
  }

  private var positionsByPath: [String: [DeleteFile]] = [:]
  private var positionsByPartition: [Partition: [DeleteFile]] = [:]
  private var equalityByPartition: [Partition: [DeleteFile]] = [:]
  private var equalityEverywhere: [DeleteFile] = []

  package init(_ deletes: [DeleteFile]) {
    for delete in deletes {
      let partition = Partition(specID: delete.file.specID, values: delete.file.partition)
      if delete.file.content == .positionDeletes {
        if let path = delete.onlyPath {
          positionsByPath[path, default: []].append(delete)
        } else {
          positionsByPartition[partition, default: []].append(delete)
        }
      } else if delete.file.partition.isEmpty {
        equalityEverywhere.append(delete)
      } else {
        equalityByPartition[partition, default: []].append(delete)
      }
    }
  }

  package var isEmpty: Bool {
    positionsByPath.isEmpty && positionsByPartition.isEmpty && equalityByPartition.isEmpty
      && equalityEverywhere.isEmpty
  }

  /// The delete files that apply to a data file, in the order of their sequence numbers.
  package func deletes(for scan: ScanFile) -> [DeleteFile] { deletes(for: scan.file, scan.sequenceNumber) }

  func deletes(for file: DataFile, _ sequenceNumber: Int64) -> [DeleteFile] {
    let partition = Partition(specID: file.specID, values: file.partition)
    // A position delete may come with the very commit that added the file; an equality delete never means its own commit.
    let byPath = (positionsByPath[file.path] ?? []).filter {
      $0.sequenceNumber >= sequenceNumber && $0.file.specID == file.specID && $0.file.partition == file.partition
    }
    let byPosition = (positionsByPartition[partition] ?? []).filter {
      $0.sequenceNumber >= sequenceNumber && $0.mayName(file.path)
    }
    let byValue = ((equalityByPartition[partition] ?? []) + equalityEverywhere).filter {
      $0.sequenceNumber > sequenceNumber
    }
    return (byPath + byPosition + byValue).sorted {
      ($0.sequenceNumber, $0.file.path) < ($1.sequenceNumber, $1.file.path)
    }
  }
}

extension DeleteFile {
  /// The one data file that all positions are of, when the manifest says so.
  fileprivate var onlyPath: String? { file.referencedDataFile }

  /// Whether the bounds of the path column leave room for this path.
  fileprivate func mayName(_ path: String) -> Bool {
    let path = Array(path.utf8)
    if let lower = file.metrics.lowerBounds[Self.pathFieldID], path.lexicographicallyPrecedes(lower) { return false }
    if let upper = file.metrics.upperBounds[Self.pathFieldID], upper.lexicographicallyPrecedes(path) { return false }
    return true
  }
}
