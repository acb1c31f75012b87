import LakeJSON
import LakeModel

/// A request's body as protobuf, whatever it came as.
enum RequestBody {
  /// More than the surfaces let through; offsets of columns rely on it.
  static let bytesMax = 512 << 20

  static func withProtobuf(
    _ body: Bytes, encoding: OTLPEncoding, message: WireMessageID, limits: DecodeLimits,
    _ read: (RawBytes) throws(WireError) -> Void
  ) throws(OTLPError) {
    guard body.count <= bytesMax else {
      throw .overLimit(location: "byte \(bytesMax)", what: "body of \(body.count) bytes")
    }
    switch encoding {
    case .protobuf:
      try run(body, offsetsMeanTheBody: true, read)
    case .json:
      let document = try JSONBody.parse(body)
      var out = BufferBuilder<UInt8>(capacity: body.count / 2 + 64)
      do throws(JSONFault) {
        try document.withTape { (tape) throws(JSONFault) in
          try JSONToProto(tape: tape, valueDepthMax: limits.valueDepthMax)
            .append(message, at: JSONTape.root, to: &out)
        }
      } catch {
        throw error.error
      }
      try run(Bytes(out.finish()), offsetsMeanTheBody: false, read)
    }
  }

  /// A request as the client wants it.
  static func encoded(
    _ request: consuming BufferBuilder<UInt8>, as message: WireMessageID, _ encoding: OTLPEncoding
  ) throws(OTLPError) -> Bytes {
    let bytes = Bytes(request.finish())
    guard encoding == .json else { return bytes }
    var out = BufferBuilder<UInt8>(capacity: bytes.count * 3)
    var json = ProtoToJSON(keepsNaN: false, valueDepthMax: StoredJSON.valueDepthMax)
    let whole = RawBytes(bytes.unsafeBase.assumingMemoryBound(to: UInt8.self), bytes.count)
    do throws(WireError) {
      try json.append(message, whole, to: &out)
    } catch {
      throw error.described(in: nil)
    }
    withExtendedLifetime(bytes) {}
    return Bytes(out.finish())
  }

  private static func run(
    _ body: Bytes, offsetsMeanTheBody: Bool, _ read: (RawBytes) throws(WireError) -> Void
  ) throws(OTLPError) {
    let bytes = RawBytes(body.unsafeBase.assumingMemoryBound(to: UInt8.self), body.count)
    do throws(WireError) {
      try read(bytes)
    } catch {
      throw error.described(in: offsetsMeanTheBody ? bytes : nil)
    }
    withExtendedLifetime(body) {}
  }
}

extension Bytes {
  init(_ buffer: Buffer<UInt8>) { self.init(storage: buffer.storage, offset: buffer.offset, count: buffer.count) }
}
