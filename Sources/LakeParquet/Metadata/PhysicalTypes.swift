/// How values lie in pages. Raw values are the format's.
package enum PhysicalType: Int32, Sendable, Hashable {
  case boolean = 0, int32, int64, int96, float, double, byteArray, fixedLengthByteArray
}

/// How a page's values are encoded. Raw values are the format's.
package enum Encoding: Int32, Sendable, Hashable {
  case plain = 0, plainDictionary = 2, rle = 3, bitPacked = 4, deltaBinaryPacked = 5, deltaLengthByteArray = 6
  case deltaByteArray = 7, rleDictionary = 8, byteStreamSplit = 9
}

/// What the values mean.
package enum LogicalType: Sendable, Hashable {
  package enum Unit: Sendable, Hashable { case millis, micros, nanos }
  case string, map, list, `enum`, date, unknown, json, bson, uuid, float16
  case decimal(scale: Int, precision: Int)
  case time(isUTC: Bool, Unit)
  case timestamp(isUTC: Bool, Unit)
  case integer(bits: Int, isSigned: Bool)
  /// An annotation of a newer format (variant, geometry, geography): the values are read by their physical type.
  case other
}
