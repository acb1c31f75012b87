import LakeAPI
import LakeModel

/// A request's header on HTTP/2, while its fields come in.
struct HTTP2Head {
  private(set) var method = ""
  private(set) var path = ""
  private var authority: String?
  private(set) var fields: [(name: String, value: String)] = []
  private(set) var contentLength: Int?
  /// As SETTINGS_MAX_HEADER_LIST_SIZE counts: names, values and 32 bytes for each field.
  private var listBytes = 0
  private(set) var failure: RequestFailure?

  /// Takes one field that nghttp2 has checked: legal characters, pseudo fields first and once.
  mutating func add(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, limits: HTTPLimits) {
    listBytes += name.count + value.count + 32
    guard failure == nil else { return }
    // The limit is one of HTTP/1.1 text; 32 bytes of overhead for each allowed field are not counted against the client.
    if listBytes > limits.headerBytesMax + 32 * limits.headerCountMax { failure = .fieldsTooLarge }
    if fields.count >= limits.headerCountMax { failure = .fieldsTooMany }
    guard failure == nil else { return }
    let text = String(decoding: value, as: UTF8.self)
    guard name.first == UInt8(ascii: ":") else {
      if FieldLine.equals(name, "content-length") { contentLength = Int(text) }
      fields.append((String(decoding: name, as: UTF8.self), text))
      return
    }
    if FieldLine.equals(name, ":method") { method = text }
    if FieldLine.equals(name, ":path") { path = text }
    if FieldLine.equals(name, ":authority") { authority = text }
    if name.count == 5, value.count > limits.requestLineBytesMax { failure = .requestLineTooLong }
  }

  subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  /// The request without its body.
  func request(peer: String) throws(RequestFailure) -> HTTPRequest {
    if let failure { throw failure }
    if method == "CONNECT" { throw .methodUnsupported }
    let target = try Bytes(path).withUnsafeBytes { bytes throws(RequestFailure) in
      try RequestTarget(bytes, isOptions: method == "OPTIONS")
    }
    var headers = HTTPHeaders(fields)
    if let authority = authority ?? target.authority {
      guard authority.utf8.allSatisfy({ ByteClass.host.contains($0) }) else { throw .hostMalformed }
      headers.set("host", authority)
    }
    return HTTPRequest(method: method, path: target.path, query: target.query, headers: headers, peer: peer)
  }
}
