import LakeModel

/// Reads Thrift's compact protocol out of raw memory. Source: Apache Thrift, "Compact protocol encoding".
///
/// Every read is checked against the end; every count against the bytes that are left; nesting against `depthMax`.
struct ThriftReader {
  enum Kind: UInt8 {
    case boolTrue = 1, boolFalse, byte, int16, int32, int64, double, binary, list, set, map, structure, uuid
  }

  static let depthMax = 64

  private let bytes: Bytes
  private let base: UnsafeRawPointer
  private let end: Int
  private(set) var position: Int
  private var depth = 0

  /// Keeps `bytes` alive for as long as it reads.
  init(_ bytes: Bytes, at position: Int = 0) {
    self.bytes = bytes
    base = bytes.unsafeBase
    end = bytes.count
    self.position = position
  }

  private var remaining: Int { end - position }

  private mutating func byte() throws(ParquetError) -> UInt8 {
    guard position < end else { throw .truncated("thrift structure", needed: position + 1, found: end) }
    let value = base.load(fromByteOffset: position, as: UInt8.self)
    position += 1
    return value
  }

  private mutating func varint() throws(ParquetError) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let next = try byte()
      if shift == 63 && next > 1 { throw .malformed("thrift integer of more than 64 bits") }
      value |= UInt64(next & 0x7F) << shift
      if next & 0x80 == 0 { return value }
      shift += 7
      if shift > 63 { throw .malformed("thrift integer of more than 64 bits") }
    }
  }

  private mutating func zigzag() throws(ParquetError) -> Int64 {
    let raw = try varint()
    return Int64(bitPattern: raw >> 1) ^ -Int64(bitPattern: raw & 1)
  }

  private func kind(_ raw: UInt8) throws(ParquetError) -> Kind {
    guard let kind = Kind(rawValue: raw) else { throw .malformed("thrift type \(raw)") }
    return kind
  }

  /// Reads one structure, calling `body` for each field; a field that `body` does not read must be skipped by it.
  mutating func structure(
    _ body: (inout ThriftReader, _ id: Int16, _ kind: Kind) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    guard depth < Self.depthMax else { throw .malformed("thrift structures nested too deep") }
    depth += 1
    var last: Int16 = 0
    while true {
      let head = try byte()
      if head == 0 { break }
      if head >> 4 == 0 {
        guard let id = Int16(exactly: try zigzag()) else { throw .malformed("thrift field id") }
        last = id
      } else {
        let (sum, overflow) = last.addingReportingOverflow(Int16(head >> 4))
        if overflow { throw .malformed("thrift field id") }
        last = sum
      }
      try body(&self, last, try kind(head & 15))
    }
    depth -= 1
  }

  /// Reads a structure that is a field's value.
  mutating func structure(
    _ kind: Kind, _ body: (inout ThriftReader, _ id: Int16, _ kind: Kind) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    try expect(kind == .structure, "structure", kind)
    try structure(body)
  }

  private func expect(_ condition: Bool, _ wanted: StaticString, _ found: Kind) throws(ParquetError) {
    if !condition { throw .malformed("thrift \(found) where \(wanted) was expected") }
  }

  mutating func boolean(_ kind: Kind) throws(ParquetError) -> Bool {
    try expect(kind == .boolTrue || kind == .boolFalse, "boolean", kind)
    return kind == .boolTrue
  }

  /// Any integer type.
  mutating func integer(_ kind: Kind) throws(ParquetError) -> Int {
    switch kind {
    case .byte: return Int(Int8(bitPattern: try byte()))
    case .int16, .int32, .int64: return Int(try zigzag())
    default: throw .malformed("thrift \(kind) where integer was expected")
    }
  }

  /// An integer that counts or places something: not negative, within 32 or 64 bits as the caller needs.
  mutating func count(_ kind: Kind, max: Int = .max) throws(ParquetError) -> Int {
    let value = try integer(kind)
    guard value >= 0 && value <= max else { throw .malformed("thrift count \(value)") }
    return value
  }

  mutating func integer32(_ kind: Kind) throws(ParquetError) -> Int32 {
    guard let value = Int32(exactly: try integer(kind)) else { throw .malformed("thrift 32-bit integer") }
    return value
  }

  mutating func binary(_ kind: Kind) throws(ParquetError) -> Bytes {
    try expect(kind == .binary, "binary", kind)
    let length = try varint()
    guard length <= UInt64(remaining) else {
      throw .truncated("thrift binary", needed: Int(clamping: length), found: remaining)
    }
    let slice = bytes[position..<position + Int(length)]
    position += Int(length)
    return slice
  }

  mutating func text(_ kind: Kind) throws(ParquetError) -> String { try binary(kind).text }

  /// Reads a list, calling `body` for each element. Elements take at least one byte, so the count is bounded.
  mutating func list(
    _ kind: Kind, _ body: (inout ThriftReader, Kind) throws(ParquetError) -> Void
  ) throws(ParquetError) {
    try expect(kind == .list || kind == .set, "list", kind)
    guard depth < Self.depthMax else { throw .malformed("thrift lists nested too deep") }
    let head = try byte()
    let count = head >> 4 == 15 ? try varint() : UInt64(head >> 4)
    guard count <= UInt64(remaining) else {
      throw .truncated("thrift list", needed: Int(clamping: count), found: remaining)
    }
    if count == 0 { return }
    let element = try self.kind(head & 15)
    depth += 1
    for _ in 0..<Int(count) {
      // A boolean in a list is a byte of its own, not part of a header.
      if element == .boolTrue || element == .boolFalse {
        try body(&self, try byte() == 1 ? .boolTrue : .boolFalse)
      } else {
        try body(&self, element)
      }
    }
    depth -= 1
  }

  mutating func integers(_ kind: Kind) throws(ParquetError) -> [Int] {
    var values: [Int] = []
    try list(kind) { reader, kind throws(ParquetError) in values.append(try reader.integer(kind)) }
    return values
  }

  mutating func skip(_ kind: Kind) throws(ParquetError) {
    switch kind {
    case .boolTrue, .boolFalse: return
    case .byte: _ = try byte()
    case .int16, .int32, .int64: _ = try varint()
    case .double: try advance(8)
    case .uuid: try advance(16)
    case .binary: _ = try binary(kind)
    case .list, .set: try list(kind) { reader, kind throws(ParquetError) in try reader.skip(kind) }
    case .structure: try structure { reader, _, kind throws(ParquetError) in try reader.skip(kind) }
    case .map: try skipMap()
    }
  }

  private mutating func advance(_ count: Int) throws(ParquetError) {
    guard remaining >= count else { throw .truncated("thrift value", needed: count, found: remaining) }
    position += count
  }

  private mutating func skipMap() throws(ParquetError) {
    let count = try varint()
    if count == 0 { return }
    guard count <= UInt64(remaining), depth < Self.depthMax else { throw .malformed("thrift map") }
    let head = try byte()
    let (key, value) = (try kind(head >> 4), try kind(head & 15))
    depth += 1
    for _ in 0..<Int(count) {
      try skipElement(key)
      try skipElement(value)
    }
    depth -= 1
  }

  private mutating func skipElement(_ kind: Kind) throws(ParquetError) {
    if kind == .boolTrue || kind == .boolFalse { _ = try byte() } else { try skip(kind) }
  }
}
