import LakeJSON
import LakeModel

/// OTLP JSON -> protobuf, so that one decoder gives both forms of a request their meaning.
///
/// What is accepted follows the recorded receiver: camelCase and snake_case names, unknown names passed over, 64-bit integers as
/// number or text, enums as number or name, ids as hexadecimal digits in either case, bytes as base64. `null` stands for an empty
/// text, message or list; for a number, a truth value, an id or bytes it is a fault. A repeated name: the last wins, lists add up.
struct JSONToProto {
  let tape: JSONTape
  /// Nesting of AnyValue.
  let valueDepthMax: Int
  private let schema = WireSchema.shared

  init(tape: JSONTape, valueDepthMax: Int) {
    self.tape = tape
    self.valueDepthMax = valueDepthMax
  }

  /// Appends the fields of the object at `index`.
  func append(
    _ message: WireMessageID, at index: Int, depth: Int = 0, to out: inout BufferBuilder<UInt8>
  ) throws(JSONFault) {
    switch tape.kind(index) {
    case .null: return
    case .object: break
    default: throw JSONFault("expected an object")
    }
    var depth = depth
    if message == .anyValue {
      guard depth < valueDepthMax else { throw JSONFault.tooDeep() }
      depth += 1
    }
    let fields = schema.fields(of: message)
    var guess = 0
    var at = index + 1
    let end = tape.end(index)
    while at < end {
      let name = tape.string(at)
      let value = at + 1
      if let position = JSONToProto.find(name, in: fields, guess: guess) {
        guess = position + 1
        do throws(JSONFault) {
          try appendField(fields[position], at: value, depth: depth, to: &out)
        } catch {
          throw error.inside("." + String(decoding: name, as: UTF8.self))
        }
      }
      at = tape.after(value)
    }
  }

  /// The fields mostly come in the order of the table: the search starts behind the last one found.
  @inline(__always)
  private static func find(
    _ name: UnsafeBufferPointer<UInt8>, in fields: UnsafeBufferPointer<WireField>, guess: Int
  ) -> Int? {
    guard let start = name.baseAddress else { return nil }
    let wanted = RawBytes(start, name.count)
    var index = guess
    for _ in 0..<fields.count {
      if index >= fields.count { index = 0 }
      if wanted.equals(RawBytes(fields[index].name)) || wanted.equals(RawBytes(fields[index].snakeName)) {
        return index
      }
      index += 1
    }
    return nil
  }

  private func appendField(
    _ field: WireField, at index: Int, depth: Int, to out: inout BufferBuilder<UInt8>
  ) throws(JSONFault) {
    guard field.isRepeated else { return try appendValue(field, at: index, depth: depth, to: &out) }
    switch tape.kind(index) {
    case .null: return
    case .array: break
    default: throw JSONFault("expected a list")
    }
    if isPacked(field.kind) { return try appendPacked(field, at: index, to: &out) }
    var at = index + 1
    var position = 0
    let end = tape.end(index)
    while at < end {
      do throws(JSONFault) {
        try appendValue(field, at: at, depth: depth, to: &out)
      } catch {
        throw error.inside("[\(position)]")
      }
      at = tape.after(at)
      position += 1
    }
  }

  private func isPacked(_ kind: WireField.Kind) -> Bool {
    switch kind {
    case .fixed64, .double, .uint64: true
    default: false
    }
  }

  private func appendPacked(
    _ field: WireField, at index: Int, to out: inout BufferBuilder<UInt8>
  ) throws(JSONFault) {
    let start = out.beginMessage(field.number)
    var at = index + 1
    var position = 0
    let end = tape.end(index)
    while at < end {
      do throws(JSONFault) {
        switch field.kind {
        case .double: withUnsafeBytes(of: try double(at).bitPattern.littleEndian) { out.append($0) }
        case .fixed64: withUnsafeBytes(of: try unsigned(at).littleEndian) { out.append($0) }
        default: out.varint(try unsigned(at))
        }
      } catch {
        throw error.inside("[\(position)]")
      }
      at = tape.after(at)
      position += 1
    }
    out.endMessage(start)
  }

  private func appendValue(
    _ field: WireField, at index: Int, depth: Int, to out: inout BufferBuilder<UInt8>
  ) throws(JSONFault) {
    switch field.kind {
    case .message(let message):
      let start = out.beginMessage(field.number)
      try append(message, at: index, depth: depth, to: &out)
      out.endMessage(start)
    case .string: out.field(field.number, bytes: try text(index))
    case .bytes, .id: try appendBytes(field, at: index, to: &out)
    case .bool: out.field(field.number, varint: try bool(index) ? 1 : 0)
    case .int64: out.field(field.number, varint: UInt64(bitPattern: try signed(index)))
    case .uint32: out.field(field.number, varint: UInt64(try unsigned32(index)))
    case .uint64: out.field(field.number, varint: try unsigned(index))
    case .sint32:
      let value = try signed32(index)
      out.field(field.number, varint: UInt64(UInt32(bitPattern: (value << 1) ^ (value >> 31))))
    case .fixed32: out.field(field.number, fixed32: try unsigned32(index))
    case .fixed64: out.field(field.number, fixed64: try unsigned(index))
    case .sfixed64: out.field(field.number, fixed64: UInt64(bitPattern: try signed(index)))
    case .double: out.field(field.number, fixed64: try double(index).bitPattern)
    case .enumeration(let names):
      out.field(field.number, varint: UInt64(bitPattern: Int64(try enumValue(index, names))))
    }
  }

  // MARK: - Scalars

  private func text(_ index: Int) throws(JSONFault) -> RawBytes {
    switch tape.kind(index) {
    case .string: return raw(index)
    case .null: return .none
    default: throw JSONFault("expected text")
    }
  }

  private func raw(_ index: Int) -> RawBytes {
    let bytes = tape.string(index)
    return RawBytes(bytes.baseAddress!, bytes.count)
  }

  private func appendBytes(_ field: WireField, at index: Int, to out: inout BufferBuilder<UInt8>) throws(JSONFault) {
    guard tape.kind(index) == .string else { throw JSONFault("expected text") }
    let text = raw(index)
    let start = out.beginMessage(field.number)
    if case .bytes = field.kind {
      guard Base64.decode(text, into: &out) else { throw JSONFault("expected base64") }
    } else {
      guard text.count % 2 == 0 else { throw JSONFault("expected an even number of hexadecimal digits") }
      for pair in stride(from: 0, to: text.count, by: 2) {
        guard let high = Hex.value(of: text.start[pair]), let low = Hex.value(of: text.start[pair + 1]) else {
          throw JSONFault("expected hexadecimal digits")
        }
        out.append(high << 4 | low)
      }
    }
    out.endMessage(start)
  }

  private func bool(_ index: Int) throws(JSONFault) -> Bool {
    guard tape.kind(index) == .bool else { throw JSONFault("expected true or false") }
    return tape.isTrue(index)
  }

  private func signed(_ index: Int) throws(JSONFault) -> Int64 {
    switch tape.kind(index) {
    case .integer: return Int64(bitPattern: tape.bits(index))
    case .string:
      if let value = NumberText.int64(raw(index)) { return value }
      throw JSONFault("expected a decimal integer of 64 bits")
    default: throw JSONFault("expected an integer of 64 bits")
    }
  }

  private func signed32(_ index: Int) throws(JSONFault) -> Int32 {
    guard let value = Int32(exactly: try signed(index)) else { throw JSONFault("expected an integer of 32 bits") }
    return value
  }

  private func unsigned(_ index: Int) throws(JSONFault) -> UInt64 {
    switch tape.kind(index) {
    case .integer:
      if let value = UInt64(exactly: Int64(bitPattern: tape.bits(index))) { return value }
    case .unsigned: return tape.bits(index)
    case .string:
      if let value = NumberText.uint64(raw(index)) { return value }
    default: break
    }
    throw JSONFault("expected an unsigned integer of 64 bits")
  }

  private func unsigned32(_ index: Int) throws(JSONFault) -> UInt32 {
    guard let value = UInt32(exactly: try unsigned(index)) else {
      throw JSONFault("expected an unsigned integer of 32 bits")
    }
    return value
  }

  private func double(_ index: Int) throws(JSONFault) -> Double {
    switch tape.kind(index) {
    case .double: return Double(bitPattern: tape.bits(index))
    case .integer: return Double(Int64(bitPattern: tape.bits(index)))
    case .unsigned: return Double(tape.bits(index))
    case .string:
      if let value = NumberText.double(raw(index)) { return value }
    default: break
    }
    throw JSONFault("expected a number, \"NaN\", \"Infinity\" or \"-Infinity\"")
  }

  private func enumValue(_ index: Int, _ names: WireEnumID) throws(JSONFault) -> Int32 {
    switch tape.kind(index) {
    case .integer:
      if let value = Int32(exactly: Int64(bitPattern: tape.bits(index))) { return value }
    case .string:
      if let value = WireEnum.value(of: raw(index), in: names) { return value }
    default: break
    }
    throw JSONFault("expected an enum value, by number or full name")
  }
}

/// Parsing a request's JSON text with a fault that says where.
enum JSONBody {
  /// Unknown members may be nested as deeply as the recorded receiver's parser goes.
  static let depthMax = 10_000

  /// Text after the first value is not looked at, as the recorded receiver does.
  static func parse(_ body: Bytes) throws(OTLPError) -> JSONDocument {
    do throws(JSONError) {
      return try JSONDocument(body, depthMax: depthMax)
    } catch {
      switch JSONSyntax.scan(body, depthMax: depthMax) {
      case .fault(let offset, let what): throw .malformed(location: "byte \(offset)", what: what)
      case .value(let end):
        let value = body[0..<end]
        if end < body.count, let document = try? JSONDocument(value, depthMax: depthMax) { return document }
        let widened = JSONSyntax.wideningLongIntegers(value)
        if let document = try? JSONDocument(widened, depthMax: depthMax) { return document }
        // The recorded receiver does not look at the bytes of strings.
        if let repaired = JSONSyntax.repairingText(widened),
          let document = try? JSONDocument(repaired, depthMax: depthMax)
        {
          return document
        }
        guard case .malformed(let message) = error else { throw .malformed(location: "$", what: "not JSON") }
        throw .malformed(location: "$", what: "not JSON: \(message)")
      }
    }
  }
}
