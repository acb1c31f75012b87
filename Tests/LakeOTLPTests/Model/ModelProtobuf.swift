/// Protobuf by the book, byte by byte.
struct Wire {
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    repeat {
      let low = UInt8(rest & 0x7F)
      rest >>= 7
      bytes.append(rest == 0 ? low : low | 0x80)
    } while rest != 0
  }
  mutating func tag(_ number: Int, _ type: Int) { varint(UInt64(number * 8 + type)) }
  mutating func uint(_ number: Int, _ value: UInt64) {
    if value != 0 { always(number, varint: value) }
  }
  mutating func always(_ number: Int, varint value: UInt64) {
    tag(number, 0)
    varint(value)
  }
  mutating func fixed64(_ number: Int, _ value: UInt64, always: Bool = false) {
    guard value != 0 || always else { return }
    tag(number, 1)
    for shift in 0..<8 { bytes.append(UInt8(value >> (8 * shift) & 0xFF)) }
  }
  mutating func fixed32(_ number: Int, _ value: UInt32) {
    guard value != 0 else { return }
    tag(number, 5)
    for shift in 0..<4 { bytes.append(UInt8(value >> (8 * shift) & 0xFF)) }
  }
  mutating func string(_ number: Int, _ value: [UInt8], always: Bool = false) {
    guard !value.isEmpty || always else { return }
    tag(number, 2)
    varint(UInt64(value.count))
    bytes += value
  }
  mutating func message(_ number: Int, _ value: [UInt8]) { string(number, value, always: true) }
}

extension Value {
  var wire: [UInt8] {
    var out = Wire()
    switch self {
    case .none: break
    case .string(let text): out.string(1, text, always: true)
    case .bool(let flag): out.always(2, varint: flag ? 1 : 0)
    case .int(let value): out.always(3, varint: UInt64(bitPattern: value))
    case .double(let bits): out.fixed64(4, bits, always: true)
    case .array(let values):
      var list = Wire()
      for value in values { list.message(1, value.wire) }
      out.message(5, list.bytes)
    case .kvlist(let pairs):
      var list = Wire()
      for pair in pairs { list.message(1, pair.wire) }
      out.message(6, list.bytes)
    case .bytes(let bytes): out.string(7, bytes, always: true)
    }
    return out.bytes
  }
}

extension Pair {
  var wire: [UInt8] {
    var out = Wire()
    out.string(1, key)
    if value != .none { out.message(2, value.wire) }
    return out.bytes
  }
}

extension ResourceModel {
  var wire: [UInt8] {
    var out = Wire()
    for pair in attributes { out.message(1, pair.wire) }
    out.uint(2, UInt64(dropped))
    for entity in entities {
      var inner = Wire()
      inner.string(1, entity.schemaURL)
      inner.string(2, entity.type)
      for key in entity.idKeys { inner.message(3, key) }
      for key in entity.descriptionKeys { inner.message(4, key) }
      out.message(3, inner.bytes)
    }
    return out.bytes
  }
}

extension ScopeModel {
  var wire: [UInt8] {
    var out = Wire()
    out.string(1, name)
    out.string(2, version)
    for pair in attributes { out.message(3, pair.wire) }
    out.uint(4, UInt64(dropped))
    return out.bytes
  }
}

extension LogModel {
  var wire: [UInt8] {
    var out = Wire()
    out.fixed64(1, time)
    out.uint(2, UInt64(bitPattern: Int64(severity)))
    out.string(3, severityText)
    if body != .none { out.message(5, body.wire) }
    for pair in attributes { out.message(6, pair.wire) }
    out.uint(7, UInt64(dropped))
    out.fixed32(8, flags)
    out.string(9, traceID)
    out.string(10, spanID)
    out.fixed64(11, observed)
    out.string(12, eventName)
    return out.bytes
  }
}

/// A whole request; `row` writes one row's message.
func requestWire<Row>(_ groups: [ResourceGroup<Row>], row: (Row) -> [UInt8]) -> [UInt8] {
  var out = Wire()
  for group in groups {
    var outer = Wire()
    if group.resource != ResourceModel() { outer.message(1, group.resource.wire) }
    for scope in group.scopes {
      var inner = Wire()
      if scope.scope != ScopeModel() { inner.message(1, scope.scope.wire) }
      for item in scope.rows { inner.message(2, row(item)) }
      inner.string(3, scope.schemaURL)
      outer.message(2, inner.bytes)
    }
    outer.string(3, group.schemaURL)
    out.message(1, outer.bytes)
  }
  return out.bytes
}

/// One field as it stands on the wire.
struct Field {
  enum Payload: Equatable {
    case number(UInt64)
    case bytes([UInt8])
  }
  var number: Int
  var payload: Payload

  var int: UInt64 {
    guard case .number(let value) = payload else { fatalError("field \(number) holds bytes") }
    return value
  }
  var bytes: [UInt8] {
    guard case .bytes(let bytes) = payload else { fatalError("field \(number) holds a number") }
    return bytes
  }
}

/// Splits a message into its fields; traps on malformed bytes, which the encoders under test must not write.
func fields(_ bytes: [UInt8]) -> [Field] {
  var out: [Field] = []
  var at = 0
  func varint() -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = bytes[at]
      at += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
  }
  func fixed(_ count: Int) -> UInt64 {
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[at + index]) << (8 * index) }
    at += count
    return value
  }
  while at < bytes.count {
    let tag = varint()
    let number = Int(tag >> 3)
    switch tag & 7 {
    case 0: out.append(Field(number: number, payload: .number(varint())))
    case 1: out.append(Field(number: number, payload: .number(fixed(8))))
    case 5: out.append(Field(number: number, payload: .number(fixed(4))))
    case 2:
      let count = Int(varint())
      out.append(Field(number: number, payload: .bytes(Array(bytes[at..<at + count]))))
      at += count
    default: fatalError("wire type \(tag & 7)")
    }
  }
  return out
}

extension Value {
  init(wire: [UInt8]) {
    self = .none
    for field in fields(wire) {
      switch field.number {
      case 1: self = .string(field.bytes)
      case 2: self = .bool(field.int != 0)
      case 3: self = .int(Int64(bitPattern: field.int))
      case 4: self = .double(field.int)
      case 5: self = .array(fields(field.bytes).map { Value(wire: $0.bytes) })
      case 6: self = .kvlist(fields(field.bytes).map { Pair(wire: $0.bytes) })
      case 7: self = .bytes(field.bytes)
      default: fatalError("AnyValue field \(field.number)")
      }
    }
  }
}

extension Pair {
  init(wire: [UInt8]) {
    self.init(bytes: [], .none)
    for field in fields(wire) {
      if field.number == 1 { key = field.bytes } else { value = Value(wire: field.bytes) }
    }
  }
}

extension ResourceModel {
  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: attributes.append(Pair(wire: field.bytes))
      case 2: dropped = UInt32(field.int)
      case 3:
        var entity = Entity()
        for inner in fields(field.bytes) {
          switch inner.number {
          case 1: entity.schemaURL = inner.bytes
          case 2: entity.type = inner.bytes
          case 3: entity.idKeys.append(inner.bytes)
          default: entity.descriptionKeys.append(inner.bytes)
          }
        }
        entities.append(entity)
      default: fatalError("Resource field \(field.number)")
      }
    }
  }
}

extension ScopeModel {
  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: name = field.bytes
      case 2: version = field.bytes
      case 3: attributes.append(Pair(wire: field.bytes))
      case 4: dropped = UInt32(field.int)
      default: fatalError("InstrumentationScope field \(field.number)")
      }
    }
  }
}

extension LogModel {
  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: time = field.int
      case 2: severity = Int32(truncatingIfNeeded: field.int)
      case 3: severityText = field.bytes
      case 5: body = Value(wire: field.bytes)
      case 6: attributes.append(Pair(wire: field.bytes))
      case 7: dropped = UInt32(field.int)
      case 8: flags = UInt32(field.int)
      case 9: traceID = field.bytes
      case 10: spanID = field.bytes
      case 11: observed = field.int
      case 12: eventName = field.bytes
      default: fatalError("LogRecord field \(field.number)")
      }
    }
  }
}

func requestModel<Row>(_ wire: [UInt8], row: ([UInt8]) -> Row) -> [ResourceGroup<Row>] {
  fields(wire).map { outer in
    var group = ResourceGroup<Row>()
    for field in fields(outer.bytes) {
      switch field.number {
      case 1: group.resource = ResourceModel(wire: field.bytes)
      case 3: group.schemaURL = field.bytes
      default:
        var scope = ScopeGroup<Row>()
        for inner in fields(field.bytes) {
          switch inner.number {
          case 1: scope.scope = ScopeModel(wire: inner.bytes)
          case 3: scope.schemaURL = inner.bytes
          default: scope.rows.append(row(inner.bytes))
          }
        }
        group.scopes.append(scope)
      }
    }
    return group
  }
}
