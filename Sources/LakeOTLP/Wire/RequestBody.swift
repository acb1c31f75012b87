import LakeJSON
import LakeModel

/// A request's body as protobuf, whatever it came as.
enum RequestBody {
  /// More than the surfaces let through; offsets of columns rely on it.
  static let bytesMax = 512 << 20

  /// - Returns: what the limits of the tenant took away before `read`.
  static func withProtobuf(
    _ body: Bytes, encoding: OTLPEncoding, signal: OTLPSignal, context: DecodeContext,
    _ read: (RawBytes) throws(WireError) -> Void
  ) throws(OTLPError) -> Excess {
    guard body.count <= bytesMax else {
      throw .overLimit(location: "byte \(bytesMax)", what: "body of \(body.count) bytes")
    }
    switch encoding {
    case .protobuf:
      return try run(body, offsetsMeanTheBody: true, signal, context.recordLimits, read)
    case .json:
      let document = try JSONBody.parse(body)
      var out = BufferBuilder<UInt8>(capacity: body.count / 2 + 64)
      do throws(JSONFault) {
        try document.withTape { (tape) throws(JSONFault) in
          try JSONToProto(tape: tape, valueDepthMax: context.limits.valueDepthMax)
            .append(signal.requestMessage, at: JSONTape.root, to: &out)
        }
      } catch {
        throw error.error
      }
      return try run(Bytes(out.finish()), offsetsMeanTheBody: false, signal, context.recordLimits, read)
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
    _ body: Bytes, offsetsMeanTheBody: Bool, _ signal: OTLPSignal, _ limits: RecordLimits,
    _ read: (RawBytes) throws(WireError) -> Void
  ) throws(OTLPError) -> Excess {
    let bytes = RawBytes(body.unsafeBase.assumingMemoryBound(to: UInt8.self), body.count)
    var trimmer = RequestTrimmer(limits: limits, signal: signal)
    let trimmed: Bytes?
    do throws(WireError) {
      trimmed = try trimmer.trim(bytes)
      if trimmed == nil { try read(bytes) }
    } catch {
      throw error.described(in: offsetsMeanTheBody ? bytes : nil)
    }
    withExtendedLifetime(body) {}
    guard let trimmed else { return Excess() }
    do throws(WireError) {
      try read(RawBytes(trimmed.unsafeBase.assumingMemoryBound(to: UInt8.self), trimmed.count))
    } catch {
      throw error.described(in: nil)
    }
    withExtendedLifetime(trimmed) {}
    return trimmer.excess
  }
}

extension Bytes {
  init(_ buffer: Buffer<UInt8>) { self.init(storage: buffer.storage, offset: buffer.offset, count: buffer.count) }
}

extension OTLPSignal {
  var requestMessage: WireMessageID {
    switch self {
    case .logs: .logsRequest
    case .traces: .tracesRequest
    case .metrics: .metricsRequest
    }
  }
}
