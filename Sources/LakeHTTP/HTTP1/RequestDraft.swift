import LakeAPI

/// A request's header while its lines come in.
struct RequestDraft: Sendable {
  var line = RequestLine()
  private var fields: [(name: String, value: String)] = []
  private var hostCount = 0
  private var contentLength: Int?
  private var transferEncoding: TransferEncoding?
  private var closes = false
  private var keepsAlive = false
  private var expectsContinue = false

  private enum TransferEncoding {
    case chunked
    /// A list of codings that ends in chunked: correct, but nothing we can undo.
    case unsupported
  }

  mutating func addField(_ bytes: UnsafeRawBufferPointer) throws(RequestFailure) {
    let field = try FieldLine(bytes)
    switch field.name.count {
    case 4 where field.isNamed("host"): try addHost(field.value)
    case 6 where field.isNamed("expect"): try addExpectation(field.value)
    case 10 where field.isNamed("connection"): addConnection(field.value)
    case 14 where field.isNamed("content-length"): try addContentLength(field.value)
    case 17 where field.isNamed("transfer-encoding"): try addTransferEncoding(field.value)
    default: break
    }
    if fields.isEmpty { fields.reserveCapacity(8) }
    fields.append((String(decoding: field.name, as: UTF8.self), String(decoding: field.value, as: UTF8.self)))
  }

  /// The whole header, once its last line has come.
  func finish() throws(RequestFailure) -> RequestHead {
    guard hostCount == 1 || (hostCount == 0 && line.isVersion10) else { throw .hostMissing }
    var framing = RequestHead.Framing.none
    if let transferEncoding {
      if contentLength != nil { throw .contentLengthWithTransferEncoding }
      // Chunks in HTTP/1.0: whoever stands between may have read the body's length otherwise (RFC 9112, section 6.1).
      if line.isVersion10 { throw .transferEncodingMalformed }
      if case .unsupported = transferEncoding { throw .transferEncodingUnsupported }
      framing = .chunked
    } else if let contentLength, contentLength > 0 {
      framing = .length(contentLength)
    }
    var headers = HTTPHeaders(fields)
    if let authority = line.target.authority { headers.set("Host", authority) }
    return RequestHead(
      request: HTTPRequest(
        method: line.method, path: line.target.path, query: line.target.query, headers: headers),
      framing: framing, isPersistent: !closes && (!line.isVersion10 || keepsAlive), isVersion10: line.isVersion10,
      expectsContinue: expectsContinue && !line.isVersion10 && framing != .none)
  }

  private mutating func addHost(_ value: UnsafeRawBufferPointer) throws(RequestFailure) {
    hostCount += 1
    for byte in value where !ByteClass.host.contains(byte) { throw .hostMalformed }
  }

  private mutating func addExpectation(_ value: UnsafeRawBufferPointer) throws(RequestFailure) {
    guard FieldLine.equals(value, "100-continue") else { throw .expectationUnknown }
    expectsContinue = true
  }

  private mutating func addConnection(_ value: UnsafeRawBufferPointer) {
    FieldLine.eachItem(value) { item in
      if FieldLine.equals(item, "close") { closes = true }
      if FieldLine.equals(item, "keep-alive") { keepsAlive = true }
    }
  }

  /// Also equal repetitions are refused: RFC 9110, section 8.6 leaves it to us, and another server may take the other one.
  private mutating func addContentLength(_ value: UnsafeRawBufferPointer) throws(RequestFailure) {
    if contentLength != nil { throw .contentLengthRepeated }
    guard !value.isEmpty else { throw .contentLengthMalformed }
    var length = 0
    for byte in value {
      guard isDigit(byte) else { throw .contentLengthMalformed }
      let (product, overflow) = length.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int(byte - 48))
      if overflow || carry { throw .bodyTooLarge }
      length = sum
    }
    contentLength = length
  }

  private mutating func addTransferEncoding(_ value: UnsafeRawBufferPointer) throws(RequestFailure) {
    if transferEncoding != nil { throw .transferEncodingMalformed }
    var count = 0
    var chunkedCount = 0
    var endsInChunked = false
    FieldLine.eachItem(value) { item in
      endsInChunked = FieldLine.equals(item, "chunked")
      count += 1
      if endsInChunked { chunkedCount += 1 }
    }
    guard endsInChunked, chunkedCount == 1 else { throw .transferEncodingMalformed }
    transferEncoding = count == 1 && value.count == 7 ? .chunked : .unsupported
  }
}
