package import LakeSchema

// Source: Iceberg table specification, Appendix D, "Binary single-value serialization".

extension Datum {
  package var singleValue: [UInt8] {
    switch self {
    case .boolean(let value): [value ? 1 : 0]
    case .int(let value): Self.littleEndian(UInt32(bitPattern: value))
    case .long(let value): Self.littleEndian(UInt64(bitPattern: value))
    case .float(let value): Self.littleEndian(value.bitPattern)
    case .double(let value): Self.littleEndian(value.bitPattern)
    case .decimal(let value): Self.bigEndianMinimal(value)
    case .string(let value): Array(value.utf8)
    case .binary(let value): value
    }
  }

  /// Reads a bound of a column of this type, written under it or under the type it was promoted from.
  ///
  /// - Returns: nil when the bytes are not a value of that type: a bound that cannot be read prunes nothing.
  package init?(singleValue bytes: [UInt8], type: FieldType) {
    switch type {
    case .boolean:
      guard bytes.count == 1 else { return nil }
      self = .boolean(bytes[0] != 0)
    case .int, .date:
      guard bytes.count == 4 else { return nil }
      self = .int(Int32(truncatingIfNeeded: Self.number(bytes)))
    case .long, .time, .timestamp, .timestamptz:
      switch bytes.count {
      case 4: self = .long(Int64(Int32(truncatingIfNeeded: Self.number(bytes))))
      case 8: self = .long(Int64(bitPattern: Self.number(bytes)))
      default: return nil
      }
    case .float:
      guard bytes.count == 4 else { return nil }
      self = .float(Float(bitPattern: UInt32(truncatingIfNeeded: Self.number(bytes))))
    case .double:
      switch bytes.count {
      case 4: self = .double(Double(Float(bitPattern: UInt32(truncatingIfNeeded: Self.number(bytes)))))
      case 8: self = .double(Double(bitPattern: Self.number(bytes)))
      default: return nil
      }
    case .decimal:
      guard let value = Self.decimal(bigEndian: bytes) else { return nil }
      self = .decimal(value)
    case .string:
      guard let text = String(validating: bytes, as: UTF8.self) else { return nil }
      self = .string(text)
    case .uuid:
      guard bytes.count == 16 else { return nil }
      self = .binary(bytes)
    case .fixed, .binary: self = .binary(bytes)  // a bound of a fixed column may be cut shorter
    case .structure, .list, .map: return nil
    }
  }

  /// Whether a column of this type holds such values.
  package func suits(_ type: FieldType) -> Bool {
    switch (self, type) {
    case (.boolean, .boolean), (.int, .int), (.int, .date), (.int, .long), (.long, .long), (.long, .int),
      (.long, .time),
      (.long, .timestamp), (.long, .timestamptz), (.float, .float), (.float, .double), (.double, .double),
      (.double, .float), (.decimal, .decimal), (.string, .string), (.binary, .binary), (.binary, .uuid),
      (.binary, .fixed):
      true
    default: false
    }
  }

  static func littleEndian(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }

  /// - Precondition: at most 8 bytes.
  private static func number(_ bytes: [UInt8]) -> UInt64 {
    bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  /// Two's complement with the fewest bytes that keep the sign.
  static func bigEndianMinimal(_ value: Int128) -> [UInt8] {
    var bytes = withUnsafeBytes(of: value.bigEndian) { Array($0) }
    while bytes.count > 1, bytes[0] == (bytes[1] & 0x80 == 0 ? 0 : 0xFF) { bytes.removeFirst() }
    return bytes
  }

  static func decimal(bigEndian bytes: some Collection<UInt8>) -> Int128? {
    guard let first = bytes.first, bytes.count <= 16 else { return nil }
    return bytes.reduce(first & 0x80 == 0 ? 0 : -1) { $0 << 8 | Int128($1) }
  }
}
