import LakeModel

// The footer's structures as Thrift has them, before anything is checked against anything.
// Source: Apache Parquet, parquet.thrift. Field numbers are in RawFooter+Thrift.swift.

struct RawFooter: Sendable {
  var version = 2
  var schema: [SchemaElement] = []
  var rowCount = 0
  var rowGroups: [RawRowGroup] = []
  var keyValues: [(key: String, value: String)] = []
  var createdBy: String?
  /// One per leaf; true: the order that the type defines. Empty when the file has none.
  var columnOrders: [Bool] = []
  var isEncrypted = false
}

enum Repetition: Int32, Sendable { case required = 0, optional, repeated }

struct SchemaElement: Sendable, Equatable {
  var type: PhysicalType?
  var typeLength = 0
  var repetition: Repetition?
  var name = ""
  var childCount: Int?
  var convertedType: ConvertedType?
  var scale = 0
  var precision = 0
  var fieldID: Int?
  var logicalType: LogicalType?
}

enum ConvertedType: Int32, Sendable {
  case utf8 = 0, map, mapKeyValue, list, `enum`, decimal, date, timeMillis, timeMicros, timestampMillis
  case timestampMicros, uint8, uint16, uint32, uint64, int8, int16, int32, int64, json, bson, interval
}

struct RawRowGroup: Sendable {
  var columns: [RawColumnChunk] = []
  var totalBytes = 0
  var rowCount = 0
  var sortingColumns: [(column: Int, isDescending: Bool, nullsFirst: Bool)] = []
  var fileOffset: Int?
  var compressedBytes: Int?
  var ordinal: Int?
}

struct RawColumnChunk: Sendable {
  var filePath: String?
  var fileOffset = 0
  var metadata: RawColumnMetadata?
  var offsetIndexOffset: Int?
  var offsetIndexLength: Int?
  var columnIndexOffset: Int?
  var columnIndexLength: Int?
  var isEncrypted = false
}

struct RawColumnMetadata: Sendable {
  var type: PhysicalType = .boolean
  var encodings: [Int] = []
  var path: [String] = []
  var codec = 0
  var valueCount = 0
  var uncompressedBytes = 0
  var compressedBytes = 0
  var dataPageOffset = 0
  var dictionaryPageOffset: Int?
  var statistics: RawStatistics?
  var encodingStatistics: [(pageType: Int, encoding: Int, count: Int)] = []
  var bloomFilterOffset: Int?
  var bloomFilterLength: Int?
  var sizeStatistics: SizeStatistics?
}

struct RawStatistics: Sendable, Equatable {
  /// Deprecated bounds, in signed order whatever the type.
  var oldMax: Bytes?
  var oldMin: Bytes?
  var nullCount: Int?
  var distinctCount: Int?
  var max: Bytes?
  var min: Bytes?
  var isMaxExact: Bool?
  var isMinExact: Bool?
}

struct SizeStatistics: Sendable, Equatable {
  /// Bytes of text and binary values, lengths not counted.
  var unencodedBytes: Int?
  var repetitionHistogram: [Int] = []
  var definitionHistogram: [Int] = []
}
