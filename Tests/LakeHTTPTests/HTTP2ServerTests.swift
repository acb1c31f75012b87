import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct HTTP2ServerTests {
  typealias H2 = HTTP2Client

  @Test("requests come with path, query, fields and body; answers with status, fields and body") func exchange()
    async throws
  {
    let handler = ClosureHandler { request in
      var answer = text("\(request.method) \(request.path)?\(request.query) \(request.body.text)")
      answer.headers = ["X-Host": request.headers["Host"] ?? "-", "X-Tenant": request.headers["X-Scope-OrgID"] ?? "-"]
      return answer
    }
    try await withServer(handler) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.headers(1, H2.request("GET", "/a%20b?c=%7Bd%7D", [("x-scope-orgid", "t")]), end: true))
        let first = try client.answer(1)
        #expect(first.status == "200")
        #expect(first.text == "GET /a b?c=%7Bd%7D ")
        #expect(first.fields["x-host"] == "a")
        #expect(first.fields["x-tenant"] == "t")
        #expect(first.fields["content-length"] == "19")
        #expect(first.fields["date"] != nil)
        try client.send(
          H2.headers(3, H2.request("POST", "/p"), end: false), H2.data(3, Array("hel".utf8), end: false),
          H2.frame(0, flags: 9, stream: 3, [2] + Array("lo".utf8) + [0, 0]))
        #expect(try client.answer(3).text == "POST /p? hello")
        try client.send(H2.headers(5, H2.request("HEAD", "/h"), end: true))
        let head = try client.answer(5)
        #expect(head.body == [])
        #expect(head.fields["content-length"] == "9")
      }
      #expect(server.server.statistics.connectionsHTTP2 == 1)
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }

  @Test("the same bytes one by one make the same answer") func byteByByte() async throws {
    try await withServer(echoHandler) { server in
      try await server.talk { raw in
        let client = try H2(raw, connects: false)
        let bytes =
          H2.preface + H2.settings([(3, 100)]) + H2.headers(1, H2.request("POST", "/p"), end: false)
          + H2.data(1, Array("hello".utf8), end: true)
        for byte in bytes { try client.send([byte]) }
        #expect(try client.answer(1).text == "POST /p? 5")
      }
    }
  }

  @Test("what begins like the preface but is not is HTTP/1.1") func almostPreface() async throws {
    try await withServer(echoHandler, configure: { $0.timeouts.header = .seconds(1) }) { server in
      let wrong = try await server.exchange("PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n")
      #expect(wrong.hasPrefix("HTTP/1.1 400 ") || wrong.hasPrefix("HTTP/1.1 505 "))
      let slow = try await server.exchange("PRI * HT")
      #expect(slow.hasPrefix("HTTP/1.1 408 "))
      let put = try await server.talk { client in
        for byte in "PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".utf8 { try client.send([byte]) }
        return try client.readToEnd()
      }
      #expect(put.hasSuffix("PUT /? 0"))
    }
  }

  @Test("a quick request overtakes a slow one on the same connection", arguments: [HandlerExecution.loop, .pool])
  func multiplexing(execution: HandlerExecution) async throws {
    let release = Counter()
    let handler = ClosureHandler { request in
      if request.path == "/slow" { while release.count == 0 { try? await Task.sleep(for: .milliseconds(5)) } }
      return text(request.path)
    }
    try await withServer(handler, execution: execution) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.get(1, "/slow") + H2.get(3, "/fast"))
        #expect(try client.answer(3).text == "/fast")
        release.add()
        #expect(try client.answer(1).text == "/slow")
        #expect(client.ended == [3, 1])
      }
    }
  }

  @Test("large bodies go both ways through small windows") func flowControl() async throws {
    let size = 3_000_000
    let body = (0..<size).map { UInt8(truncatingIfNeeded: $0 / 999) }
    let handler = ClosureHandler { HTTPResponse(status: 200, body: .bytes($0.body)) }
    try await withServer(handler) { server in
      try await server.talkHTTP2(settings: [(4, 20_000)]) { client in
        try client.send(H2.headers(1, H2.request("POST", "/p"), end: false))
        while client.initialWindow == nil { _ = try client.readFrame() }
        var window = client.initialWindow!
        var connectionWindow = 65_535
        var sent = 0
        while sent < size {
          while min(window, connectionWindow) < 10_000 {
            let before = (client.windowUpdates[1] ?? 0, client.windowUpdates[0] ?? 0)
            _ = try client.readFrame()
            window += (client.windowUpdates[1] ?? 0) - before.0
            connectionWindow += (client.windowUpdates[0] ?? 0) - before.1
          }
          let count = min(10_000, size - sent)
          try client.send(H2.data(1, Array(body[sent..<(sent + count)]), end: sent + count == size))
          sent += count
          window -= count
          connectionWindow -= count
        }
        let answer = try client.answer(1)
        #expect(answer.body.count == size)
        #expect(answer.body == body)
      }
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }

  @Test("streamed answers are pulled as the client takes them; a failure resets the stream") func streams() async throws
  {
    struct Broken: Error {}
    let produced = Counter()
    let handler = ClosureHandler { request in
      HTTPServerStreamTests.stream { index in
        if request.path == "/broken", index == 3 { throw Broken() }
        guard index < 100 else { return nil }
        produced.add()
        return Bytes([UInt8](repeating: UInt8(index), count: 20_000))
      }
    }
    try await withServer(handler) { server in
      try await server.talkHTTP2 { client in
        client.opensWindows = false
        try client.send(H2.get(1, "/whole"))
        while (client.answers[1]?.body.count ?? 0) < 65_535 { _ = try client.readFrame() }
        // Nothing more comes, and the producer waits: its window, and what may wait unsent.
        try client.send(H2.frame(6, [0, 0, 0, 0, 0, 0, 0, 0]))
        while client.pingAcks == 0 { _ = try client.readFrame() }
        #expect(client.answers[1]?.body.count == 65_535)
        #expect(produced.count < 40)
        client.opensWindows = true
        try client.send(H2.frame(8, H2.word(65_535)), H2.frame(8, stream: 1, H2.word(65_535)))
        let whole = try client.answer(1)
        #expect(whole.body.count == 2_000_000)
        #expect(whole.hasEnded)
        #expect(whole.fields["content-length"] == nil)
        try client.send(H2.get(3, "/broken"))
        let broken = try client.answer(3)
        #expect(broken.resetCode == 2)
        #expect(!broken.hasEnded)
      }
    }
  }

  @Test("limits answer with the status of HTTP/1.1, and the connection goes on") func limits() async throws {
    try await withServer(
      echoHandler,
      configure: {
        $0.limits.bodyBytesMax = 1000
        $0.limits.headerBytesMax = 2000
        $0.limits.headerCountMax = 10
        $0.limits.requestLineBytesMax = 100
      }
    ) { server in
      try await server.talkHTTP2 { client in
        func expect(_ status: String, _ stream: UInt32, _ frames: [UInt8]) throws {
          try client.send(frames)
          let answer = try client.answer(stream)
          #expect(answer.status == status)
        }
        let post = H2.request("POST", "/p")
        let body = [UInt8](repeating: 0, count: 1001)
        try expect("413", 1, H2.headers(1, post, end: false) + H2.data(1, body, end: true))
        try expect("413", 3, H2.headers(3, post + [("content-length", "1001")], end: false))
        let long = "/" + String(repeating: "p", count: 100)
        try expect("414", 5, H2.get(5, long))
        let many = (0..<11).map { ("x-\($0)", "v") }
        try expect("431", 7, H2.headers(7, H2.request("GET", "/", many), end: true))
        let large = [("x-large", String(repeating: "v", count: 2500))]
        try expect("431", 9, H2.headers(9, H2.request("GET", "/", large), end: true))
        try expect("400", 11, H2.get(11, "/%zz"))
        try expect("400", 13, H2.get(13, "/%00"))
        try expect("200", 15, H2.get(15, "/fine"))
      }
      #expect(
        server.server.statistics.refusals == [
          .bodyTooLarge: 2, .requestLineTooLong: 1, .fieldsTooMany: 1, .fieldsTooLarge: 1,
          .percentEncodingMalformed: 1, .targetMalformed: 1,
        ])
    }
  }

  @Test("a request that breaks the rules of HTTP costs its stream, not the connection") func malformed() async throws {
    try await withServer(echoHandler) { server in
      try await server.talkHTTP2 { client in
        let bad: [[(String, String)]] = [
          [(":method", "GET"), (":path", "/"), (":authority", "a")],  // no scheme
          H2.request("GET", "/", [("Upper", "x")]), H2.request("GET", "/", [("connection", "close")]),
          H2.request("GET", "/", [("a", "b\r\nc: d")]), H2.request("GET", "/", [(":path", "/again")]),
          H2.request("GET", ""), H2.request("GET", "/", [("te", "gzip")]),
        ]
        var stream: UInt32 = 1
        for fields in bad {
          try client.send(H2.headers(stream, fields, end: true))
          let answer = try client.answer(stream)
          #expect(answer.resetCode == 1 || answer.status == "400", "\(fields)")
          stream += 2
        }
        // More bytes than Content-Length says, and fewer.
        for body in ["abcd", "ab"] {
          try client.send(
            H2.headers(stream, H2.request("POST", "/", [("content-length", "3")]), end: false),
            H2.data(stream, Array(body.utf8), end: true))
          #expect(try client.answer(stream).resetCode == 1)
          stream += 2
        }
        try client.send(H2.get(stream, "/fine"))
        #expect(try client.answer(stream).status == "200")
      }
      #expect(server.server.statistics.requests == 1)
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }

  @Test("resetting a stream cancels its handler") func reset() async throws {
    let started = Counter()
    let cancelled = Counter()
    let handler = ClosureHandler { _ in
      started.add()
      do { try await Task.sleep(for: .seconds(3600)) } catch { cancelled.add() }
      return text("late")
    }
    try await withServer(handler) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.get(1, "/"))
        while started.count == 0 { _ = try client.readFrame() }
        try client.send(H2.frame(3, stream: 1, [0, 0, 0, 8]))
        try client.send(H2.frame(6, [0, 0, 0, 0, 0, 0, 0, 0]))
        while client.pingAcks == 0 { _ = try client.readFrame() }
      }
      try await cancelled.reach(1)
      #expect(server.server.statistics.clientsGone == 1)
    }
  }

  @Test("a drain sends GOAWAY, finishes what is in flight and closes") func drain() async throws {
    let started = Counter()
    let release = Counter()
    let handler = ClosureHandler { _ in
      started.add()
      while release.count == 0 { try? await Task.sleep(for: .milliseconds(5)) }
      return text("done")
    }
    try await withServer(handler) { server in
      async let outcome = server.talkHTTP2 { client in
        try client.send(H2.get(1, "/"))
        while client.goAwayCode == nil { _ = try client.readFrame() }
        release.add()
        let answer = try client.answer(1).text
        return (answer, client.readToEnd())
      }
      try await started.reach(1)
      #expect(await server.server.drain(deadline: .seconds(300)) == 0)
      let (answer, code) = try await outcome
      #expect(answer == "done")
      #expect(code == 0)
    }
  }

  @Test("an idle connection is told to go away; a silent one with requests open is pinged, then cut") func idle()
    async throws
  {
    let handler = ClosureHandler { _ in
      try? await Task.sleep(for: .seconds(60))
      return text("never")
    }
    try await withServer(
      handler,
      configure: {
        $0.timeouts.header = .seconds(1)
        $0.timeouts.keepAlive = .milliseconds(300)
        $0.timeouts.keepAliveAnswer = .milliseconds(300)
      }
    ) { server in
      let code = try await server.talkHTTP2 { $0.readToEnd() }
      #expect(code == 0)
      try await server.talkHTTP2 { client in
        try client.send(H2.get(1, "/"))
        var pings = 0
        do {
          // Acknowledge nothing: read raw frames only.
          while let frame = try client.client.readHTTP2Frame() { if frame.type == 6 { pings += 1 } }
          Issue.record("the connection was closed, not cut")
        } catch {
          #expect(pings == 1)
        }
      }
    }
  }
}

extension RawClient {
  /// A frame that is not answered.
  func readHTTP2Frame() throws -> (type: UInt8, flags: UInt8)? {
    var header: [UInt8] = []
    while header.count < 9 {
      let some = try readSome(9 - header.count)
      if some.isEmpty { return nil }
      header += some
    }
    var rest = Int(header[0]) << 16 | Int(header[1]) << 8 | Int(header[2])
    while rest > 0 { rest -= try readSome(rest).count }
    return (header[3], header[4])
  }
}
