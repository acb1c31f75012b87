import LakeModel
import LakePorts
import Testing

@testable import LakeAPI

/// `tail` as a client sees it.
@Suite struct LokiTailTests {
  static let base: UInt64 = 1_768_473_600_000_000_000

  private static func request(_ parameters: KeyValuePairs<String, String>, extra: [(String, String)] = [])
    -> HTTPRequest
  {
    var headers: HTTPHeaders = [
      "X-Scope-OrgID": "t", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]
    for (name, value) in extra { headers.add(name, value) }
    return HTTPRequest(
      method: "GET", path: "/loki/api/v1/tail", query: TestStack.query(parameters), headers: headers)
  }

  @Test("history, then what comes, categorized if asked for") func follows() async throws {
    try await TestStack.with(settings: { $0.tailInterval = .milliseconds(5) }) { stack in
      try await stack.push([(Self.base - 2, "one"), (Self.base - 1, "two")])
      let answer = await stack.handler.handle(
        Self.request(
          ["query": #"{service_name="web"}"#, "limit": "1"],
          extra: [("X-Loki-Response-Encoding-Flags", "categorize-labels")]))
      #expect(answer.status == 101)
      #expect(answer.headers["Sec-WebSocket-Accept"] == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
      guard case .upgrade(let conversation) = answer.body else {
        Issue.record("no conversation")
        return
      }
      let pipe = MemoryPipe()
      async let over: Void = conversation(pipe)
      _ = await pipe.sent(1)
      try await stack.push([(Self.base, "three")])
      _ = await pipe.sent(2)
      pipe.give(WebSocketFrame.close(WebSocketClose(1000), mask: 1))
      await over
      let labels = #""stream":{"service_name":"web"}"#
      let flags = #""encodingFlags":["categorize-labels"]"#
      #expect(
        try pipe.events() == [
          .text(Bytes(#"{"streams":[{\#(labels),"values":[["\#(Self.base - 1)","two",{}]]}],\#(flags)}"#)),
          .text(Bytes(#"{"streams":[{\#(labels),"values":[["\#(Self.base)","three",{}]]}],\#(flags)}"#)),
          .close(WebSocketClose(1000)),
        ])
    }
  }

  @Test("a tail that cannot be is refused before the upgrade") func refusals() async throws {
    try await TestStack.with(settings: { $0.tailsMax = 1 }) { stack in
      func answer(_ parameters: KeyValuePairs<String, String>) async -> (Int, String) {
        let answer = await stack.handler.handle(Self.request(parameters))
        return (answer.status, answer.text)
      }
      #expect(
        await answer(["query": "{a=\"b\"", "limit": "5"])
          == (
            400,
            #"{"status":"error","errorType":"bad_data","error":"parse error at line 1, col 7: syntax error: unexpected $end, expecting } or ,"}"#
          ))
      #expect(await answer(["query": "rate({a=\"b\"}[1m])"]).1.contains("only log selector is supported"))
      #expect(await answer(["query": "{a=\"b\"}", "delay_for": "6"]).1.contains("delay_for can't be greater than 5"))
      #expect(await answer(["query": "{a=\"b\"}", "limit": "0"]).0 == 400)
      let plain = await stack.get("/loki/api/v1/tail", ["query": "{a=\"b\"}"])
      #expect(plain.status == 400 && plain.text.contains("not a WebSocket handshake"))
      // One that was let in but never came to its conversation does not count.
      #expect(await answer(["query": "{a=\"b\"}"]).0 == 101)
      guard case .upgrade(let first) = await stack.handler.handle(Self.request(["query": "{a=\"b\"}"])).body,
        case .upgrade(let second) = await stack.handler.handle(Self.request(["query": "{a=\"b\"}"])).body
      else {
        Issue.record("refused")
        return
      }
      let (one, two) = (MemoryPipe(), MemoryPipe())
      async let over: Void = first(one)
      while await answer(["query": "{a=\"b\"}"]).0 == 101 { await Task.yield() }
      let limit = "max concurrent tail requests limit exceeded, count > limit (2 > 1)"
      #expect(await answer(["query": "{a=\"b\"}"]).1.contains(limit))
      async let refused: Void = second(two)
      _ = await two.sent(1)
      two.give(nil)
      await refused
      let told = try two.events()
      #expect(told == [.close(WebSocketClose(1011, limit))])
      one.give(nil)
      await over
      #expect(await answer(["query": "{a=\"b\"}"]).0 == 101)
    }
  }
}
