import LakeAPI
import LakeCompression
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct GRPCServerTests {
  typealias H2 = HTTP2Client

  static func services(_ note: Counter = Counter()) -> GRPCServices {
    GRPCServices([
      [
        "/t.S/Echo": .unary { call in
          GRPCResponse(
            message: call.message, metadata: ["x-tenant": call.metadata["X-Scope-OrgID"] ?? "-"],
            trailers: ["x-after": "1", "grpc-status": "9"])
        },
        "/t.S/Length": .unary { GRPCResponse(message: Bytes("\($0.message.count)")) },
        "/t.S/Fail": .unary { _ in GRPCResponse(GRPCStatus(.unavailable, "spät 100%", retryDelay: .seconds(2))) },
        "/t.S/Slow": .unary { call in
          do { try await Task.sleep(for: .seconds(60)) } catch { note.add() }
          return GRPCResponse(message: call.message)
        },
        "/t.S/Chat": .conversation { chat in
          do {
            while let message = try await chat.receive() { try await chat.send(Bytes("got \(message.count)")) }
            return .ok
          } catch let status as GRPCStatus {
            return status
          } catch {
            note.add()
            return GRPCStatus(.cancelled)
          }
        },
        "/t.S/Count": .conversation { chat in
          do {
            for index in 0..<1000 { try await chat.send(Bytes([UInt8](repeating: UInt8(index % 256), count: 5000))) }
            return .ok
          } catch {
            note.add()
            return GRPCStatus(.cancelled)
          }
        },
      ]
    ])
  }

  @Test("a unary call answers with message, status and trailers; its handler cannot set gRPC's own fields") func unary()
    async throws
  {
    try await withServer(echoHandler, grpc: Self.services()) { server in
      try await server.talkHTTP2 { client in
        try client.send(
          H2.grpc(1, "/t.S/Echo", [("x-scope-orgid", "t1")]), H2.data(1, H2.message(Array("hello".utf8)), end: true))
        let answer = try client.answer(1)
        #expect(answer.status == "200")
        #expect(answer.fields["content-type"] == "application/grpc")
        #expect(answer.fields["x-tenant"] == "t1")
        #expect(answer.body == H2.message(Array("hello".utf8)))
        #expect(answer.trailers == ["grpc-status": "0", "x-after": "1"])
        // An ordinary request on the same connection reaches the ordinary handler.
        try client.send(H2.get(3, "/health"))
        #expect(try client.answer(3).text == "GET /health? 0")
      }
    }
  }

  @Test("errors come without a body, percent-encoded, with RetryInfo") func errors() async throws {
    try await withServer(echoHandler, grpc: Self.services()) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.grpc(1, "/t.S/Fail"), H2.data(1, H2.message([]), end: true))
        let failed = try client.answer(1)
        #expect(failed.status == "200")
        #expect(failed.body == [] && failed.trailers == [:])
        #expect(failed.fields["grpc-status"] == "14")
        #expect(failed.fields["grpc-message"] == "sp%C3%A4t 100%25")
        #expect(
          failed.fields["grpc-status-details-bin"]
            == "CA4SCnNww6R0IDEwMCUaMAoodHlwZS5nb29nbGVhcGlzLmNvbS9nb29nbGUucnBjLlJldHJ5SW5mbxIECgIIAg")
        try client.send(H2.grpc(3, "/t.S/None"), H2.data(3, H2.message([]), end: true))
        #expect(try client.answer(3).grpcStatus == "12")
        try client.send(
          H2.headers(5, H2.request("GET", "/t.S/Echo", [("content-type", "application/grpc")]), end: true))
        #expect(try client.answer(5).status == "405")
      }
      #expect(server.server.statistics.failedCalls == [.unavailable: 1, .unimplemented: 1])
    }
  }

  @Test("messages may be compressed; what does not fit or does not decompress is a status") func compression()
    async throws
  {
    let text = Bytes(String(repeating: "abc", count: 10_000))
    let bomb = try ContentEncoding.gzip.encode(Bytes([UInt8](repeating: 0, count: 200_000))).array
    try await withServer(echoHandler, grpc: Self.services(), configure: { $0.limits.bodyBytesMax = 100_000 }) {
      server in
      try await server.talkHTTP2 { client in
        func call(_ stream: UInt32, _ encoding: String?, _ message: [UInt8], compressed: UInt8 = 1) throws -> H2.Answer
        {
          let fields = encoding.map { [("grpc-encoding", $0)] } ?? []
          try client.send(
            H2.grpc(stream, "/t.S/Length", fields),
            H2.data(stream, H2.message(message, compressed: compressed), end: true))
          return try client.answer(stream)
        }
        var stream: UInt32 = 1
        // By the name `snappy` Collectors send the framing format.
        let codings: [(String, ContentEncoding)] = [
          ("gzip", .gzip), ("deflate", .deflate), ("zstd", .zstd), ("snappy", .snappyFramed),
        ]
        for (name, encoding) in codings {
          let answer = try call(stream, name, try encoding.encode(text).array)
          #expect(answer.body == H2.message(Array("30000".utf8)))
          stream += 2
        }
        // A message of a compressing client may still be sent as it is.
        #expect(try call(9, "gzip", [1, 2, 3], compressed: 0).body == H2.message(Array("3".utf8)))
        let unknown = try call(11, "lzma", [1])
        #expect(unknown.grpcStatus == "12")
        #expect(unknown.fields["grpc-accept-encoding"] == "identity,gzip,deflate,zstd,snappy")
        #expect(try call(13, nil, [1]).grpcStatus == "13")
        #expect(try call(15, "gzip", [1, 2, 3]).grpcStatus == "13")
        #expect(try call(17, "gzip", bomb).grpcStatus == "8")
        #expect(try call(19, nil, [1], compressed: 2).grpcStatus == "13")
      }
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }

  @Test("a unary call has exactly one whole message") func framing() async throws {
    try await withServer(echoHandler, grpc: Self.services(), configure: { $0.limits.bodyBytesMax = 1000 }) { server in
      try await server.talkHTTP2 { client in
        func expect(_ status: String, _ stream: UInt32, _ body: [UInt8]) throws {
          try client.send(H2.grpc(stream, "/t.S/Echo"), H2.data(stream, body, end: true))
          let answer = try client.answer(stream)
          #expect(answer.grpcStatus == status)
        }
        try expect("13", 1, [])
        try expect("13", 3, [0, 0, 0])
        try expect("13", 5, [0, 0, 0, 0, 3, 1, 2])
        try expect("13", 7, H2.message([1]) + H2.message([2]))
        try expect("8", 9, [0, 255, 255, 255, 255])
        try expect("0", 11, H2.message([UInt8](repeating: 0, count: 1000)))
        try expect("8", 13, H2.message([UInt8](repeating: 0, count: 1001)))
      }
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }

  @Test("the client's deadline ends a call and cancels its handler", arguments: [HandlerExecution.loop, .pool])
  func deadline(execution: HandlerExecution) async throws {
    let cancelled = Counter()
    try await withServer(echoHandler, grpc: Self.services(cancelled), execution: execution) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.grpc(1, "/t.S/Slow", [("grpc-timeout", "100m")]), H2.data(1, H2.message([]), end: true))
        #expect(try client.answer(1).grpcStatus == "4")
        try client.send(H2.grpc(3, "/t.S/Slow", [("grpc-timeout", "soon")]), H2.data(3, H2.message([]), end: true))
        #expect(try client.answer(3).grpcStatus == "13")
        // It runs from the header on, also while the message does not come.
        try client.send(H2.grpc(5, "/t.S/Slow", [("grpc-timeout", "50000u")]))
        #expect(try client.answer(5).grpcStatus == "4")
      }
      try await cancelled.reach(1)
    }
  }

  @Test("a conversation takes and gives messages, in any cut", arguments: [HandlerExecution.loop, .pool])
  func conversation(execution: HandlerExecution) async throws {
    try await withServer(echoHandler, grpc: Self.services(), execution: execution) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.grpc(1, "/t.S/Chat"))
        try client.send(H2.data(1, H2.message([1, 2, 3]), end: false))
        while (client.answers[1]?.body.count ?? 0) < 10 { _ = try client.readFrame() }
        #expect(client.answers[1]?.text.hasSuffix("got 3") == true)
        for byte in H2.message([UInt8](repeating: 7, count: 20)) + H2.message([]) {
          try client.send(H2.data(1, [byte], end: false))
        }
        try client.send(H2.data(1, [], end: true))
        let answer = try client.answer(1)
        #expect(
          answer.body
            == [[UInt8]]([Array("got 3".utf8), Array("got 20".utf8), Array("got 0".utf8)]).flatMap { H2.message($0) })
        #expect(answer.trailers["grpc-status"] == "0")
        try client.send(H2.grpc(3, "/t.S/Chat"), H2.data(3, [0, 0, 0, 0, 9, 1], end: true))
        #expect(try client.answer(3).grpcStatus == "13")
      }
    }
  }

  @Test("a conversation waits for a slow reader, and ends when its stream is reset") func conversationBackpressure()
    async throws
  {
    let cancelled = Counter()
    try await withServer(echoHandler, grpc: Self.services(cancelled)) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.grpc(1, "/t.S/Count"))
        let answer = try client.answer(1)
        #expect(answer.body.count == 1000 * 5005)
        #expect(answer.trailers["grpc-status"] == "0")
        client.opensWindows = false
        try client.send(H2.grpc(3, "/t.S/Count"))
        while (client.answers[3]?.body.count ?? 0) < 65_535 { _ = try client.readFrame() }
        try client.send(H2.frame(3, stream: 3, [0, 0, 0, 8]))
        // What the client sends ahead of a handler that does not read is bounded by its window.
        try client.send(H2.grpc(5, "/t.S/Chat"))
        try client.send(H2.frame(3, stream: 5, [0, 0, 0, 8]))
        try client.send(H2.frame(6, [0, 0, 0, 0, 0, 0, 0, 0]))
        while client.pingAcks == 0 { _ = try client.readFrame() }
      }
      try await cancelled.reach(2)
    }
  }

  @Test("a drain ends conversations as unavailable") func drain() async throws {
    let cancelled = Counter()
    try await withServer(echoHandler, grpc: Self.services(cancelled)) { server in
      let answered = Counter()
      async let outcome = server.talkHTTP2 { client in
        try client.send(H2.grpc(1, "/t.S/Chat"), H2.data(1, H2.message([1]), end: false))
        while (client.answers[1]?.body.count ?? 0) == 0 { _ = try client.readFrame() }
        answered.add()
        return try client.answer(1)
      }
      try await answered.reach(1)
      #expect(await server.server.drain(deadline: .seconds(300)) == 0)
      let last = try await outcome
      #expect(last.grpcStatus == "14")
    }
  }
}
