import Foundation
import LakeCompression
import LakeModel
import LakePorts
import Testing

@testable import LakeAPI

/// The forms of a push, and what becomes of a request whose client goes away.
@Suite struct LokiPushTests {
  static let base: UInt64 = 1_768_473_600_000_000_000
  static let json = #"{"streams":[{"stream":{"service_name":"web"},"values":[["\#(base - 1)","as json",{"k":"v"}]]}]}"#

  /// PushRequest{streams: [{labels, entries: [{timestamp, line}]}]}
  static var protobuf: Bytes {
    func field(_ number: UInt8, _ bytes: [UInt8]) -> [UInt8] { [number << 3 | 2, UInt8(bytes.count)] + bytes }
    func varint(_ value: UInt64) -> [UInt8] {
      value < 128 ? [UInt8(value)] : [UInt8(value & 127) | 128] + varint(value >> 7)
    }
    let seconds = base / 1_000_000_000 - 1
    let entry = field(1, [8] + varint(seconds)) + field(2, Array("as protobuf".utf8))
    return Bytes(field(1, field(1, Array(#"{service_name="web"}"#.utf8)) + field(2, entry)))
  }

  private static func send(
    _ stack: TestStack, _ body: Bytes, type: String?, coding: String? = nil
  ) async -> HTTPResponse {
    var headers: HTTPHeaders = ["X-Scope-OrgID": "t"]
    if let type { headers.add("Content-Type", type) }
    if let coding { headers.add("Content-Encoding", coding) }
    return await stack.handler.handle(
      HTTPRequest(method: "POST", path: "/loki/api/v1/push", headers: headers, body: body))
  }

  @Test("JSON in every coding, protobuf in a snappy block with and without a word of it") func forms() async throws {
    try await TestStack.with { stack in
      let json = Bytes(Self.json)
      var pushed = 0
      for (coding, name) in [
        (nil, nil), (ContentEncoding.gzip, "gzip"), (.deflate, "deflate"), (.zstd, "zstd"), (.snappy, "snappy"),
      ] as [(ContentEncoding?, String?)] {
        let body = try coding.map { try $0.encode(json) } ?? json
        let answer = await Self.send(stack, body, type: "application/json; charset=utf-8", coding: name)
        #expect(answer.status == 204, "\(name ?? "plain"): \(answer.text)")
        if answer.headers["X-IceGate-Deduplicated"] == nil { pushed += 1 }
      }
      // The same body is the same request, whatever its coding was.
      #expect(pushed == 1)
      let block = try ContentEncoding.snappy.encode(Self.protobuf)
      #expect(await Self.send(stack, block, type: "application/x-protobuf").status == 204)
      let untyped = await Self.send(stack, block, type: nil)
      #expect(untyped.status == 400 && untyped.text.contains("mime: no media type"))
      #expect(await Self.send(stack, block, type: "junk").status == 204)
      let packed = try ContentEncoding.gzip.encode(block)
      #expect(await Self.send(stack, packed, type: "application/x-protobuf", coding: "gzip").status == 204)
      #expect(await Self.send(stack, block, type: "application/x-protobuf", coding: "snappy").status == 204)
      let answer = await stack.get(
        "/loki/api/v1/query_range", ["query": #"{service_name="web"}"#, "direction": "forward"])
      #expect(answer.text.contains(#"["\#(Self.base - 1_000_000_000)","as protobuf"]"#))
      #expect(answer.text.contains(#"["\#(Self.base - 1)","as json"]"#) && answer.text.contains(#""k":"v""#))
    }
  }

  @Test("what cannot be read is refused with its status") func refusals() async throws {
    try await TestStack.with(settings: { $0.bodyBytesMax = 1000 }) { stack in
      let json = Bytes(Self.json)
      #expect(await Self.send(stack, json, type: "application/json", coding: "br").status == 400)
      #expect(await Self.send(stack, json, type: "application/json", coding: "gzip").status == 400)
      #expect(await Self.send(stack, json, type: "application/x-protobuf").status == 400)
      #expect(await Self.send(stack, Bytes("{"), type: "application/json").status == 400)
      let bomb = try ContentEncoding.gzip.encode(Bytes([UInt8](repeating: 32, count: 1_000_000)))
      #expect(await Self.send(stack, bomb, type: "application/json", coding: "gzip").status == 413)
    }
  }

  @Test("a read whose client goes away ends as cancelled") func cancelled() async throws {
    try await TestStack.with { stack in
      try await stack.push((0..<2000).map { (Self.base - $0, "line \($0) with some text in it") })
      let task = Task {
        await stack.get("/loki/api/v1/query_range", ["query": #"{service_name="web"} |~ "(a|b|l)+ine [0-9]+$""#])
      }
      task.cancel()
      let answer = await task.value
      #expect(answer.status == 499)
      #expect(answer.text.contains("canceled"))
    }
  }

  @Test("reads are counted by route and status, and say how long they waited") func counted() async throws {
    try await TestStack.with { stack in
      _ = await stack.get("/loki/api/v1/labels")
      _ = await stack.get("/loki/api/v1/query_range", ["query": "{bad"])
      _ = await stack.get("/loki/api/v1/whatever/x")
      let page = await stack.get("/metrics").text
      for line in [
        #"icegate_query_requests_total{api="loki",route="labels",status="200"} 1"#,
        #"icegate_query_requests_total{api="loki",route="query_range",status="400"} 1"#,
        #"icegate_query_requests_total{api="loki",route="other",status="404"} 1"#,
        #"icegate_query_seconds_count{api="loki",route="labels"} 1"#, "icegate_query_queue_seconds_count 3",
        "icegate_tails 0",
      ] {
        #expect(page.contains(line), "\(line)")
      }
    }
  }
}
