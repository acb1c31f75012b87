import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct LokiPushTests {
  private func push(_ json: String) throws -> DecodedLogs {
    try LokiPushDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: testContext)
  }

  private func failure(_ json: String) -> LokiPushError? {
    do throws(LokiPushError) {
      _ = try LokiPushDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: testContext)
      return nil
    } catch {
      return error
    }
  }

  private func legacy(_ json: String) throws(LokiPushError) -> DecodedLogs {
    try LokiPushDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, form: .legacy, context: testContext)
  }

  @Test("the form of /api/prom/push: labels as text, times in RFC 3339")
  func legacyForm() throws {
    let batch = try legacy(
      #"{"streams":[{"labels":"{app=\"old\", service_name=\"a\"}","entries":["#
        + #"{"ts":"2026-01-15T10:40:00.123456789Z","line":"one","structuredMetadata":{"k":"v"}},"#
        + #"{"ts":"2026-01-15T12:40:00+02:00"}]},{"labels":"{a=\"b\"}"},"#
        + #"{"stream":{"a":"new"},"values":[["1768473600000000000","current"]]}]}"#
    ).batch
    #expect(batch.count == 3)
    #expect(batch.text("timestamp", 0) == "1768473600123456" && batch.text("timestamp_nanos", 0) == "789")
    #expect(batch.text("attributes", 0) == "{'app': 'old', 'service_name': 'a', 'k': 'v'}")
    #expect(batch.text("body", 0) == "'one'" && batch.text("service_name", 0) == "'a'")
    #expect(batch.text("timestamp", 1) == "1768473600000000" && batch.text("body", 1) == "''")
    #expect(batch.text("attributes", 2) == "{'a': 'new'}" && batch.text("body", 2) == "'current'")
  }

  @Test(
    "what is wrong in the form of /api/prom/push is told by path, as far as possible in Loki's words",
    arguments: [
      (
        #"{"labels":"{a=~\"b\"}","entries":[]}"#,
        "couldn't parse labels: 1:4: parse error: unexpected \"~\" in label set, expected string"
      ),
      (
        #"{"labels":5}"#,
        #"push.PushRequest.Streams: []push.Stream: push.Stream.Labels: ReadString: expects " or n, error found at $.streams[0].labels"#
      ),
      (
        #"{"entries":{}}"#,
        "push.PushRequest.Streams: []push.Stream: push.Stream.Entries: decode slice: expect [ or n, error found at $.streams[0].entries"
      ),
      (
        #"{"labels":"{a=\"b\"}","entries":[5]}"#,
        "push.PushRequest.Streams: []push.Stream: push.Stream.Entries: []push.Entry: readObjectStart: expect { or n, error found at $.streams[0].entries[0]"
      ),
      (
        #"{"labels":"{a=\"b\"}","entries":[{"ts":1768473600000000000}]}"#,
        "push.PushRequest.Streams: []push.Stream: push.Stream.Entries: []push.Entry: push.Entry.Timestamp: unmarshalerDecoder: Time.UnmarshalJSON: input is not a JSON string, error found at $.streams[0].entries[0].ts"
      ),
      (
        #"{"labels":"{a=\"b\"}","entries":[{"ts":"1768473600"}]}"#,
        "push.PushRequest.Streams: []push.Stream: push.Stream.Entries: []push.Entry: push.Entry.Timestamp: unmarshalerDecoder: \"1768473600\" is no time of RFC 3339, error found at $.streams[0].entries[0].ts"
      ),
      (
        #"{"labels":"{a=\"b\"}","entries":[{"ts":"2026-01-15T10:40:00Z","line":5}]}"#,
        #"push.PushRequest.Streams: []push.Stream: push.Stream.Entries: []push.Entry: push.Entry.Line: ReadString: expects " or n, error found at $.streams[0].entries[0].line"#
      ),
      (
        #"{"labels":"{a=\"b\"}","entries":[{"ts":"2026-01-15T10:40:00Z","structuredMetadata":[]}]}"#,
        "push.PushRequest.Streams: []push.Stream: push.Stream.Entries: []push.Entry: push.Entry.StructuredMetadata: wanted are names with texts, error found at $.streams[0].entries[0].structuredMetadata"
      ),
    ])
  func legacyFaults(stream: String, message: String) {
    #expect(throws: LokiPushError(message)) { _ = try legacy(#"{"streams":["# + stream + "]}") }
  }

  @Test("entries of /api/prom/push without labels, or at times that the table cannot hold, are left out and told")
  func legacyRejections() throws {
    let decoded = try legacy(
      #"{"streams":[{"entries":[{"ts":"2026-01-15T10:40:00Z","line":"x"}]},{"labels":"{a=\"b\"}","entries":["#
        + #"{"line":"x"},{"ts":"9999-12-31T23:59:59Z"},{"ts":"1969-12-31T23:59:59Z"},{"ts":"2026-01-15T10:40:00Z"}]}]}"#
    )
    #expect(decoded.recordCount == 1 && decoded.rejectedCount == 4)
    #expect(
      decoded.rejectionReasons == [
        "error at least one label pair is required per stream",
        #"entry for stream '{a="b"}' has timestamp too old: 0001-01-01T00:00:00Z, oldest acceptable timestamp is: 1970-01-01T00:00:00Z"#,
        #"entry for stream '{a="b"}' has timestamp too new: 9999-12-31T23:59:59Z"#,
        #"entry for stream '{a="b"}' has timestamp too old: 1969-12-31T23:59:59Z, oldest acceptable timestamp is: 1970-01-01T00:00:00Z"#,
      ])
  }

  private let example = """
    {"streams":[{"stream":{"service_name":"gateway","env":"prod"},"values":[
      ["1768473599627414618","POST /api/orders",{"trace_id":"1f1eb6806c307b6a53cc374322f22f62","span_id":"4a79b2271ad49a1a","http_status":"500"}],
      ["1768473599627414617","line two"]]},
     {"stream":{"app":"x"},"values":[["1768473599000000000",""]]}]}
    """

  @Test("labels are the resource's, structured metadata the record's; only what was pushed is there")
  func levels() throws {
    let decoded = try push(example)
    #expect(decoded.recordCount == 3 && decoded.rejectedCount == 0 && !decoded.hasRecordWithoutTime)
    let batch = decoded.batch
    #expect(
      batch.text("attributes", 0)
        == "{'env': 'prod', 'service_name': 'gateway', 'trace_id': '1f1eb6806c307b6a53cc374322f22f62', 'span_id': '4a79b2271ad49a1a', 'http_status': '500'}"
    )
    #expect(batch.text("attributes_shape", 0) == "'RssIsss'")
    #expect(batch.text("service_name", 0) == "'gateway'")
    #expect(
      batch.text("trace_id", 0) == "1f1eb6806c307b6a53cc374322f22f62" && batch.text("span_id", 0) == "4a79b2271ad49a1a")
    #expect(batch.text("timestamp", 0) == "1768473599627414" && batch.text("timestamp_nanos", 0) == "618")
    #expect(batch.text("body", 0) == "'POST /api/orders'")
    #expect(batch.text("attributes", 1) == "{'env': 'prod', 'service_name': 'gateway'}")
    #expect(batch.text("severity_text", 1) == "-" && batch.text("trace_id", 1) == "-")
    #expect(batch.text("service_name", 2) == "-" && batch.text("attributes", 2) == "{'app': 'x'}")
    #expect(batch.text("body", 2) == "''" && batch.text("otlp_extra", 2) == "-")
  }

  @Test("the label severity_text fills its column, ids in other forms do not")
  func columns() throws {
    let batch = try push(
      """
      {"streams":[{"stream":{"severity_text":"WARN"},"values":[["1","a",{"trace_id":"1F1EB6806C307B6A53CC374322F22F62","span_id":"0000000000000000"}]]}]}
      """
    ).batch
    #expect(batch.text("severity_text") == "'WARN'")
    #expect(batch.text("trace_id") == "-" && batch.text("span_id") == "-")
  }

  @Test(
    "a malformed push is refused with Loki's words",
    arguments: [
      ("{\"streams\":[]}", 422, "error at least one valid stream is required for ingestion"),
      ("null", 422, "error at least one valid"),
      (
        "{\"streams\":[{\"stream\":{\"foo-bar\":\"x\"},\"values\":[]}]}", 400,
        "couldn't parse labels: 1:5: parse error: unexpected character inside braces: '-'"
      ),
      (
        "{\"streams\":[{\"stream\":{\"a\":\"b\",\"0x\":\"x\"},\"values\":[]}]}", 400,
        "couldn't parse labels: 1:2: parse error: unexpected character inside braces: '0'"
      ),
      (
        "{\"streams\":[{\"stream\":{\"a\":{}},\"values\":[]}]}", 400,
        "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: Value is string, but can't find closing '\"' symbol"
      ),
      (
        "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[1768473599000000000,\"x\"]]}]}", 400,
        "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: Value is string, but can't find closing '\"' symbol"
      ),
      (
        "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"2026-01-15T10:00:00Z\",\"x\"]]}]}", 400,
        "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol, error found at $.streams[0].values[0][0]"
      ),
      (
        "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"9223372036854775808\",\"x\"]]}]}", 400,
        "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: Value is number, but overflowed while parsing"
      ),
      (
        "{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"x\",\"y\"]]}]}", 400,
        "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: Value looks like object, but can't find closing '}' symbol"
      ),
      ("{\"streams\":[", 400, "loghttp.PushRequest: malformed request at byte 12"),
    ])
  func refused(json: String, status: Int, message: String) {
    let found = failure(json)
    #expect(found?.status == status)
    #expect(found?.message.hasPrefix(message) == true, "\(found?.message ?? "none")")
  }

  @Test("entries that Loki refuses one by one are counted, the others are kept")
  func rejected() throws {
    let decoded = try push(
      """
      {"streams":[{"stream":{"b":"x\\"y","a":"1"},"values":[["-1","old"],["0","zero"],["5","kept"]]},{"stream":{},"values":[["5","bare"]]},
      {"stream":{"a":""},"values":[]}]}
      """)
    #expect(decoded.recordCount == 1 && decoded.rejectedCount == 3)
    #expect(
      decoded.rejectionReasons == [
        "entry for stream '{a=\"1\", b=\"x\\\"y\"}' has timestamp too old: 1969-12-31T23:59:59Z, oldest acceptable timestamp is: 1970-01-01T00:00:00Z",
        "entry for stream '{a=\"1\", b=\"x\\\"y\"}' has timestamp too old: 1970-01-01T00:00:00Z, oldest acceptable timestamp is: 1970-01-01T00:00:00Z",
        "error at least one label pair is required per stream",
      ])
  }

  private func protobuf(_ labels: String, seconds: UInt64 = 1_768_473_599, nanos: UInt64 = 627_414_618) -> [UInt8] {
    var time = Wire()
    time.uint(1, seconds)
    time.uint(2, nanos)
    var pair = Wire()
    pair.string(1, Array("http_status".utf8))
    pair.string(2, Array("500".utf8))
    var entry = Wire()
    entry.message(1, time.bytes)
    entry.string(2, Array("POST /api/orders".utf8))
    entry.message(3, pair.bytes)
    var stream = Wire()
    stream.string(1, Array(labels.utf8))
    stream.message(2, entry.bytes)
    stream.uint(3, 77)
    var request = Wire()
    request.message(1, stream.bytes)
    return request.bytes
  }

  @Test("protobuf and JSON of one push give the same rows")
  func protobufEqualsJSON() throws {
    let labels = "{ service_name=\"gateway\" , env='pr\\u006fd', path=`C:\\dir`, }"
    let fromWire = try LokiPushDecoder.decode(Bytes(protobuf(labels)), encoding: .protobuf, context: testContext)
    let fromJSON = try push(
      """
      {"streams":[{"stream":{"path":"C:\\\\dir","service_name":"gateway","env":"prod"},
      "values":[["1768473599627414618","POST /api/orders",{"http_status":"500"}]]}]}
      """)
    #expect(rows(fromWire.batch) == rows(fromJSON.batch))
    #expect(fromWire.recordCount == 1)
  }

  @Test("labels may be numbers and words, as Loki takes them")
  func labelValues() throws {
    let decoded = try push(
      """
      {"streams":[{"stream":{"a":5,"b":true,"c":null,"d":-1.5,"e":18446744073709551615},"values":[["1","x"]]}]}
      """)
    #expect(decoded.recordCount == 1 && decoded.rejectedCount == 0)
    #expect(
      decoded.batch.text("attributes")
        == "{'a': '5', 'b': 'true', 'c': 'null', 'd': '-1.5', 'e': '18446744073709551615'}")
  }

  @Test("a stream without labels is refused entry by entry, without entries it is taken")
  func noLabels() throws {
    for json in ["{\"streams\":[{\"values\":[]}]}", "{\"streams\":[{}]}"] {
      let decoded = try push(json)
      #expect(decoded.recordCount == 0 && decoded.rejectedCount == 0)
    }
    let decoded = try push("{\"streams\":[{\"values\":[[\"1\",\"x\"]]}]}")
    #expect(decoded.recordCount == 0 && decoded.rejectedCount == 1)
    #expect(decoded.rejectionReasons == ["error at least one label pair is required per stream"])
    let wire = try LokiPushDecoder.decode(Bytes(protobuf("")), encoding: .protobuf, context: testContext)
    #expect(wire.recordCount == 0 && wire.rejectionReasons == decoded.rejectionReasons)
  }

  @Test("what is no UTF-8 in JSON becomes U+FFFD, as Loki shows it")
  func badBytes() throws {
    let bytes =
      Array("{\"streams\":[{\"stream\":{\"a\":\"b\"},\"values\":[[\"1\",\"a".utf8) + [0xFF, 0xFE]
      + Array("z\"]]}]}".utf8)
    let decoded = try LokiPushDecoder.decode(Bytes(bytes), encoding: .json, context: testContext)
    #expect(decoded.batch.text("body") == "'a\u{FFFD}\u{FFFD}z'")
  }

  @Test(
    "labels in protobuf that are none are told with their place",
    arguments: [
      ("{a}", "1:3: parse error: unexpected \"}\" in label set, expected \"=\""),
      ("{a=\"b\"", "1:7: parse error: unexpected end of input"),
      ("{a-b=\"c\"}", "1:3: parse error: unexpected \"-\" in label set, expected \"=\""),
      ("{a=b}", "1:4: parse error: unexpected \"b\" in label set, expected string"),
      ("{a=\"b}", "1:7: parse error: unterminated quoted string"),
      ("{a=\"\\q\"}", "1:7: parse error: unknown escape sequence 'q'"),
      ("{a=\"b\"} x", "1:9: parse error: unexpected \"x\" after the label set"),
    ])
  func badLabels(labels: String, message: String) {
    do throws(LokiPushError) {
      _ = try LokiPushDecoder.decode(Bytes(protobuf(labels)), encoding: .protobuf, context: testContext)
      Issue.record("\(labels) was taken")
    } catch {
      #expect(error.message == "couldn't parse labels: " + message)
    }
  }

  @Test("every truncation and mutation of a push is an answer or an error")
  func attacks() {
    let wire = protobuf("{a=\"b\",c=\"d\"}")
    var random = TestRandom(seed: 3)
    for (bytes, encoding) in [(wire, OTLPEncoding.protobuf), (Array(example.utf8), .json)] {
      for length in 0..<bytes.count {
        _ = try? LokiPushDecoder.decode(Bytes(Array(bytes[..<length])), encoding: encoding, context: testContext)
      }
      for _ in 0..<600 {
        var mutated = bytes
        for _ in 0..<3 { mutated[random.below(mutated.count)] = UInt8(random.below(256)) }
        _ = try? LokiPushDecoder.decode(Bytes(mutated), encoding: encoding, context: testContext)
      }
    }
    let far = protobuf("{a=\"b\"}", seconds: UInt64(Int64.max), nanos: 999_999_999)
    #expect((try? LokiPushDecoder.decode(Bytes(far), encoding: .protobuf, context: testContext))?.rejectedCount == 1)
  }
}
