/// What the server refuses by itself, and with which status.
package enum RequestFailure: Error, Hashable, Sendable {
  // Request line
  case requestLineMalformed
  case requestLineTooLong
  case versionUnsupported
  case methodUnsupported
  case targetMalformed
  case percentEncodingMalformed
  // Fields
  case lineEndMalformed
  case fieldMalformed
  case fieldsTooLarge
  case fieldsTooMany
  case hostMissing
  case hostMalformed
  case expectationUnknown
  // Framing
  case contentLengthMalformed
  case contentLengthRepeated
  case contentLengthWithTransferEncoding
  case transferEncodingMalformed
  case transferEncodingUnsupported
  case chunkMalformed
  case bodyTooLarge
  // Time and room
  case headerTimeout
  case bodyTimeout
  case bodyMemoryExhausted
  case connectionsExhausted

  package var status: Int {
    switch self {
    case .requestLineMalformed, .targetMalformed, .percentEncodingMalformed, .lineEndMalformed, .fieldMalformed,
      .hostMissing, .hostMalformed, .contentLengthMalformed, .contentLengthRepeated,
      .contentLengthWithTransferEncoding, .transferEncodingMalformed, .chunkMalformed:
      400
    case .headerTimeout, .bodyTimeout: 408
    case .bodyTooLarge: 413
    case .requestLineTooLong: 414
    case .expectationUnknown: 417
    case .fieldsTooLarge, .fieldsTooMany: 431
    case .methodUnsupported, .transferEncodingUnsupported: 501
    case .bodyMemoryExhausted, .connectionsExhausted: 503
    case .versionUnsupported: 505
    }
  }

  package var message: String {
    switch self {
    case .requestLineMalformed: "malformed request line"
    case .requestLineTooLong: "request line too long"
    case .versionUnsupported: "HTTP version not supported"
    case .methodUnsupported: "method not supported"
    case .targetMalformed: "malformed request target"
    case .percentEncodingMalformed: "malformed percent-encoding in request target"
    case .lineEndMalformed: "line does not end in CRLF"
    case .fieldMalformed: "malformed header field"
    case .fieldsTooLarge: "header fields too large"
    case .fieldsTooMany: "too many header fields"
    case .hostMissing: "Host missing or repeated"
    case .hostMalformed: "malformed Host"
    case .expectationUnknown: "unknown expectation"
    case .contentLengthMalformed: "malformed Content-Length"
    case .contentLengthRepeated: "repeated Content-Length"
    case .contentLengthWithTransferEncoding: "both Content-Length and Transfer-Encoding"
    case .transferEncodingMalformed: "malformed Transfer-Encoding"
    case .transferEncodingUnsupported: "transfer coding not supported"
    case .chunkMalformed: "malformed chunk"
    case .bodyTooLarge: "request body too large"
    case .headerTimeout: "timed out waiting for the request header"
    case .bodyTimeout: "timed out waiting for the request body"
    case .bodyMemoryExhausted: "too many request bodies in memory, try again later"
    case .connectionsExhausted: "too many connections, try again later"
    }
  }

  /// Whether trying again later may help, so that the answer carries Retry-After.
  var isTransient: Bool { status == 503 }
}
