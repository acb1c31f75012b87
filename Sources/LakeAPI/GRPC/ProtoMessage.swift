import LakeModel

/// The few protobuf messages of gRPC's own services, read without a schema.
struct ProtoMessage {
  struct Malformed: Error {}

  /// The length-delimited fields; numbers are read over, none of those messages needs one.
  private let fields: [(number: Int, value: Bytes)]

  init(_ bytes: Bytes) throws(Malformed) {
    var fields: [(number: Int, value: Bytes)] = []
    var position = 0
    while position < bytes.count {
      let key = try ProtoMessage.varint(bytes, &position)
      guard key >> 3 > 0, key >> 3 < 1 << 29 else { throw Malformed() }
      switch key & 7 {
      case 0: _ = try ProtoMessage.varint(bytes, &position)
      case 1: try ProtoMessage.skip(8, in: bytes, &position)
      case 2:
        let length = try ProtoMessage.varint(bytes, &position)
        guard length <= UInt64(bytes.count - position) else { throw Malformed() }
        fields.append((Int(key >> 3), bytes[position..<(position + Int(length))]))
        position += Int(length)
      case 5: try ProtoMessage.skip(4, in: bytes, &position)
      default: throw Malformed()
      }
    }
    self.fields = fields
  }

  /// The last value of a field, which is the one that counts.
  func bytes(_ field: Int) -> Bytes? { all(field).last }
  func text(_ field: Int) -> String? { bytes(field)?.text }

  /// Every value of a repeated field.
  func all(_ field: Int) -> [Bytes] {
    fields.filter { $0.number == field }.map(\.value)
  }

  private static func varint(_ bytes: Bytes, _ position: inout Int) throws(Malformed) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 70, by: 7) {
      guard position < bytes.count else { throw Malformed() }
      let byte = bytes[position]
      position += 1
      guard shift < 63 || byte <= 1 else { throw Malformed() }
      value |= UInt64(byte & 0x7F) << UInt64(shift)
      if byte < 0x80 { return value }
    }
    throw Malformed()
  }

  private static func skip(_ count: Int, in bytes: Bytes, _ position: inout Int) throws(Malformed) {
    guard count <= bytes.count - position else { throw Malformed() }
    position += count
  }
}

/// Writes such messages. Fields appear in the order of the calls.
struct ProtoMessageWriter {
  private(set) var bytes: [UInt8] = []

  mutating func add(_ field: Int, _ number: Int) {
    varint(UInt64(field) << 3)
    varint(UInt64(bitPattern: Int64(number)))
  }

  mutating func add(_ field: Int, _ text: String) { add(field, Array(text.utf8)) }
  mutating func add(_ field: Int, _ value: Bytes) { add(field, value.array) }

  mutating func add(_ field: Int, _ value: [UInt8]) {
    varint(UInt64(field) << 3 | 2)
    varint(UInt64(value.count))
    bytes += value
  }

  mutating func add(_ field: Int, _ message: (inout ProtoMessageWriter) -> Void) {
    var inner = ProtoMessageWriter()
    message(&inner)
    add(field, inner.bytes)
  }

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }
}
