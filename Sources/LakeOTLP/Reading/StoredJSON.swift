import LakeJSON
import LakeModel

/// JSON text that a decoder put into a column, read again.
struct StoredJSON {
  let document: JSONDocument
  private let place: String

  /// Nesting of values in stored text: whatever `DecodeLimits` allowed when it was written.
  static let valueDepthMax = 1000

  /// - Parameter place: for errors, as in `row 3, otlp_extra`.
  init(_ text: RawBytes, place: @autoclosure () -> String) throws(OTLPError) {
    self.place = place()
    do throws(JSONError) {
      document = try JSONDocument(
        Bytes(copying: UnsafeRawBufferPointer(text.buffer)), depthMax: StoredJSON.valueDepthMax * 4 + 16)
    } catch {
      throw .malformed(location: self.place, what: "\(error)")
    }
    guard document.root.kind == .object else { throw .malformed(location: self.place, what: "expected an object") }
  }

  /// The bytes of a base64 member.
  func base64(_ name: String) throws(OTLPError) -> Buffer<UInt8>? {
    guard let text = try text(name) else { return nil }
    var out = BufferBuilder<UInt8>(capacity: text.count)
    guard Base64.decode(text, into: &out) else {
      throw .malformed(location: place + "." + name, what: "expected base64")
    }
    return out.finish()
  }

  /// The bytes of a member in hexadecimal digits.
  func hex(_ name: String) throws(OTLPError) -> Buffer<UInt8>? {
    guard let text = try text(name) else { return nil }
    guard let bytes = Hex.bytes(text.buffer) else {
      throw .malformed(location: place + "." + name, what: "expected hexadecimal digits")
    }
    return Buffer(bytes)
  }

  func unsigned(_ name: String) throws(OTLPError) -> UInt64? {
    guard let text = try text(name) else { return nil }
    guard let value = NumberText.uint64(text) else {
      throw .malformed(location: place + "." + name, what: "expected a decimal number")
    }
    return value
  }

  private func text(_ name: String) throws(OTLPError) -> RawBytes? {
    guard let value = document.root[name] else { return nil }
    guard let text = value.utf8, let start = text.baseAddress else {
      throw .malformed(location: place + "." + name, what: "expected text")
    }
    return RawBytes(start, text.count)
  }

  /// Appends the fields of the whole object as a message; members that the message does not have are passed over.
  func append(_ message: WireMessageID, to out: inout BufferBuilder<UInt8>) throws(OTLPError) {
    try append(message, at: JSONTape.root, to: &out)
  }

  private func append(
    _ message: WireMessageID, at index: Int, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) {
    do throws(JSONFault) {
      try document.withTape { (tape) throws(JSONFault) in
        try JSONToProto(tape: tape, valueDepthMax: StoredJSON.valueDepthMax).append(message, at: index, to: &out)
      }
    } catch {
      throw .malformed(location: place, what: error.error.description)
    }
  }

  /// Appends each message of a member's list under `field`.
  /// - Returns: false when there is no such member.
  func append(
    list name: String, of message: WireMessageID, field: UInt32, to out: inout BufferBuilder<UInt8>
  ) throws(OTLPError) -> Bool {
    guard let list = document.root[name] else { return false }
    for element in list.elements {
      let start = out.beginMessage(field)
      try append(message, at: element.tapeIndex, to: &out)
      out.endMessage(start)
    }
    return true
  }
}
