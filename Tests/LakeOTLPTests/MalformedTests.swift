import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct MalformedTests {
  private func failure(_ bytes: [UInt8], _ encoding: OTLPEncoding) -> String {
    do throws(OTLPError) {
      _ = try LogsDecoder.decode(Bytes(bytes), encoding: encoding, context: testContext)
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "malformed JSON is told with its place",
    arguments: [
      ("", "malformed request at byte 0: the text ends inside a value"),
      ("[]", "malformed request at $: expected an object"),
      ("{\"resourceLogs\":[},", "malformed request at byte 17: expected a value"),
      ("{\"resourceLogs\":\"x\"}", "malformed request at $.resourceLogs: expected a list"),
      (
        "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{},{\"timeUnixNano\":\"2026-01-15\"}]}]}]}",
        "malformed request at $.resourceLogs[0].scopeLogs[0].logRecords[1].timeUnixNano: expected an unsigned integer of 64 bits"
      ),
      (
        "{\"resource_logs\":[{\"scopeLogs\":[{\"logRecords\":[{\"traceId\":\"xy\"}]}]}]}",
        "malformed request at $.resource_logs[0].scopeLogs[0].logRecords[0].traceId: expected hexadecimal digits"
      ),
      ("\u{FEFF}{}", "malformed request at byte 0: expected a value"),
    ])
  func json(text: String, message: String) { #expect(failure(Array(text.utf8), .json) == message) }

  @Test(
    "values of a wrong type are refused as the recorded receiver refuses them",
    arguments: [
      "\"timeUnixNano\":null", "\"timeUnixNano\":1.5", "\"timeUnixNano\":1e18", "\"timeUnixNano\":\"+1\"",
      "\"timeUnixNano\":-1",
      "\"timeUnixNano\":true", "\"severityNumber\":\"INFO\"", "\"severityNumber\":\"9\"", "\"severityNumber\":3.0",
      "\"severityText\":5",
      "\"body\":\"x\"", "\"body\":{\"stringValue\":5}", "\"body\":{\"intValue\":\"9223372036854775808\"}",
      "\"body\":{\"intValue\":\"\"}",
      "\"body\":{\"intValue\":2.0}", "\"body\":{\"boolValue\":\"true\"}", "\"body\":{\"bytesValue\":\"-_8=\"}",
      "\"body\":{\"bytesValue\":\"+/8\"}", "\"body\":{\"doubleValue\":\"x\"}", "\"traceId\":\"abc\"",
      "\"flags\":4294967296",
    ])
  func wrongTypes(member: String) {
    let text = "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\(member)}]}]}]}"
    #expect(
      failure(Array(text.utf8), .json).hasPrefix("malformed request at $.resourceLogs[0].scopeLogs[0].logRecords[0]."))
  }

  @Test(
    "what the recorded receiver takes is taken",
    arguments: [
      "null", "{}", "{}garbage", "{}\n{}", "{\"resourceLogs\":null}", "{\"resourceLogs\":[null]}",
      "{\"ResourceLogs\":[{\"x\":1}]}",
      "{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\"body\":{\"stringValue\":null},\"attributes\":null,\"timeUnixNano\":\"001\"}]}]}]}",
      "{\"x\":" + String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000) + "}",
    ])
  func taken(text: String) { #expect(failure(Array(text.utf8), .json) == "no error") }

  @Test(
    "texts cut in the middle of a character, as JavaScript writes them, and bytes that are not UTF-8 are taken with U+FFFD"
  )
  func halves() throws {
    let record = Array(#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{"body":{"stringValue":""#.utf8)
    let end = Array(#""}}]}]}]}"#.utf8)
    for (text, body) in [
      (Array(#"a\ud83d"#.utf8), "a\u{FFFD}"), (Array(#"\ud83d\ude00"#.utf8), "\u{1F600}"), ([0x61, 0xFF], "a\u{FFFD}"),
    ] {
      let decoded = try LogsDecoder.decode(Bytes(record + text + end), encoding: .json, context: testContext)
      #expect(rows(decoded.batch).first?.contains(" body='\(body)' ") == true)
    }
  }

  @Test("metadata of a metric with a wrong wire type is refused")
  func metadata() {
    // A gauge "g" with one empty point, and field 12 as four bytes.
    let metric: [UInt8] = [0x0A, 0x01, 0x67, 0x2A, 0x02, 0x0A, 0x00, 0x65, 1, 2, 3, 4]
    let scope = [0x12, UInt8(metric.count)] + metric
    let resource = [0x12, UInt8(scope.count)] + scope
    #expect(throws: OTLPError.self) {
      try MetricsDecoder.decode(
        Bytes([0x0A, UInt8(resource.count)] + resource), encoding: .protobuf, context: testContext)
    }
  }

  @Test(
    "malformed protobuf is told with its place",
    arguments: [
      ([0xFF, 0xFF, 0xFF], "malformed request at byte 0: ends before its value does"),
      (Array("hello world".utf8), "malformed request at byte 3: field 13: group end without its start"),
      ([0x0A, 0xFF, 0xFF, 0xFF, 0x7F], "malformed request at byte 1: ends before its value does"),
      ([0x0B, 0x0C], "malformed request at byte 1: field 1: wrong wire type"),
      ([0x00], "malformed request at byte 0: field number 0"),
      ([0x0A, 0x03, 0x12, 0x05, 0x00], "malformed request at byte 3: ends before its value does"),
    ] as [([UInt8], String)])
  func protobuf(bytes: [UInt8], message: String) { #expect(failure(bytes, .protobuf) == message) }

  @Test("unknown fields and groups are passed over")
  func unknown() {
    #expect(
      failure([0xBA, 0x3E, 0x03, 0x61, 0x62, 0x63, 0xB8, 0x3E, 0x01, 0x7B, 0x10, 0x01, 0x7C], .protobuf) == "no error")
  }

  @Test("a value nested too deeply is over a limit, in both encodings")
  func depth() throws {
    func nested(_ levels: Int) -> Value { (0..<levels).reduce(Value.int(1)) { value, _ in .array([value]) } }
    for (levels, isFine) in [(63, true), (64, false), (5000, false)] {
      let record = LogModel(attributes: [Pair("k", nested(levels))])
      let groups = [ResourceGroup(scopes: [ScopeGroup(rows: [record])])]
      let wire = requestWire(groups) { $0.wire }
      let found = failure(wire, .protobuf)
      #expect(isFine ? found == "no error" : found.hasPrefix("request over a limit"), "\(levels): \(found)")
      if levels > 1000 { continue }  // the model's own JSON recursion
      var writer = ModelJSON(seed: 1)
      let json = writer.request(groups, "resourceLogs", "scopeLogs", "logRecords") { $0.log($1) }
      let text = failure(Array(json.utf8), .json)
      #expect(isFine ? text == "no error" : text.hasPrefix("request over a limit"), "\(levels): \(text)")
    }
    // In resource, scope and body too.
    let deep = nested(64)
    for group in [
      ResourceGroup(resource: ResourceModel(attributes: [Pair("k", deep)]), scopes: [ScopeGroup(rows: [LogModel()])]),
      ResourceGroup(scopes: [ScopeGroup(scope: ScopeModel(attributes: [Pair("k", deep)]), rows: [LogModel()])]),
      ResourceGroup(scopes: [ScopeGroup(rows: [LogModel(body: deep)])]),
    ] {
      #expect(failure(requestWire([group]) { $0.wire }, .protobuf).hasPrefix("request over a limit"))
    }
  }

  @Test("a small body that asks for huge columns is over a limit")
  func amplification() {
    let resource = ResourceModel(attributes: (0..<2000).map { Pair("k\($0)", .int(1)) })
    let rows = [LogModel](repeating: LogModel(), count: 20_000)
    let wire = requestWire([ResourceGroup(resource: resource, scopes: [ScopeGroup(rows: rows)])]) { $0.wire }
    #expect(wire.count < 100_000)
    #expect(failure(wire, .protobuf).hasPrefix("request over a limit"))
  }

  @Test("every truncation of a request is an answer or an error", arguments: 0..<6)
  func truncation(seed: Int) throws {
    var generator = ModelRandom(seed: UInt64(seed) + 500, allowsProtobufOnly: false)
    let request = generator.groups { $0.log() }
    let wire = requestWire(request) { $0.wire }
    for length in 0..<min(wire.count, 3000) { _ = failure(Array(wire[..<length]), .protobuf) }
    var writer = ModelJSON(seed: UInt64(seed))
    let json = Array(writer.request(request, "resourceLogs", "scopeLogs", "logRecords") { $0.log($1) }.utf8)
    for length in 0..<min(json.count, 2000) { #expect(failure(Array(json[..<length]), .json) != "no error") }
  }

  @Test("every mutation of a request is an answer or an error, and an answer can be written again", arguments: 0..<8)
  func mutation(block: Int) throws {
    for seed in seeds(block, of: 30) {
      var generator = ModelRandom(seed: UInt64(seed) + 900, allowsProtobufOnly: true)
      let request = generator.groups { $0.log() }
      var writer = ModelJSON(seed: UInt64(seed))
      let isJSON = generator.random.chance(3)
      var bytes =
        isJSON
        ? Array(writer.request(request, "resourceLogs", "scopeLogs", "logRecords") { $0.log($1) }.utf8)
        : requestWire(request) { $0.wire }
      guard !bytes.isEmpty else { continue }
      for _ in 0..<12 {
        let at = generator.random.below(bytes.count)
        switch generator.random.below(4) {
        case 0: bytes[at] = UInt8(generator.random.below(256))
        case 1: bytes[at] ^= 1 << UInt8(generator.random.below(8))
        case 2: bytes.insert(generator.random.pick([0xFF, 0x7F, 0x80, 0x00, 0x0A, 0x22]), at: at)
        default: bytes.remove(at: at)
        }
        if bytes.isEmpty { break }
        guard
          let decoded = try? LogsDecoder.decode(
            Bytes(bytes), encoding: isJSON ? .json : .protobuf, context: testContext)
        else { continue }
        let back = try LogsEncoder.encode(decoded.batch, encoding: .protobuf)
        let again = try LogsDecoder.decode(back, encoding: .protobuf, context: testContext)
        // Rows may come in another order: equal groups were merged.
        #expect(difference(rows(again.batch).sorted(), rows(decoded.batch).sorted()) == nil, "seed \(seed)")
      }
    }
  }
}
