import Glibc
import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct HTTPServerTests {
  static func get(_ path: String, _ fields: String = "") -> String {
    "GET \(path) HTTP/1.1\r\nHost: a\r\n\(fields)\r\n"
  }

  @Test("a connection serves one request after the other", arguments: [HandlerExecution.loop, .pool])
  func keepAlive(execution: HandlerExecution) async throws {
    try await withServer(echoHandler, execution: execution) { server in
      let bodies = try await server.talk { client in
        try (0..<20).map { index in
          try client.send(Self.get("/\(index)"))
          return try client.readResponse().body
        }
      }
      #expect(bodies == (0..<20).map { "GET /\($0)? 0" })
      #expect(server.server.statistics.requests == 20)
      #expect(server.server.statistics.connectionsAccepted == 1)
    }
  }

  @Test("pipelined requests are answered in their order, whatever the handlers take") func pipelining() async throws {
    let slow = ClosureHandler { request in
      if request.path.hasSuffix("0") { try? await Task.sleep(for: .milliseconds(20)) }
      return text(request.path + ":" + request.body.text)
    }
    try await withServer(slow) { server in
      var input = ""
      for index in 0..<30 {
        input += "POST /\(index) HTTP/1.1\r\nHost: a\r\nContent-Length: \(index % 3)\r\n\r\n"
        input += String(repeating: "x", count: index % 3)
      }
      input += Self.get("/last", "Connection: close\r\n")
      let all = try await server.exchange(input)
      let bodies = all.split(separator: "\r\n\r\n").dropFirst().map { $0.split(separator: "HTTP/1.1")[0] }
      #expect(
        bodies.map(String.init) == (0..<30).map { "/\($0):" + String(repeating: "x", count: $0 % 3) } + ["/last:"])
    }
  }

  @Test("thousands of small pipelined requests are all answered") func deepPipelining() async throws {
    try await withServer(echoHandler) { server in
      let count = 5000
      let input = String(repeating: Self.get("/p"), count: count) + Self.get("/p", "Connection: close\r\n")
      let all = try await server.talk { client in
        // The server stops reading while answers wait for this reader, so both must go on at once.
        try client.send(Array(input.utf8.prefix(60_000)))
        var received = ""
        received += try client.read(through: "0")
        try client.send(Array(input.utf8.dropFirst(60_000)))
        return try received + client.readToEnd()
      }
      #expect(all.split(separator: "HTTP/1.1 200 OK").count == count + 1)
    }
  }

  @Test("HEAD gets the header of GET and no body; HTTP/1.0 gets its answer and a close") func headAndOld() async throws
  {
    try await withServer(echoHandler) { server in
      let head = try await server.exchange("HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(head.contains("\r\nContent-Length: 10\r\n"))
      #expect(head.hasSuffix("\r\n\r\n"))
      #expect(head.contains("\r\nDate: "))
      let old = try await server.exchange("GET /a HTTP/1.0\r\n\r\n")
      #expect(old.hasPrefix("HTTP/1.1 200 OK\r\n"))
      #expect(old.hasSuffix("Connection: close\r\n\r\nGET /a? 0"))
      let kept = try await server.talk { client in
        try client.send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        let first = try client.readResponse()
        try client.send("GET /b HTTP/1.0\r\n\r\n")
        return (first.head, try client.readToEnd())
      }
      #expect(kept.0.contains("Connection: keep-alive"))
      #expect(kept.1.hasSuffix("GET /b? 0"))
    }
  }

  @Test("100 Continue comes before the body is sent, and not when the body is refused") func expectation() async throws
  {
    try await withServer(echoHandler, configure: { $0.limits.bodyBytesMax = 10 }) { server in
      let (interim, final) = try await server.talk { client in
        try client.send("POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
        let interim = try client.read(through: "\r\n\r\n")
        try client.send("hello")
        return (interim, try client.readResponse().body)
      }
      #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
      #expect(final == "POST /a? 5")
      let refused = try await server.exchange(
        "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
      #expect(refused.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
    }
  }

  @Test(
    "bodies arrive whole, of known length or in chunks, small and large", arguments: [0, 1, 1000, 70_000, 3_000_000])
  func bodies(size: Int) async throws {
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    let checking = ClosureHandler { text("\($0.body.count) \($0.body == Bytes(body))") }
    try await withServer(checking) { server in
      let fixed =
        Array("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: \(size)\r\n\r\n".utf8) + body
      let answer1 = try await server.exchange(fixed)
      #expect(answer1.hasSuffix("\r\n\r\n\(size) true"))
      var chunked = Array("POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
      var start = 0
      while start < size {
        let count = min(size - start, 1 + start)
        chunked += Array("\(String(count, radix: 16))\r\n".utf8) + body[start..<(start + count)] + [13, 10]
        start += count
      }
      chunked += Array("0\r\n\r\n".utf8)
      let answer2 = try await server.exchange(chunked)
      #expect(answer2.hasSuffix("\r\n\r\n\(size) true"))
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }

  @Test("a body over the limit is refused before it is read, and the refusal reaches a client that keeps sending")
  func tooLarge() async throws {
    try await withServer(echoHandler, configure: { $0.limits.bodyBytesMax = 1000 }) { server in
      for fields in ["Content-Length: 5000000\r\n", "Transfer-Encoding: chunked\r\n"] {
        let answer = try await server.talk { client in
          try client.send("POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n4c4b40\r\n")
          // The first read after a reset would fail.
          for _ in 0..<50 { try? client.send([UInt8](repeating: 120, count: 100_000)) }
          return try client.readToEnd()
        }
        #expect(answer.hasPrefix("HTTP/1.1 413 Content Too Large\r\n"))
        #expect(answer.hasSuffix("Connection: close\r\n\r\nrequest body too large\n"))
      }
      #expect(server.server.statistics.refusals == [.bodyTooLarge: 2])
      #expect(server.server.statistics.requests == 0)
    }
  }

  @Test("bodies beyond the memory of the server are refused with 503 and Retry-After") func bodyMemory() async throws {
    let release = Counter()
    let waiting = ClosureHandler { request in
      while release.count == 0 { try? await Task.sleep(for: .milliseconds(5)) }
      return text("\(request.body.count)")
    }
    try await withServer(waiting, configure: { $0.limits.bodyMemoryMax = 300_000 }) { server in
      let request =
        Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\nConnection: close\r\n\r\n".utf8)
        + [UInt8](repeating: 1, count: 200_000)
      async let first = server.exchange(request)
      while server.server.statistics.requests == 0 { try await Task.sleep(for: .milliseconds(5)) }
      let second = try await server.exchange(request)
      #expect(second.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
      #expect(second.contains("\r\nRetry-After: 1\r\n"))
      release.add()
      let answer3 = try await first
      #expect(answer3.hasSuffix("200000"))
      let answer4 = try await server.exchange(request)
      #expect(answer4.hasSuffix("200000"))
    }
  }

  @Test("refusals come in the form that the surface gives them") func customRejection() async throws {
    try await withServer(
      echoHandler,
      configure: {
        $0.rejection = { rejection in
          text(
            "{\"path\":\"\(rejection.request?.path ?? "?")\",\"status\":\(rejection.status)}", status: rejection.status)
        }
        $0.limits.bodyBytesMax = 3
      }
    ) { server in
      let known = try await server.exchange("POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nabcd")
      #expect(known.hasSuffix("\r\n\r\n{\"path\":\"/v1/logs\",\"status\":413}"))
      let unknown = try await server.exchange("nonsense\r\n\r\n")
      #expect(unknown.hasSuffix("\r\n\r\n{\"path\":\"?\",\"status\":400}"))
    }
  }

  @Test("a good request before a bad one is still answered") func goodThenBad() async throws {
    try await withServer(echoHandler) { server in
      let all = try await server.exchange(Self.get("/good") + "bad request\r\n\r\n" + Self.get("/never"))
      #expect(all.split(separator: "HTTP/1.1 ").map { $0.prefix(3) } == ["200", "400"])
      #expect(all.contains("GET /good? 0"))
    }
  }
}
