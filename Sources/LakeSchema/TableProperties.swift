/// Names of the table properties that this program reads, and their defaults. Source: Iceberg documentation, "Table
/// properties".
package enum TableProperties {
  package static let formatVersion = "format-version"
  package static let metadataPath = "write.metadata.path"
  package static let dataPath = "write.data.path"
  package static let metadataCompression = "write.metadata.compression-codec"
  package static let metadataPreviousVersionsMax = "write.metadata.previous-versions-max"
  package static let metadataPreviousVersionsMaxDefault = 100
  package static let metadataDeleteAfterCommit = "write.metadata.delete-after-commit.enabled"
  package static let parquetCompression = "write.parquet.compression-codec"
  package static let parquetCompressionLevel = "write.parquet.compression-level"
  package static let parquetPageBytes = "write.parquet.page-size-bytes"
  package static let parquetPageRows = "write.parquet.page-row-limit"
  package static let parquetDictionaryBytes = "write.parquet.dict-size-bytes"
  package static let parquetBloomBytesMax = "write.parquet.bloom-filter-max-bytes"
  package static let parquetBloomColumnPrefix = "write.parquet.bloom-filter-enabled.column."
  package static let metricsModeDefault = "write.metadata.metrics.default"
  package static let metricsModeColumnPrefix = "write.metadata.metrics.column."
  package static let metricsInferredColumnsMax = "write.metadata.metrics.max-inferred-column-defaults"
  package static let metricsInferredColumnsMaxDefault = 100
  package static let manifestTargetSize = "commit.manifest.target-size-bytes"
  package static let manifestTargetSizeDefault = 8 * 1024 * 1024
  package static let manifestMinCountToMerge = "commit.manifest.min-count-to-merge"
  package static let manifestMinCountToMergeDefault = 100
  package static let manifestMergeEnabled = "commit.manifest-merge.enabled"
  package static let snapshotAgeMax = "history.expire.max-snapshot-age-ms"
  package static let snapshotAgeMaxDefault: Int64 = 5 * 24 * 3600 * 1000
  package static let snapshotsToKeepMin = "history.expire.min-snapshots-to-keep"
  package static let snapshotsToKeepMinDefault = 1
  package static let refAgeMax = "history.expire.max-ref-age-ms"
  /// `false`: files may belong to other tables too, and nothing is deleted.
  package static let garbageCollection = "gc.enabled"
  package static let nameMapping = "schema.name-mapping.default"
}

extension [String: String] {
  /// A whole number, or the default when absent or not one.
  package func number(_ name: String, default value: Int) -> Int { self[name].flatMap { Int($0) } ?? value }
  package func number(_ name: String, default value: Int64) -> Int64 { self[name].flatMap { Int64($0) } ?? value }

  /// `true` in any case; anything else is false.
  package func flag(_ name: String, default value: Bool) -> Bool {
    self[name].map { $0.lowercased() == "true" } ?? value
  }
}

extension TableMetadata {
  /// Where the table's metadata files, manifests and manifest lists go, without a trailing slash.
  package var metadataDirectory: String {
    TableMetadata.withoutTrailingSlash(properties[TableProperties.metadataPath] ?? location + "/metadata")
  }

  /// Where new data files go, without a trailing slash.
  package var dataDirectory: String {
    TableMetadata.withoutTrailingSlash(properties[TableProperties.dataPath] ?? location + "/data")
  }

  package static func withoutTrailingSlash(_ location: String) -> String {
    var text = Substring(location)
    while text.hasSuffix("/") && !text.hasSuffix("://") { text = text.dropLast() }
    return String(text)
  }
}
