import LakeJSON
import LakeModel

/// A map of attributes and its shapes, back to KeyValues.
struct AttributesReader {
  private let ranges: RangeReader
  private let keys: TextReader
  private let values: TextReader
  private let shapes: TextReader?
  private let column: String

  /// - Parameter column: the map's name, for errors.
  init?(_ map: Column?, shapes: Column?, column: String) {
    guard let map, case .map(_, let keys, let values) = map.values, let ranges = RangeReader(map),
      let keyReader = TextReader(keys), let valueReader = TextReader(values)
    else { return nil }
    self.ranges = ranges
    self.keys = keyReader
    self.values = valueReader
    self.shapes = TextReader(shapes)
    self.column = column
  }

  /// Appends the row's own attributes - those of its resource and scope are elsewhere - as KeyValues under `field`. A map without a
  /// shape was not written by the decoders: its entries are texts of the row itself.
  func appendOwn(_ row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    guard let range = ranges[row], !range.isEmpty else { return }
    guard let shape = shapes?[row] else {
      for entry in range {
        let kind: AnyValueKind = values[entry] == nil ? .none : .string
        try append(entry, kind: kind, row: row, field: field, to: &out)
      }
      return
    }
    var entry = range.lowerBound
    var isOwn = false
    for letter in shape.buffer {
      if letter < UInt8(ascii: "a") {
        isOwn = letter == AttributesBuilder.Level.item.letter
        continue
      }
      guard entry < range.upperBound, let kind = AnyValueKind(letter: letter) else { throw misfit(row) }
      if isOwn { try append(entry, kind: kind, row: row, field: field, to: &out) }
      entry += 1
    }
    guard entry == range.upperBound else { throw misfit(row) }
  }

  private func misfit(_ row: Int) -> OTLPError {
    .malformed(location: "row \(row), \(column)", what: "the shape does not fit the map")
  }

  private func append(
    _ entry: Int, kind: AnyValueKind, row: Int, field: UInt32, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    guard let key = keys[entry], kind == .none || values[entry] != nil else { throw misfit(row) }
    let pair = out.beginMessage(field)
    if !key.isEmpty { out.field(1, bytes: key) }
    if kind != .none, let text = values[entry] {
      let value = out.beginMessage(2)
      guard try append(text, kind: kind, row: row, to: &out) else { throw misfit(row) }
      out.endMessage(value)
    }
    out.endMessage(pair)
  }

  /// - Returns: false when the text is not one of that kind.
  private func append(
    _ text: RawBytes, kind: AnyValueKind, row: Int, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) -> Bool {
    switch kind {
    case .none: break
    case .string: out.field(1, bytes: text)
    case .bool: out.field(2, varint: text.equals(RawBytes("true")) ? 1 : 0)
    case .int:
      guard let value = NumberText.int64(text) else { return false }
      out.field(3, varint: UInt64(bitPattern: value))
    case .double:
      guard let value = NumberText.double(text) else { return false }
      out.field(4, fixed64: value.bitPattern)
    case .bytes:
      let start = out.beginMessage(7)
      guard Base64.decode(text, into: &out) else { return false }
      out.endMessage(start)
    case .array, .kvlist:
      guard
        let document = try? JSONDocument(
          Bytes(copying: UnsafeRawBufferPointer(text.buffer)), depthMax: StoredJSON.valueDepthMax + 1)
      else { return false }
      guard document.root.kind == (kind == .array ? .array : .object) else { return false }
      return document.withTape { tape in PlainJSONReader(tape: tape).append(JSONTape.root, to: &out) }
    }
    return true
  }
}

/// The text of `PlainJSON`, back to AnyValues.
private struct PlainJSONReader {
  let tape: JSONTape

  /// Appends the fields of an AnyValue. - Returns: false for what `PlainJSON` does not write.
  func append(_ index: Int, to out: inout BufferBuilder<UInt8>) -> Bool {
    switch tape.kind(index) {
    case .null: break
    case .bool: out.field(2, varint: tape.isTrue(index) ? 1 : 0)
    case .integer: out.field(3, varint: tape.bits(index))
    case .unsigned: return false
    case .double: out.field(4, fixed64: tape.bits(index))
    case .string:
      let text = tape.string(index)
      out.field(1, bytes: RawBytes(text.baseAddress!, text.count))
    case .array: return appendList(index, field: 5, to: &out)
    case .object: return appendMembers(index, to: &out)
    }
    return true
  }

  private func appendList(_ index: Int, field: UInt32, to out: inout BufferBuilder<UInt8>) -> Bool {
    let list = out.beginMessage(field)
    var at = index + 1
    while at < tape.end(index) {
      let element = out.beginMessage(1)
      guard append(at, to: &out) else { return false }
      out.endMessage(element)
      at = tape.after(at)
    }
    out.endMessage(list)
    return true
  }

  private func appendMembers(_ index: Int, to out: inout BufferBuilder<UInt8>) -> Bool {
    let list = out.beginMessage(6)
    var at = index + 1
    while at < tape.end(index) {
      let name = tape.string(at)
      let pair = out.beginMessage(1)
      if name.count > 0 { out.field(1, bytes: RawBytes(name.baseAddress!, name.count)) }
      if tape.kind(at + 1) != .null {
        let value = out.beginMessage(2)
        guard append(at + 1, to: &out) else { return false }
        out.endMessage(value)
      }
      out.endMessage(pair)
      at = tape.after(at + 1)
    }
    out.endMessage(list)
    return true
  }
}
