import LakeModel
import Testing

@testable import LakeClient

@Suite struct LokiAnswerTests {
  @Test("streams, with and without categories") func streams() throws {
    let answer = try LokiAnswer(
      Bytes(
        #"""
        {"status":"success","warnings":["careful"],"data":{"resultType":"streams","encodingFlags":["categorize-labels"],
        "result":[{"stream":{"a":"b"},"values":[["12","line",{"structuredMetadata":{"t":"1"},"parsed":{"p":"2"}}],["13","more"]]}],
        "stats":{"summary":{"totalBytesProcessed":7,"totalLinesProcessed":2,"execTime":0.5}}}}
        """#))
    guard case .entries(let entries) = answer.data else {
      Issue.record("no entries")
      return
    }
    #expect(
      entries == [
        LogEntry(time: 12, labels: ["a": "b"], metadata: ["t": "1"], parsed: ["p": "2"], line: "line"),
        LogEntry(time: 13, labels: ["a": "b"], line: "more"),
      ])
    #expect(answer.statistics == LokiAnswer.Statistics(bytes: 7, lines: 2, seconds: 0.5))
    #expect(answer.warnings == ["careful"])
  }

  @Test("matrix, vector and scalar") func samples() throws {
    func data(_ type: String, _ result: String) throws -> LokiAnswer.Data {
      try LokiAnswer(Bytes(#"{"data":{"resultType":"\#(type)","result":\#(result)}}"#)).data
    }
    guard case .series(let matrix) = try data("matrix", #"[{"metric":{"a":"b"},"values":[[1,"2"],[1.5,"3"]]}]"#),
      case .series(let vector) = try data("vector", #"[{"metric":{},"value":[1,"NaN"]}]"#),
      case .scalar(let time, let value) = try data("scalar", #"[1,"7"]"#)
    else {
      Issue.record("other types")
      return
    }
    #expect(matrix == [MetricSeries(labels: ["a": "b"], samples: [(1, "2"), (1.5, "3")])])
    #expect(vector == [MetricSeries(labels: [:], samples: [(1, "NaN")])])
    #expect(time == 1 && value == "7")
  }

  @Test(
    "what is no answer is an error",
    arguments: [
      "", "{}", "[]", #"{"data":{"resultType":"streams","result":[{"stream":{}}]}}"#,
      #"{"data":{"resultType":"streams","result":[{"stream":{},"values":[["x","y"]]}]}}"#,
      #"{"data":{"resultType":"matrix","result":[{"metric":{},"values":[[1]]}]}}"#,
      #"{"data":{"resultType":"new","result":[]}}"#,
    ])
  func malformed(text: String) {
    #expect(throws: LokiAnswer.Malformed.self) { try LokiAnswer(Bytes(text)) }
  }

  @Test("an error's message comes from JSON or is the text") func messages() {
    #expect(LokiAnswer.message(Bytes(#"{"status":"error","error":"parse error"}"#)) == "parse error")
    #expect(LokiAnswer.message(Bytes("not found\n")) == "not found")
  }

  @Test("addresses are taken apart and put together") func addresses() throws {
    let address = try #require(ServerAddress("https://logs.example:8443/loki-a/"))
    #expect(address.authority == "logs.example:8443" && address.prefix == "/loki-a")
    #expect(
      address.url("/loki/api/v1/labels", [("query", #"{a="b c"}"#)])
        == "https://logs.example:8443/loki-a/loki/api/v1/labels?query=%7Ba%3D%22b%20c%22%7D")
    #expect(ServerAddress("localhost:3100")?.url("/ready", []) == "http://localhost:3100/ready")
    for text in ["ftp://a", "http://", "", "http://a?b", "http://user:password@a", "http://a b"] {
      #expect(ServerAddress(text) == nil, "\(text)")
    }
  }

  @Test("a response's head is read once it is whole") func heads() {
    let text = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nSec-WebSocket-Accept:  x\r\n\r\nrest"
    let bytes = Array(text.utf8)
    for count in 0..<(bytes.count - 4) { #expect(ResponseHead.parse(Array(bytes[..<count])) == nil) }
    let found = ResponseHead.parse(bytes)
    #expect(found?.head == ResponseHead(status: 101, fields: ["upgrade": "websocket", "sec-websocket-accept": "x"]))
    #expect(found?.rest == Array("rest".utf8))
  }
}
