/// Why a request could not be decoded. Every case is the sender's fault: a 400 (gRPC INVALID_ARGUMENT) for the whole request.
package enum OTLPError: Error, Hashable, Sendable {
  /// Not the encoding it claims to be, or a value of a wrong type. `location` says where: `byte 17` of the decompressed
  /// body, or a JSON path such as `$.resourceLogs[0].scopeLogs[1]`.
  case malformed(location: String, what: String)
  /// Well formed, but larger in some way than a request may be (see `DecodeLimits`).
  case overLimit(location: String, what: String)
}

extension OTLPError: CustomStringConvertible {
  /// For the client: says where and what, holds nothing of the server's insides.
  package var description: String {
    switch self {
    case .malformed(let location, let what): "malformed request at \(location): \(what)"
    case .overLimit(let location, let what): "request over a limit at \(location): \(what)"
    }
  }
}
