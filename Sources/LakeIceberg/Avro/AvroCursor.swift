import LakeModel
import LakeSchema

/// Reads Avro values one after another, checking every bound. Resolution is by the writer's schema: an int is read where
/// a long is wanted, a null branch gives nil.
struct AvroCursor {
  private let bytes: UnsafeRawBufferPointer
  private(set) var position = 0
  /// Values without bytes (nulls, empty records) are cheap to write down in billions; reading them is not.
  private var stepsLeft: Int

  init(_ bytes: UnsafeRawBufferPointer) {
    self.bytes = bytes
    stepsLeft = bytes.count * 8 + 100_000
  }

  var isAtEnd: Bool { position == bytes.count }
  var left: Int { bytes.count - position }

  private func fail(_ what: String) -> IcebergError { .malformed("avro at byte \(position): \(what)") }

  private mutating func step() throws(IcebergError) {
    stepsLeft -= 1
    if stepsLeft < 0 { throw fail("too many values for so few bytes") }
  }

  // MARK: encodings

  mutating func varint() throws(IcebergError) -> Int64 {
    var result: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      guard position < bytes.count else { throw fail("ends within a number") }
      let byte = bytes[position]
      position += 1
      if shift == 63 && byte > 1 { throw fail("a number of more than 64 bits") }
      result |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { break }
      shift += 7
      if shift > 63 { throw fail("a number of more than 64 bits") }
    }
    return Int64(bitPattern: result >> 1) ^ -Int64(bitPattern: result & 1)
  }

  /// A run of `count` bytes.
  mutating func run(_ count: Int64) throws(IcebergError) -> UnsafeRawBufferPointer {
    guard count >= 0, count <= Int64(left) else { throw fail("\(count) bytes wanted, \(left) left") }
    let found = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(count)])
    position += Int(count)
    return found
  }

  private mutating func byte() throws(IcebergError) -> UInt8 { try run(1)[0] }

  private mutating func text(_ run: UnsafeRawBufferPointer) throws(IcebergError) -> String {
    guard let text = String(validating: run, as: UTF8.self) else { throw fail("text is not UTF-8") }
    return text
  }

  mutating func string() throws(IcebergError) -> String { try text(run(varint())) }

  // MARK: values of a schema

  /// The branch of a union that follows; any other schema is its own only branch.
  private mutating func branch(_ schema: AvroSchema) throws(IcebergError) -> AvroSchema {
    guard case .union(let branches) = schema else { return schema }
    let index = try varint()
    guard index >= 0, index < Int64(branches.count) else { throw fail("branch \(index) of \(branches.count)") }
    if case .union = branches[Int(index)] { throw fail("a union in a union") }
    return branches[Int(index)]
  }

  mutating func long(_ schema: AvroSchema) throws(IcebergError) -> Int64? {
    switch try branch(schema) {
    case .null: return nil
    case .int, .long: return try varint()
    case let other: throw fail("a number wanted, found \(other.kind)")
    }
  }

  mutating func int(_ schema: AvroSchema) throws(IcebergError) -> Int? {
    guard let value = try long(schema) else { return nil }
    guard let small = Int32(exactly: value) else { throw fail("\(value) is not a 32-bit number") }
    return Int(small)
  }

  mutating func boolean(_ schema: AvroSchema) throws(IcebergError) -> Bool? {
    switch try branch(schema) {
    case .null: return nil
    case .boolean: return try byte() != 0
    case let other: throw fail("a boolean wanted, found \(other.kind)")
    }
  }

  mutating func string(_ schema: AvroSchema) throws(IcebergError) -> String? {
    switch try branch(schema) {
    case .null: return nil
    case .string: return try string()
    case let other: throw fail("text wanted, found \(other.kind)")
    }
  }

  mutating func bytes(_ schema: AvroSchema) throws(IcebergError) -> [UInt8]? {
    switch try branch(schema) {
    case .null: return nil
    case .bytes, .string: return Array(try run(varint()))
    case .fixed(let size): return Array(try run(Int64(size)))
    case let other: throw fail("bytes wanted, found \(other.kind)")
    }
  }

  /// Calls `body` once for each item, with the items' schema. False: null instead of an array.
  @discardableResult
  mutating func array(
    _ schema: AvroSchema, _ body: (inout AvroCursor, AvroSchema) throws(IcebergError) -> Void
  ) throws(IcebergError) -> Bool {
    switch try branch(schema) {
    case .null: return false
    case .array(let items):
      while let count = try blockCount() {
        for _ in 0..<count {
          try step()
          try body(&self, items)
        }
      }
      return true
    case let other: throw fail("an array wanted, found \(other.kind)")
    }
  }

  /// Calls `body` once for each field of a record, in the writer's order; `body` reads or skips exactly one value. False:
  /// null instead of a record.
  @discardableResult
  mutating func record(
    _ schema: AvroSchema, _ body: (inout AvroCursor, AvroField) throws(IcebergError) -> Void
  ) throws(IcebergError) -> Bool {
    switch try branch(schema) {
    case .null: return false
    case .record(let fields):
      for field in fields {
        try step()
        try body(&self, field)
      }
      return true
    case let other: throw fail("a record wanted, found \(other.kind)")
    }
  }

  /// Number of items in the next block of an array or map; nil at the end.
  private mutating func blockCount() throws(IcebergError) -> Int64? {
    let count = try varint()
    if count == 0 { return nil }
    if count > 0 { return count }
    guard count != .min else { throw fail("a block of \(count) items") }
    _ = try varint()  // its size in bytes, for readers that skip
    return -count
  }

  mutating func skip(_ schema: AvroSchema) throws(IcebergError) {
    try step()
    switch try branch(schema) {
    case .null: return
    case .boolean: _ = try run(1)
    case .int, .long, .enumeration: _ = try varint()
    case .float: _ = try run(4)
    case .double: _ = try run(8)
    case .bytes, .string: _ = try run(varint())
    case .fixed(let size): _ = try run(Int64(size))
    case .record(let fields): for field in fields { try skip(field.schema) }
    case .array(let items):
      while let count = try blockCount() { for _ in 0..<count { try skip(items) } }
    case .map(let values):
      while let count = try blockCount() {
        for _ in 0..<count {
          _ = try run(varint())
          try skip(values)
        }
      }
    case .union: throw fail("a union in a union")
    }
  }

  /// A primitive value, as `wanted` when the type is known; nil is null.
  mutating func datum(_ schema: AvroSchema, wanted: FieldType?) throws(IcebergError) -> Datum? {
    let found: Datum
    switch try branch(schema) {
    case .null: return nil
    case .boolean: found = .boolean(try byte() != 0)
    case .int:
      let value = try varint()
      guard let small = Int32(exactly: value) else { throw fail("\(value) is not a 32-bit number") }
      found = .int(small)
    case .long: found = .long(try varint())
    case .float: found = .float(Float(bitPattern: UInt32(littleEndian: try run(4).loadUnaligned(as: UInt32.self))))
    case .double: found = .double(Double(bitPattern: UInt64(littleEndian: try run(8).loadUnaligned(as: UInt64.self))))
    case .string: found = .string(try string())
    case .bytes: found = .binary(Array(try run(varint())))
    case .fixed(let size): found = .binary(Array(try run(Int64(size))))
    case let other: throw fail("a primitive value wanted, found \(other.kind)")
    }
    guard let wanted else { return found }
    guard let converted = found.converted(to: wanted) else { throw fail("\(found) is no \(wanted)") }
    return converted
  }
}

extension AvroSchema {
  /// For messages.
  var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .bytes: "bytes"
    case .string: "string"
    case .fixed(let size): "fixed[\(size)]"
    case .enumeration: "enum"
    case .record: "record"
    case .array: "array"
    case .map: "map"
    case .union: "union"
    }
  }
}

extension Datum {
  /// The same value as a column of `type` holds it: after a promotion, or out of Avro's fewer types.
  func converted(to type: FieldType) -> Datum? {
    switch (self, type) {
    case (.boolean, .boolean), (.int, .int), (.int, .date), (.long, .long), (.long, .time), (.long, .timestamp),
      (.long, .timestamptz), (.float, .float), (.double, .double), (.string, .string), (.binary, .binary),
      (.decimal, .decimal):
      return self
    case (.int(let value), .long), (.int(let value), .time), (.int(let value), .timestamp),
      (.int(let value), .timestamptz):
      return .long(Int64(value))
    case (.long(let value), .int), (.long(let value), .date): return Int32(exactly: value).map { .int($0) }
    case (.float(let value), .double): return .double(Double(value))
    case (.binary(let bytes), .decimal): return Datum.decimal(bigEndian: bytes).map { .decimal($0) }
    case (.binary(let bytes), .uuid): return bytes.count == 16 ? self : nil
    case (.binary(let bytes), .fixed(let length)): return bytes.count == length ? self : nil
    case (.string(let text), .uuid): return Datum.uuid(text)
    case (.string(let text), .binary): return .binary(Array(text.utf8))
    default: return nil
    }
  }

  /// `f79c3e09-677c-4bbd-a479-3f349cb785e7`.
  static func uuid(_ text: String) -> Datum? {
    let digits = text.utf8.filter { $0 != UInt8(ascii: "-") }
    guard digits.count == 32, let bytes = Hex.bytes(digits) else { return nil }
    return .binary(bytes)
  }
}
