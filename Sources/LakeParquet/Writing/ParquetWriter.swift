package import LakeModel
package import LakeSchema

/// Writes one Parquet file, a row group per batch. Output appears as pieces to be appended in order.
///
/// Leaf paths are the schema's names joined by dots; lists are `NAME.list.element`, maps `NAME.key_value.key` and
/// `NAME.key_value.value`. Columns without a layout get a dictionary while it stays small.
package struct ParquetWriter: Sendable {
  package let schema: Schema
  package let options: ParquetWriterOptions

  /// - Throws: `.unsupported` when the schema has no columns, an empty struct, or nests deeper than levels can tell.
  package init(
    schema: Schema, layouts: [ColumnLayout] = [], options: ParquetWriterOptions = .init()
  ) throws(ParquetError) {
    preconditionFailure("not yet")
  }

  /// Bytes of the file so far, taken or not.
  package var bytesWritten: Int { preconditionFailure("not yet") }

  /// Adds an entry to the footer, at any time before `finish`. Keys may repeat; readers take the last.
  package mutating func addKeyValue(_ key: String, _ value: String) { preconditionFailure("not yet") }

  /// Encodes the batch, whose schema is the writer's, as one row group.
  /// - Throws: `.malformed` when a required column has absent values or a column has another layout than its type;
  ///   `.limitExceeded` when a page would pass 2 GiB. After an error the writer is of no further use.
  package mutating func writeRowGroup(_ batch: ColumnBatch) throws(ParquetError) { preconditionFailure("not yet") }

  /// The bytes that were added since the last call, in order.
  package mutating func takeOutput() -> [Bytes] { preconditionFailure("not yet") }

  /// Writes page index and footer; the last pieces wait in `takeOutput`.
  package mutating func finish() throws(ParquetError) -> ParquetFileSummary { preconditionFailure("not yet") }
}

extension ParquetWriter {
  /// A whole file in memory.
  package static func encode(
    _ batches: [ColumnBatch], schema: Schema, layouts: [ColumnLayout] = [], options: ParquetWriterOptions = .init()
  ) throws(ParquetError) -> (file: Bytes, summary: ParquetFileSummary) {
    preconditionFailure("not yet")
  }
}
