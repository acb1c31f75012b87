package import LakeModel
package import LakeSchema

extension DataFile {
  /// Values of columns that a file may lack because its partition has them: identity partition fields, by column id.
  ///
  /// A column that is in the file is read from the file. Source: Iceberg table specification, "Column Projection".
  package func partitionConstants(in table: TableMetadata) -> [Int: Datum] {
    guard let spec = table.partitionSpec(id: specID) else { return [:] }
    var constants: [Int: Datum] = [:]
    for (field, value) in zip(spec.fields, partition) where field.transform == .identity {
      constants[field.sourceID] = value
    }
    return constants
  }
}

extension Datum {
  /// A column of `count` rows that all hold this value; nil when the value is not of the type.
  package func column(_ type: FieldType, count: Int) -> Column? {
    guard let value = converted(to: type) else { return nil }
    switch value {
    case .boolean(let value): return Column(.boolean(Buffer(repeating: value ? 1 : 0, count: count)), count: count)
    case .int(let value): return Column(.int32(Buffer(repeating: value, count: count)), count: count)
    case .long(let value): return Column(.int64(Buffer(repeating: value, count: count)), count: count)
    case .float(let value): return Column(.float(Buffer(repeating: value, count: count)), count: count)
    case .double(let value): return Column(.double(Buffer(repeating: value, count: count)), count: count)
    case .string(let text): return Self.repeated(Array(text.utf8), count: count)
    case .binary(let bytes): return Self.repeated(bytes, count: count, isFixed: type != .binary)
    case .decimal(let value):
      guard case .decimal(let precision, _) = type else { return nil }
      return Self.repeated(Self.bigEndian(value, precision: precision), count: count, isFixed: true)
    }
  }

  private static func repeated(_ bytes: [UInt8], count: Int, isFixed: Bool = false) -> Column {
    let entry =
      isFixed
      ? Column(.fixed(Buffer(bytes), width: bytes.count), count: 1)
      : Column(.bytes(offsets: Buffer([0, UInt32(bytes.count)]), data: Buffer(bytes)), count: 1)
    return Column(
      .dictionary(indices: Buffer(repeating: 0, count: count), dictionary: entry), count: count)
  }

  /// Two's complement in the bytes that the precision takes.
  static func bigEndian(_ value: Int128, precision: Int) -> [UInt8] {
    let bytes = bigEndianMinimal(value)
    let width = ManifestSchema.decimalBytes(precision: precision)
    return Array(repeating: value < 0 ? 0xFF : 0, count: max(0, width - bytes.count)) + bytes
  }
}
