package import LakeModel
package import LakeSchema

/// Rows of the logs table -> ExportLogsServiceRequest: the decoder's inverse up to the normal form of README.md.
package enum LogsEncoder {
  /// Rows in any order, also read back from a table; equal resources and scopes are grouped in order of first sight.
  /// - Throws: `.malformed` when `resource`, `scope` or `otlp_extra` do not hold what the decoder writes.
  package static func encode(_ batch: ColumnBatch, encoding: OTLPEncoding) throws(OTLPError) -> Bytes {
    preconditionFailure("landing next")
  }
}
