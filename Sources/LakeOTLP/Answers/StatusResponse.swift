package import LakeModel

/// Bodies of `google.rpc.Status`, the answer to a refused request.
package enum StatusResponse {
  private static let retryInfoType: StaticString = "type.googleapis.com/google.rpc.RetryInfo"

  /// - Parameters:
  ///   - code: a gRPC status code (3 INVALID_ARGUMENT, 8 RESOURCE_EXHAUSTED, 13 INTERNAL, 14 UNAVAILABLE).
  ///   - retryDelay: adds a `google.rpc.RetryInfo` detail.
  package static func encode(code: Int, message: String, retryDelay: Duration? = nil, encoding: OTLPEncoding) -> Bytes {
    var message = message
    return message.withUTF8 { text in
      let text = text.baseAddress.map { RawBytes($0, text.count) } ?? .none
      switch encoding {
      case .protobuf: return protobuf(code: code, message: text, retryDelay: retryDelay)
      case .json: return json(code: code, message: text, retryDelay: retryDelay)
      }
    }
  }

  private static func protobuf(code: Int, message: RawBytes, retryDelay: Duration?) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: message.count + 96)
    if code != 0 { out.field(1, varint: UInt64(bitPattern: Int64(code))) }
    if !message.isEmpty { out.field(2, bytes: message) }
    if let retryDelay {
      let detail = out.beginMessage(3)
      out.field(1, bytes: RawBytes(retryInfoType))
      let info = out.beginMessage(2)
      let delay = out.beginMessage(1)
      let (seconds, nanos) = split(retryDelay)
      if seconds != 0 { out.field(1, varint: UInt64(bitPattern: seconds)) }
      if nanos != 0 { out.field(2, varint: UInt64(bitPattern: nanos)) }
      out.endMessage(delay)
      out.endMessage(info)
      out.endMessage(detail)
    }
    return Bytes(out.finish())
  }

  private static func json(code: Int, message: RawBytes, retryDelay: Duration?) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: message.count + 160)
    out.append("{\"code\":")
    NumberText.append(Int64(code), to: &out)
    out.append(",\"message\":")
    out.quoted(message)
    if let retryDelay {
      out.append(",\"details\":[{\"@type\":\"")
      out.append(retryInfoType)
      out.append("\",\"retryDelay\":\"")
      let (seconds, nanos) = split(retryDelay)
      NumberText.append(seconds, to: &out)
      if nanos != 0 {
        let digits = String(nanos)
        out.append(".")
        out.append(repeating: UInt8(ascii: "0"), count: 9 - digits.utf8.count)
        for digit in digits.utf8 { out.append(digit) }
      }
      out.append("s\"}]")
    }
    out.append("}")
    return Bytes(out.finish())
  }

  /// A retry delay is never negative.
  private static func split(_ delay: Duration) -> (seconds: Int64, nanos: Int64) {
    let nanoseconds = max(0, delay.nanoseconds)
    return (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000)
  }
}
