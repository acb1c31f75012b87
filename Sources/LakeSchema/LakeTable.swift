/// A table of the lake: its schema, partitioning and order, written once.
///
/// Columns, names, types and nullability up to the marked line of each schema are the manual's (chapter "Data Model");
/// what follows is ours, nullable, so that OTLP can be given back unchanged. Field ids never change once released.
package struct LakeTable: Sendable {
  package let name: String
  /// The topic whose lanes feed the table.
  package let topic: String
  package let schema: Schema
  package let partitionSpec: PartitionSpec
  package let sortOrder: SortOrder
  package let layouts: [ColumnLayout]

  package static let namespace = "icegate"
  package static let all: [LakeTable] = [.logs, .spans, .events, .metrics]
}

extension LakeTable {
  /// The table with these columns only, for simulations in which the others would only cost time. Those that partition
  /// and order the rows must be among them.
  package func keeping(_ names: Set<String>) -> LakeTable {
    LakeTable(
      name: name, topic: topic, schema: Schema(id: schema.id, fields: schema.fields.filter { names.contains($0.name) }),
      partitionSpec: partitionSpec, sortOrder: sortOrder,
      layouts: layouts.filter { names.contains(String($0.path.prefix { $0 != "." })) })
  }

  /// What new tables are created with; an operator may change any of it.
  package var properties: [String: String] {
    [
      TableProperties.parquetCompression: "zstd",
      TableProperties.metadataDeleteAfterCommit: "true",
      TableProperties.metadataPreviousVersionsMax: "100",
      TableProperties.metricsModeDefault: "truncate(16)",
      TableProperties.metricsModeColumnPrefix + "body": "counts",
    ].filter { $0.key != TableProperties.metricsModeColumnPrefix + "body" || schema.index(of: "body") != nil }
  }
}

/// How the Parquet writer stores one leaf column, named by its dotted path (`attributes.key_value.key`).
package struct ColumnLayout: Hashable, Sendable {
  package enum Encoding: Hashable, Sendable {
    /// Dictionary while it stays small, else the fallback for the type.
    case dictionary
    case plain, deltaBinaryPacked, deltaLengthByteArray, deltaByteArray, byteStreamSplit
  }
  package var path: String
  package var encoding: Encoding
  /// For equality with a value.
  package var hasBloomFilter: Bool
  /// For substrings of text; see LakeParquet/README.md, "Text index".
  package var hasTextIndex: Bool

  package init(_ path: String, _ encoding: Encoding, bloom: Bool = false, text: Bool = false) {
    self.path = path
    self.encoding = encoding
    hasBloomFilter = bloom
    hasTextIndex = text
  }
}

extension LakeTable {
  /// tenant, account, day: the fields named by these source ids.
  static func tenantAccountDay(tenant: Int, account: Int, timestamp: Int) -> PartitionSpec {
    PartitionSpec(
      id: 0,
      fields: [
        PartitionField(sourceID: tenant, fieldID: 1000, name: "tenant_id", transform: .identity),
        PartitionField(sourceID: account, fieldID: 1001, name: "account_id", transform: .identity),
        PartitionField(sourceID: timestamp, fieldID: 1002, name: "timestamp_day", transform: .day),
      ])
  }

  static func ascending(_ id: Int) -> SortField {
    SortField(sourceID: id, direction: .ascending, nullOrder: .first)
  }

  static func descending(_ id: Int) -> SortField {
    SortField(sourceID: id, direction: .descending, nullOrder: .last)
  }

  /// `MAP(VARCHAR, VARCHAR)`; an absent value is an attribute whose AnyValue was empty.
  static func stringMap(key: Int, value: Int) -> FieldType {
    .map(keyID: key, key: .string, valueID: value, value: .string, valueRequired: false)
  }
}
