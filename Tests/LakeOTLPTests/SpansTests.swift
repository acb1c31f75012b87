import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct SpansTests {
  private func taken(_ request: [ResourceGroup<SpanModel>]) -> [ResourceGroup<SpanModel>] {
    request.map { group in
      var group = group
      group.scopes = group.scopes.map { scope in
        var scope = scope
        scope.rows = scope.rows.filter(\.hasIDs)
        return scope
      }
      return group
    }
  }

  @Test("random spans come back from their rows in normal form, without the rejected ones", arguments: 0..<6)
  func protobufRoundTrip(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 40_000, allowsProtobufOnly: true)
      let request = generator.groups { $0.span() }
      let decoded = try SpansDecoder.decode(
        Bytes(requestWire(request) { $0.wire }), encoding: .protobuf, context: testContext)
      let expected = normalForm(taken(request))
      let all = request.flatMap(\.scopes).flatMap(\.rows)
      #expect(decoded.recordCount == all.filter(\.hasIDs).count)
      #expect(decoded.rejectedCount == all.count - decoded.recordCount)
      let back = try SpansEncoder.encode(decoded.batch, encoding: .protobuf)
      #expect(difference(requestModel(back.array) { SpanModel(wire: $0) }, expected) == nil, "seed \(seed)")
    }
  }

  @Test("JSON and protobuf of the same spans give the same rows, also back through JSON", arguments: 0..<6)
  func jsonEqualsProtobuf(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 50_000, allowsProtobufOnly: false)
      let request = generator.groups { $0.span() }
      var writer = ModelJSON(seed: UInt64(seed))
      let json = writer.request(request, "resourceSpans", "scopeSpans", "spans") { $0.span($1) }
      let fromWire = try SpansDecoder.decode(
        Bytes(requestWire(request) { $0.wire }), encoding: .protobuf, context: testContext)
      let fromJSON = try SpansDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: testContext)
      #expect(difference(rows(fromJSON.batch), rows(fromWire.batch)) == nil, "seed \(seed)")
      #expect(fromJSON.rejectionReasons == fromWire.rejectionReasons)
      let again = try SpansDecoder.decode(
        try SpansEncoder.encode(fromWire.batch, encoding: .json), encoding: .json, context: testContext)
      let back = try SpansEncoder.encode(again.batch, encoding: .protobuf)
      #expect(
        difference(requestModel(back.array) { SpanModel(wire: $0) }, normalForm(taken(request))) == nil, "seed \(seed)")
    }
  }

  private let manual = """
    {"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"api-gateway"}}]},
    "scopeSpans":[{"spans":[{"traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"EEE19B7EC3C1B174","name":"GET /api/orders","kind":2,
    "startTimeUnixNano":"1704067200000000999","endTimeUnixNano":"1704067200100001000","status":{"code":1},
    "events":[{"timeUnixNano":"1704067200000000001","name":"e","attributes":[{"key":"a","value":{"intValue":2}}]},{}],
    "links":[{"traceId":"5B8EFFF798038103D269B633813FC60D","spanId":"EE","flags":1}]}]}]}]}
    """

  @Test("the manual's example becomes this row")
  func manualExample() throws {
    let decoded = try SpansDecoder.decode(Bytes(Array(manual.utf8)), encoding: .json, context: testContext)
    #expect(
      rows(decoded.batch) == [
        """
        tenant_id='acme' account_id='main' trace_id=5b8efff798038103d269b633813fc60c span_id=eee19b7ec3c1b174 \
        parent_span_id=- timestamp=1704067200000000 end_timestamp=1704067200100001 ingested_timestamp=1800000000123456 \
        duration_micros=100000 trace_state=- name='GET /api/orders' kind=2 status_code=1 status_message=- \
        attributes={'service.name': 'api-gateway'} flags=0 dropped_attributes_count=0 dropped_events_count=0 \
        dropped_links_count=0 events=[(1704067200000000, 'e', {'a': '2'}, 0, 1, 'Ii', -), (-, '', {}, 0, -, -, -)] \
        links=[(5b8efff798038103d269b633813fc60d, -, -, {}, 0, 1, -, '{"spanId":"ee"}')] service_name='api-gateway' \
        timestamp_nanos=999 end_timestamp_nanos=0 scope_name=- scope_version=- resource_schema_url=- scope_schema_url=- \
        attributes_shape='Rs' resource='{"attributes":[{"key":"service.name","value":{"stringValue":"api-gateway"}}]}' \
        scope=- otlp_extra=-
        """
      ])
    #expect(decoded.batch.schema == LakeTable.spans.schema)
  }

  private func span(_ members: String) throws -> DecodedRows {
    let text =
      "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\"5B8EFFF798038103D269B633813FC60C\",\"spanId\":\"EEE19B7EC3C1B174\",\(members)}]}]}]}"
    return try SpansDecoder.decode(Bytes(Array(text.utf8)), encoding: .json, context: testContext)
  }

  @Test("a span without start stands at its end, one without times at ingest; a duration is never negative")
  func times() throws {
    let end = try span("\"endTimeUnixNano\":5001")
    #expect(!end.hasRecordWithoutTime)
    #expect(end.batch.text("timestamp") == "5" && end.batch.text("timestamp_nanos") == "-")
    #expect(end.batch.text("end_timestamp") == "5" && end.batch.text("duration_micros") == "0")
    let none = try span("\"name\":null")
    #expect(none.hasRecordWithoutTime)
    #expect(
      none.batch.text("timestamp") == "1800000000123456" && none.batch.text("end_timestamp") == "1800000000123456")
    let backwards = try span("\"startTimeUnixNano\":9000,\"endTimeUnixNano\":5000")
    #expect(backwards.batch.text("duration_micros") == "0" && backwards.batch.text("end_timestamp") == "5")
    let open = try span("\"startTimeUnixNano\":9001")
    #expect(open.batch.text("end_timestamp") == "9" && open.batch.text("end_timestamp_nanos") == "-")
  }

  @Test("spans with bad ids are left out and told; an odd parent is not a bad id")
  func rejections() throws {
    let ids = ["", "00", String(repeating: "0", count: 32), "5B8EFFF798038103D269B633813FC60C"]
    let spans = ids.flatMap { trace in
      ["", "EEE19B7EC3C1B174"].map {
        "{\"traceId\":\"\(trace)\",\"spanId\":\"\($0)\",\"parentSpanId\":\"EE\",\"attributes\":[{\"key\":\"\(trace)\"}]}"
      }
    }
    let text = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[\(spans.joined(separator: ","))]}]}]}"
    let decoded = try SpansDecoder.decode(Bytes(Array(text.utf8)), encoding: .json, context: testContext)
    #expect(decoded.recordCount == 1 && decoded.rejectedCount == 7)
    #expect(
      decoded.rejectionReasons == [
        "6 spans without a valid trace id (16 bytes, not all zero)",
        "1 span without a valid span id (8 bytes, not all zero)",
      ])
    #expect(decoded.batch.text("attributes") == "{'5B8EFFF798038103D269B633813FC60C': -}")
    #expect(decoded.batch.text("otlp_extra") == "'{\"parentSpanId\":\"ee\"}'")
  }

  @Test(
    "ids that are no hexadecimal digits refuse the request",
    arguments: ["\"x\"", "\"abc\"", "5", "null", "\"CvdlGRbNQ92ESOshHIAANg==\""])
  func notHex(id: String) {
    let text = "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":\(id)}]}]}]}"
    do throws(OTLPError) {
      _ = try SpansDecoder.decode(Bytes(Array(text.utf8)), encoding: .json, context: testContext)
      Issue.record("\(id) was taken")
    } catch {
      #expect("\(error)".hasPrefix("malformed request at $.resourceSpans[0].scopeSpans[0].spans[0].traceId: "))
    }
  }

  @Test("truncated and mutated spans are an answer or an error, and an answer can be written again", arguments: 0..<4)
  func attacks(block: Int) throws {
    for seed in seeds(block, of: 12) {
      var generator = ModelRandom(seed: UInt64(seed) + 60_000, allowsProtobufOnly: true)
      var bytes = requestWire(generator.groups { $0.span() }) { $0.wire }
      for length in stride(from: 0, to: bytes.count, by: 7) {
        _ = try? SpansDecoder.decode(Bytes(Array(bytes[..<length])), encoding: .protobuf, context: testContext)
      }
      for _ in 0..<20 where !bytes.isEmpty {
        bytes[generator.random.below(bytes.count)] = UInt8(generator.random.below(256))
        guard let decoded = try? SpansDecoder.decode(Bytes(bytes), encoding: .protobuf, context: testContext) else {
          continue
        }
        let back = try SpansEncoder.encode(decoded.batch, encoding: .protobuf)
        let again = try SpansDecoder.decode(back, encoding: .protobuf, context: testContext)
        #expect(difference(rows(again.batch).sorted(), rows(decoded.batch).sorted()) == nil, "seed \(seed)")
      }
    }
  }
}
