import LakeModel
import Testing

@testable import LakeOTLP

@Suite struct AnswersTests {
  @Test("full success leaves the partial success empty", arguments: [OTLPSignal.logs, .traces, .metrics])
  func success(signal: OTLPSignal) {
    #expect(ExportResponse.encode(signal, encoding: .protobuf).array == [0x0A, 0x00])
    #expect(ExportResponse.encode(signal, encoding: .json).text == "{\"partialSuccess\":{}}")
  }

  @Test("rejected records are counted under the signal's name")
  func partial() {
    let wire = ExportResponse.encode(.traces, rejected: 300, message: "bad", encoding: .protobuf).array
    #expect(wire == [0x0A, 0x08, 0x08, 0xAC, 0x02, 0x12, 0x03] + Array("bad".utf8))
    #expect(
      ExportResponse.encode(.traces, rejected: 3, message: "a \"b\"", encoding: .json).text
        == "{\"partialSuccess\":{\"rejectedSpans\":\"3\",\"errorMessage\":\"a \\\"b\\\"\"}}")
    #expect(
      ExportResponse.encode(.logs, rejected: 1, encoding: .json).text
        == "{\"partialSuccess\":{\"rejectedLogRecords\":\"1\"}}")
    #expect(
      ExportResponse.encode(.metrics, rejected: 0, message: "m", encoding: .json).text
        == "{\"partialSuccess\":{\"errorMessage\":\"m\"}}")
  }

  @Test("a status is code and message, as recorded")
  func status() {
    // Recorded: answers.json, "encoding-pb-identity".
    let recorded = Array("\u{08}\u{03}\u{12}\u{26}unsupported Content-Encoding: identity".utf8)
    #expect(
      StatusResponse.encode(code: 3, message: "unsupported Content-Encoding: identity", encoding: .protobuf).array
        == recorded)
    #expect(
      StatusResponse.encode(code: 3, message: "no", encoding: .json).text == "{\"code\":3,\"message\":\"no\"}")
  }

  @Test("a retry delay rides along as RetryInfo")
  func retry() {
    #expect(
      StatusResponse.encode(code: 14, message: "full", retryDelay: .milliseconds(1500), encoding: .json).text
        == "{\"code\":14,\"message\":\"full\",\"details\":[{\"@type\":\"type.googleapis.com/google.rpc.RetryInfo\",\"retryDelay\":\"1.500000000s\"}]}"
    )
    let detail = fields(
      StatusResponse.encode(code: 14, message: "full", retryDelay: .milliseconds(1500), encoding: .protobuf).array)[2]
    let any = fields(detail.bytes)
    #expect(String(decoding: any[0].bytes, as: UTF8.self) == "type.googleapis.com/google.rpc.RetryInfo")
    let delay = fields(fields(any[1].bytes)[0].bytes)
    #expect(delay.map(\.int) == [1, 500_000_000])
  }
}
