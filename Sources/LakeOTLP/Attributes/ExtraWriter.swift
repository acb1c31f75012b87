import LakeModel

/// Writes `otlp_extra`: a JSON object of what a row's columns cannot hold.
struct ExtraWriter: ~Copyable {
  private let limits: DecodeLimits
  private var out = BufferBuilder<UInt8>()

  init(limits: DecodeLimits) { self.limits = limits }

  private mutating func key(_ name: StaticString) {
    out.append(out.count == 0 ? UInt8(ascii: "{") : UInt8(ascii: ","))
    out.append(UInt8(ascii: "\""))
    out.append(name)
    out.append("\":")
  }

  mutating func member(_ name: StaticString, base64 bytes: RawBytes) {
    key(name)
    out.quotedBase64(bytes)
  }

  mutating func member(_ name: StaticString, hex bytes: RawBytes) {
    guard !bytes.isEmpty else { return }
    key(name)
    out.quotedHex(bytes)
  }

  mutating func member(_ name: StaticString, number: UInt64) {
    key(name)
    out.append(UInt8(ascii: "\""))
    NumberText.append(number, to: &out)
    out.append(UInt8(ascii: "\""))
  }

  /// The KeyValues of one field of a message, all of them in order.
  /// - Returns: false when invalid UTF-8 was repaired.
  @discardableResult
  mutating func member(
    _ name: StaticString, field: UInt32, message: RawBytes
  ) throws(WireError) -> Bool {
    key(name)
    out.append(UInt8(ascii: "["))
    var json = ProtoToJSON(keepsNaN: true, valueDepthMax: limits.valueDepthMax)
    var found = try Occurrences(of: field, in: message)
    var isFirst = true
    while let value = try found.next() {
      guard case .bytes(let pair) = value else { throw WireError(.wrongWireType, at: message.start, field: field) }
      if !isFirst { out.append(UInt8(ascii: ",")) }
      isFirst = false
      try json.append(.keyValue, pair, to: &out)
    }
    out.append(UInt8(ascii: "]"))
    return !json.isRepaired
  }

  /// Ends the object; nil without members.
  consuming func finish() -> Buffer<UInt8>? {
    guard out.count > 0 else { return nil }
    out.append(UInt8(ascii: "}"))
    return out.finish()
  }

  /// Ends the object as a row's value; without members the row has none.
  consuming func finish(into column: inout RareBytesColumn, row: Int) {
    guard out.count > 0 else { return }
    out.append(UInt8(ascii: "}"))
    column.set(out.written, row: row)
  }
}
