import Glibc
import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct HTTPServerStreamTests {
  struct Broken: Error {}

  /// Pieces from a closure over a running number.
  static func stream(_ piece: @escaping @Sendable (Int) async throws -> Bytes?) -> HTTPResponse {
    let index = Counter()
    return HTTPResponse(
      status: 200,
      body: .stream {
        defer { index.add() }
        return try await piece(index.count)
      })
  }

  @Test("a streamed body is chunked, empty pieces do not end it", arguments: [HandlerExecution.loop, .pool])
  func chunks(execution: HandlerExecution) async throws {
    let handler = ClosureHandler { _ in
      Self.stream { index in [Bytes("hello"), Bytes(), Bytes(String(repeating: "x", count: 26)), nil][index] }
    }
    try await withServer(handler, execution: execution) { server in
      let (head, body, next) = try await server.talk { client in
        try client.send(HTTPServerTests.get("/"))
        let head = try client.read(through: "\r\n\r\n")
        let body = try client.read(through: "0\r\n\r\n")
        try client.send("GET / HTTP/1.0\r\n\r\n")
        return (head, body, try client.readToEnd())
      }
      #expect(head.contains("\r\nTransfer-Encoding: chunked\r\n"))
      #expect(body == "5\r\nhello\r\n1a\r\n\(String(repeating: "x", count: 26))\r\n0\r\n\r\n")
      #expect(next.hasSuffix("Connection: close\r\n\r\nhello\(String(repeating: "x", count: 26))"))
      let headOnly = try await server.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(headOnly.hasSuffix("Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"))
    }
  }

  @Test("a slow reader holds the producer back; nothing is lost") func backpressure() async throws {
    let produced = Counter()
    let pieceBytes = 100_000
    let handler = ClosureHandler { _ in
      Self.stream { index in
        guard index < 300 else { return nil }
        produced.add()
        return Bytes([UInt8](repeating: UInt8(index % 251), count: pieceBytes))
      }
    }
    try await withServer(handler) { server in
      let (before, total) = try await server.talk { _ in
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        try client.send("GET / HTTP/1.0\r\n\r\n")
        let before = produced.settle()
        let all = try client.read(through: "\r\n\r\n")
        #expect(all.hasPrefix("HTTP/1.1 200"))
        var total = 0
        while true {
          let some = try client.readSome()
          if some.isEmpty { return (before, total) }
          for byte in some {
            if byte != UInt8(total / pieceBytes % 251) { throw Broken() }
            total += 1
          }
        }
      }
      // The kernel's buffers and unsentBytesMax hold the start; the rest waits for the reader.
      #expect(before > 0 && before < 100)
      #expect(total == 300 * pieceBytes)
    }
  }

  @Test("a reader that stands still is cut") func writeStall() async throws {
    let handler = ClosureHandler { _ in Self.stream { _ in Bytes([UInt8](repeating: 1, count: 100_000)) } }
    try await withServer(handler, configure: { $0.timeouts.writeStall = .milliseconds(150) }) { server in
      try await server.talk { _ in
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        try client.send("GET / HTTP/1.0\r\n\r\n")
        server.wait { $0.writeStalls == 1 }
        #expect(throws: RawClient.Failure.receive(ECONNRESET)) { while try !client.readSome().isEmpty {} }
      }
    }
  }

  @Test("a stream that fails cuts the connection, so that the body does not look complete") func failure() async throws
  {
    let handler = ClosureHandler { _ in
      Self.stream { index in
        if index == 3 { throw Broken() }
        try await Task.sleep(for: .milliseconds(20))
        return Bytes("piece")
      }
    }
    try await withServer(handler) { server in
      for request in [HTTPServerTests.get("/"), "GET / HTTP/1.0\r\n\r\n"] {
        await #expect(throws: RawClient.Failure.receive(ECONNRESET)) { _ = try await server.exchange(request) }
      }
    }
  }

  @Test("a large body reaches a slow reader whole, and the next request waits for it") func largeBody() async throws {
    let size = 20_000_000
    let large = Bytes([UInt8](repeating: 9, count: size))
    let handler = ClosureHandler { request in
      request.path == "/large" ? HTTPResponse(status: 200, body: .bytes(large)) : text("small")
    }
    try await withServer(handler) { server in
      let (length, last) = try await server.talk { client in
        try client.send(HTTPServerTests.get("/large") + HTTPServerTests.get("/small"))
        server.wait { $0.requests > 0 }
        #expect(server.server.statistics.requests == 1)
        let length = try client.readResponse().body.utf8.count
        return (length, try client.readResponse().body)
      }
      #expect(length == size)
      #expect(last == "small")
    }
  }
}
