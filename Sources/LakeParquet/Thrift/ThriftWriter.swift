import LakeModel

/// Writes Thrift's compact protocol.
struct ThriftWriter {
  private(set) var bytes: [UInt8] = []
  private var last: Int16 = 0

  private mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func zigzag(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

  private mutating func field(_ id: Int16, _ kind: ThriftReader.Kind) {
    let delta = id - last
    precondition(delta > 0 && delta <= 15)
    bytes.append(UInt8(delta) << 4 | kind.rawValue)
    last = id
  }

  mutating func boolean(_ id: Int16, _ value: Bool) { field(id, value ? .boolTrue : .boolFalse) }

  mutating func byte(_ id: Int16, _ value: Int) {
    field(id, .byte)
    bytes.append(UInt8(truncatingIfNeeded: value))
  }

  mutating func int32(_ id: Int16, _ value: Int) {
    field(id, .int32)
    zigzag(Int64(value))
  }

  mutating func int64(_ id: Int16, _ value: Int) {
    field(id, .int64)
    zigzag(Int64(value))
  }

  mutating func text(_ id: Int16, _ value: String) {
    field(id, .binary)
    append(value)
  }

  mutating func binary(_ id: Int16, _ value: Bytes) {
    field(id, .binary)
    append(value)
  }

  private mutating func append(_ value: String) {
    varint(UInt64(value.utf8.count))
    bytes.append(contentsOf: value.utf8)
  }

  private mutating func append(_ value: Bytes) {
    varint(UInt64(value.count))
    value.withUnsafeBytes { bytes.append(contentsOf: $0) }
  }

  /// A structure that is a field's value.
  mutating func structure(_ id: Int16, _ body: (inout ThriftWriter) -> Void) {
    field(id, .structure)
    structure(body)
  }

  /// A structure on its own: the outermost one, or an element of a list.
  mutating func structure(_ body: (inout ThriftWriter) -> Void) {
    let outer = last
    last = 0
    body(&self)
    bytes.append(0)
    last = outer
  }

  private mutating func list(_ id: Int16, _ element: ThriftReader.Kind, count: Int) {
    field(id, .list)
    if count < 15 {
      bytes.append(UInt8(count) << 4 | element.rawValue)
    } else {
      bytes.append(0xF0 | element.rawValue)
      varint(UInt64(count))
    }
  }

  mutating func structures<T>(_ id: Int16, _ values: [T], _ body: (inout ThriftWriter, T) -> Void) {
    list(id, .structure, count: values.count)
    for value in values { structure { body(&$0, value) } }
  }

  mutating func texts(_ id: Int16, _ values: [String]) {
    list(id, .binary, count: values.count)
    for value in values { append(value) }
  }

  mutating func binaries(_ id: Int16, _ values: [Bytes]) {
    list(id, .binary, count: values.count)
    for value in values { append(value) }
  }

  mutating func int32s(_ id: Int16, _ values: [Int]) {
    list(id, .int32, count: values.count)
    for value in values { zigzag(Int64(value)) }
  }

  mutating func int64s(_ id: Int16, _ values: [Int]) {
    list(id, .int64, count: values.count)
    for value in values { zigzag(Int64(value)) }
  }

  mutating func booleans(_ id: Int16, _ values: [Bool]) {
    list(id, .boolTrue, count: values.count)
    for value in values { bytes.append(value ? 1 : 2) }
  }
}
