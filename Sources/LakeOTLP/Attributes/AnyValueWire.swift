import LakeModel

/// The kind of an AnyValue, as one letter of a shape. Values are the field numbers of the oneof.
enum AnyValueKind: UInt8 {
  case none = 0
  case string = 1
  case bool = 2
  case int = 3
  case double = 4
  case array = 5
  case kvlist = 6
  case bytes = 7

  /// The letter in `attributes_shape`.
  @inline(__always)
  var letter: UInt8 { RawBytes("nsbidakx").start[Int(rawValue)] }

  init?(letter: UInt8) {
    switch letter {
    case UInt8(ascii: "n"): self = .none
    case UInt8(ascii: "s"): self = .string
    case UInt8(ascii: "b"): self = .bool
    case UInt8(ascii: "i"): self = .int
    case UInt8(ascii: "d"): self = .double
    case UInt8(ascii: "a"): self = .array
    case UInt8(ascii: "k"): self = .kvlist
    case UInt8(ascii: "x"): self = .bytes
    default: return nil
    }
  }
}

/// An AnyValue read from the wire, unconverted.
struct AnyValueWire {
  let kind: AnyValueKind
  /// Text, bytes, or the message of an array or kvlist.
  let bytes: RawBytes
  /// A bool, an int's or a double's bits.
  let bits: UInt64

  @inline(__always)
  init(_ kind: AnyValueKind, bytes: RawBytes = .none, bits: UInt64 = 0) {
    self.kind = kind
    self.bytes = bytes
    self.bits = bits
  }

  static let absent = AnyValueWire(.none)

  /// Reads an AnyValue; of several members the last one counts. An array or kvlist in pieces is put together in `arena`.
  static func read(_ message: RawBytes, arena: inout Arena) throws(WireError) -> AnyValueWire {
    var value = AnyValueWire.absent
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: value = AnyValueWire(.string, bytes: try reader.bytes())
      case 0x10: value = AnyValueWire(.bool, bits: try reader.varint() != 0 ? 1 : 0)
      case 0x18: value = AnyValueWire(.int, bits: try reader.varint())
      case 0x21: value = AnyValueWire(.double, bits: try reader.fixed64())
      case 0x3A: value = AnyValueWire(.bytes, bytes: try reader.bytes())
      case 0x2A, 0x32:
        let kind: AnyValueKind = tag == 0x2A ? .array : .kvlist
        let piece = try reader.bytes()
        let isContinued = value.kind == kind
        value = AnyValueWire(kind, bytes: isContinued ? try arena.join(value.bytes, piece) : piece)
      default: try reader.skip(tag, known: 0b1111_1110)
      }
    }
    return value
  }

  /// The part of an AnyValue that counts: from where the member that came last was set for good.
  static func lastMember(of message: RawBytes) throws(WireError) -> RawBytes {
    var reader = ProtoReader(message)
    var last: UInt32 = 0
    var start = message.start
    while !reader.isAtEnd {
      let at = reader.next
      let tag = try reader.tag()
      let number = tag >> 3
      if (1...7).contains(number), number != last {
        last = number
        start = at
      }
      try reader.skip(tag, known: 0)
    }
    return RawBytes(start, message.end - start)
  }
}

/// One KeyValue read from the wire.
struct KeyValueWire {
  var key: RawBytes
  var value: AnyValueWire

  @inline(__always)
  init(key: RawBytes = .none, value: AnyValueWire = .absent) {
    self.key = key
    self.value = value
  }

  /// Reads the layout that every encoder writes - key, then value with one member, key and value below 128 bytes - without loops.
  /// - Returns: nil for any other layout, which is not a fault yet.
  @inline(__always)
  static func readUsual(_ message: RawBytes) -> KeyValueWire? {
    let count = message.count
    let start = message.start
    guard count >= 6, start[0] == 0x0A else { return nil }
    let keyCount = Int(start[1])
    // 2 for the key's tag and length, 2 for the value's, 2 for the member's tag and at least one byte.
    guard keyCount < 0x80, keyCount &+ 6 <= count else { return nil }
    let value = start + (keyCount &+ 2)
    let valueCount = count &- keyCount &- 4
    guard value[0] == 0x12, Int(value[1]) == valueCount, valueCount < 0x80 else { return nil }
    let member = value + 2
    let key = RawBytes(start + 2, keyCount)
    switch member[0] {
    case 0x0A:
      guard Int(member[1]) == valueCount &- 2 else { return nil }
      return KeyValueWire(key: key, value: AnyValueWire(.string, bytes: RawBytes(member + 2, valueCount &- 2)))
    case 0x18:
      guard let bits = shortVarint(member + 1, valueCount &- 1) else { return nil }
      return KeyValueWire(key: key, value: AnyValueWire(.int, bits: bits))
    case 0x21:
      guard valueCount == 9 else { return nil }
      return KeyValueWire(key: key, value: AnyValueWire(.double, bits: UInt64(littleEndian: load64(member + 1))))
    default: return nil
    }
  }

  /// A varint of exactly `count` bytes, up to four.
  @inline(__always)
  private static func shortVarint(_ at: UnsafePointer<UInt8>, _ count: Int) -> UInt64? {
    guard count <= 4, at[count &- 1] < 0x80 else { return nil }
    var value: UInt64 = 0
    var index = 0
    while index < count &- 1 {
      guard at[index] >= 0x80 else { return nil }
      value |= UInt64(at[index] & 0x7F) &<< UInt64(truncatingIfNeeded: 7 &* index)
      index &+= 1
    }
    return value | UInt64(at[index]) &<< UInt64(truncatingIfNeeded: 7 &* index)
  }

  static func read(_ message: RawBytes, arena: inout Arena) throws(WireError) -> KeyValueWire {
    var pair = KeyValueWire()
    var value: RawBytes?
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: pair.key = try reader.bytes()
      case 0x12:
        let piece = try reader.bytes()
        if let first = value { value = try arena.join(first, piece) } else { value = piece }
      default: try reader.skip(tag, known: 0b110)
      }
    }
    if let value { pair.value = try AnyValueWire.read(value, arena: &arena) }
    return pair
  }
}

extension AnyValueKind {
  /// The member's name in OTLP JSON, as in `body_kind`.
  var jsonName: StaticString {
    switch self {
    case .none: ""
    case .string: "stringValue"
    case .bool: "boolValue"
    case .int: "intValue"
    case .double: "doubleValue"
    case .array: "arrayValue"
    case .kvlist: "kvlistValue"
    case .bytes: "bytesValue"
    }
  }
}

extension BufferBuilder where Element == UInt8 {
  /// The fields of an AnyValue.
  mutating func append(_ value: AnyValueWire) {
    switch value.kind {
    case .none: break
    case .string, .array, .kvlist, .bytes: field(UInt32(value.kind.rawValue), bytes: value.bytes)
    case .bool, .int: field(UInt32(value.kind.rawValue), varint: value.bits)
    case .double: field(UInt32(value.kind.rawValue), fixed64: value.bits)
    }
  }
}
