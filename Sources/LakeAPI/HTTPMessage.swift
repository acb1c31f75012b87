package import LakeModel

/// One request as a surface sees it: complete, decoded from the wire, without sockets.
package struct HTTPRequest: Sendable {
  package var method: String
  /// Percent-decoded path without the query, `/loki/api/v1/query`.
  package var path: String
  /// The query as sent, without `?`; empty when there is none.
  package var query: String
  package var headers: HTTPHeaders
  /// As sent: still compressed when `Content-Encoding` says so.
  package var body: Bytes
  /// The peer, for logs.
  package var peer: String

  package init(
    method: String, path: String, query: String = "", headers: HTTPHeaders = HTTPHeaders(), body: Bytes = Bytes(),
    peer: String = ""
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.peer = peer
  }
}

package struct HTTPResponse: Sendable {
  package var status: Int
  package var headers: HTTPHeaders
  package var body: Body

  package enum Body: Sendable {
    case bytes(Bytes)
    /// Written as it comes (chunked): each call gives the next piece, nil ends the body. A thrown error cuts the connection.
    case stream(@Sendable () async throws -> Bytes?)
    /// With status 101: the connection speaks another protocol from here on and is closed when the call returns. Its
    /// task is cancelled when the peer is gone or the server drains. HTTP/1.1 only; elsewhere the client is told 400.
    case upgrade(@Sendable (any UpgradedConnection) async -> Void)
  }

  package init(status: Int, headers: HTTPHeaders = HTTPHeaders(), body: Body = .bytes(Bytes())) {
    self.status = status
    self.headers = headers
    self.body = body
  }
}

/// A connection after `101 Switching Protocols`: bytes both ways until one side ends it.
package protocol UpgradedConnection: Sendable {
  /// The peer's next bytes, never empty; nil once it has closed its side. One call at a time.
  /// - Throws: when the connection is gone or the task is cancelled.
  func receive() async throws -> Bytes?
  /// Returns when there is room for more, so that a slow reader holds its sender back.
  /// - Throws: when the connection is gone; a cancelled task still sends, but does not wait for room.
  func send(_ bytes: Bytes) async throws
}

/// Header fields in order; names compare without case.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
  package private(set) var fields: [(name: String, value: String)]

  package init(dictionaryLiteral elements: (String, String)...) { fields = elements.map { ($0.0, $0.1) } }
  package init(_ fields: [(name: String, value: String)]) { self.fields = fields }

  /// The first value of this name.
  package subscript(_ name: String) -> String? {
    fields.first { HTTPHeaders.isSame($0.name, name) }?.value
  }

  package func all(_ name: String) -> [String] {
    fields.filter { HTTPHeaders.isSame($0.name, name) }.map(\.value)
  }

  package mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

  package mutating func set(_ name: String, _ value: String) {
    fields.removeAll { HTTPHeaders.isSame($0.name, name) }
    fields.append((name, value))
  }

  private static func isSame(_ a: String, _ b: String) -> Bool {
    let (a, b) = (a.utf8, b.utf8)
    return a.count == b.count && zip(a, b).allSatisfy { lower($0) == lower($1) }
  }

  private static func lower(_ byte: UInt8) -> UInt8 { (65...90).contains(byte) ? byte | 0x20 : byte }
}

/// A surface: everything a port of the server answers. `handle` never throws; what went wrong is a response.
package protocol HTTPHandler: Sendable {
  func handle(_ request: HTTPRequest) async -> HTTPResponse
}
