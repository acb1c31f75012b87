import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct LogsDecoderTests {
  private func decode(_ json: String) throws -> DecodedLogs {
    try LogsDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: testContext)
  }

  private func record(_ members: String) throws -> ColumnBatch {
    try decode("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{\(members)}]}]}]}").batch
  }

  @Test("the manual's first example becomes this row")
  func manualExample() throws {
    let decoded = try decode(
      """
      {"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"api-service"}}]},
      "scopeLogs":[{"logRecords":[{"timeUnixNano":"1704067200000000123","body":{"stringValue":"Request processed"},
      "severityText":"INFO","severityNumber":9,"attributes":[{"key":"http.method","value":{"stringValue":"GET"}},
      {"key":"http.status_code","value":{"intValue":"200"}}]}]}]}]}
      """)
    #expect(decoded.recordCount == 1)
    #expect(decoded.rejectedCount == 0 && decoded.rejectionReasons.isEmpty && !decoded.hasRecordWithoutTime)
    #expect(
      rows(decoded.batch) == [
        """
        tenant_id='acme' account_id='main' service_name='api-service' timestamp=1704067200000000 \
        observed_timestamp=1800000000123456 ingested_timestamp=1800000000123456 trace_id=- span_id=- severity_number=9 \
        severity_text='INFO' body='Request processed' \
        attributes={'service.name': 'api-service', 'http.method': 'GET', 'http.status_code': '200'} flags=0 \
        dropped_attributes_count=0 timestamp_nanos=123 observed_timestamp_nanos=- event_name=- body_kind=- \
        severity_derived=false scope_name=- scope_version=- resource_schema_url=- scope_schema_url=- \
        attributes_shape='RsIsi' \
        resource='{"attributes":[{"key":"service.name","value":{"stringValue":"api-service"}}]}' scope=- otlp_extra=-
        """
      ])
  }

  @Test("the schema of a decoded batch is the table's")
  func schema() throws {
    let batch = try decode("{}").batch
    #expect(batch.schema == LakeTable.logs.schema)
    #expect(batch.count == 0)
  }

  @Test(
    "a service name without text is unknown_service",
    arguments: [#"{"stringValue":""}"#, #"{"bytesValue":""}"#, "{}", "null"])
  func unknownService(value: String) throws {
    let json =
      #"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","value":\#(value)}]},"scopeLogs":[{"logRecords":[{}]}]}]}"#
    let batch = try decode(json).batch
    #expect(batch.count == 1)
    #expect(batch.text("service_name") == "'unknown_service'")
  }

  @Test("attributes of all levels merge, the innermost value of a key wins")
  func merging() throws {
    let batch = try decode(
      """
      {"resourceLogs":[{"resource":{"attributes":[{"key":"a","value":{"stringValue":"r"}},{"key":"b","value":{"intValue":1}}]},
      "scopeLogs":[{"scope":{"name":"lib","version":"2","attributes":[{"key":"b","value":{"boolValue":true}},
      {"key":"c","value":{}}],"droppedAttributesCount":3},"schemaUrl":"su","logRecords":[
      {"attributes":[{"key":"a","value":{"doubleValue":1.50}},{"key":"d","value":{"bytesValue":"AAEC"}}]},
      {"attributes":[{"key":"d","value":{"stringValue":"x"}},{"key":"d","value":{"intValue":"7"}}]}]}],"schemaUrl":"ru"}]}
      """
    ).batch
    #expect(batch.text("attributes", 0) == "{'b': 'true', 'c': -, 'a': '1.5', 'd': 'AAEC'}")
    #expect(batch.text("attributes_shape", 0) == "'SbnIdx'")
    #expect(batch.text("attributes", 1) == "{'a': 'r', 'b': 'true', 'c': -, 'd': '7'}")
    #expect(batch.text("attributes_shape", 1) == "'RsSbnIi'")
    #expect(batch.text("otlp_extra", 0) == "-")
    #expect(
      batch.text("otlp_extra", 1)
        == "'{\"attributes\":[{\"key\":\"d\",\"value\":{\"stringValue\":\"x\"}},{\"key\":\"d\",\"value\":{\"intValue\":\"7\"}}]}'"
    )
    #expect(
      batch.text("scope")
        == "'{\"attributes\":[{\"key\":\"b\",\"value\":{\"boolValue\":true}},{\"key\":\"c\",\"value\":{}}],\"droppedAttributesCount\":3}'"
    )
    #expect(batch.text("scope_name") == "'lib'" && batch.text("scope_version") == "'2'")
    #expect(batch.text("resource_schema_url") == "'ru'" && batch.text("scope_schema_url") == "'su'")
  }

  @Test("nested values are plain JSON, and what that cannot say is kept exactly beside it")
  func nested() throws {
    let batch = try record(
      """
      "attributes":[{"key":"a","value":{"arrayValue":{"values":[{"intValue":1},{"doubleValue":1},{"stringValue":"x\\""},{},
      {"kvlistValue":{"values":[{"key":"k","value":{"boolValue":false}}]}}]}}},
      {"key":"e","value":{"kvlistValue":{}}}]
      """)
    #expect(batch.text("attributes") == #"{'a': '[1,1.0,"x\"",null,{"k":false}]', 'e': '{}'}"#)
    #expect(batch.text("attributes_shape") == "'Iak'")
    #expect(batch.text("otlp_extra") == "-")
    let odd = try record(
      "\"attributes\":[{\"key\":\"a\",\"value\":{\"arrayValue\":{\"values\":[{\"bytesValue\":\"AA==\"}]}}}]")
    #expect(odd.text("attributes") == #"{'a': '["AA=="]'}"#)
    #expect(
      odd.text("otlp_extra")
        == #"'{"attributes":[{"key":"a","value":{"arrayValue":{"values":[{"bytesValue":"AA=="}]}}}]}'"#)
  }

  @Test("a missing time is taken from the observed time, then from ingest")
  func times() throws {
    let observed = try record("\"observedTimeUnixNano\":\"5001\"")
    #expect(observed.text("timestamp") == "5" && observed.text("timestamp_nanos") == "-")
    #expect(observed.text("observed_timestamp") == "5" && observed.text("observed_timestamp_nanos") == "1")
    let none = try decode("{\"resourceLogs\":[{\"scopeLogs\":[{\"logRecords\":[{}]}]}]}")
    #expect(none.hasRecordWithoutTime)
    #expect(none.batch.text("timestamp") == "1800000000123456" && none.batch.text("timestamp_nanos") == "-")
    let latest = try record("\"timeUnixNano\":18446744073709551615")
    #expect(latest.text("timestamp") == "18446744073709551" && latest.text("timestamp_nanos") == "615")
  }

  @Test(
    "a severity without text gets the short name of its range",
    arguments: [
      (1, "'TRACE'"), (8, "'DEBUG'"), (10, "'INFO'"), (16, "'WARN'"), (17, "'ERROR'"), (24, "'FATAL'"), (25, "-"),
      (-1, "-"),
    ])
  func severity(number: Int, text: String) throws {
    let batch = try record("\"severityNumber\":\(number)")
    #expect(batch.text("severity_text") == text)
    #expect(batch.text("severity_derived") == (text == "-" ? "false" : "true"))
    #expect(batch.text("severity_number") == "\(number)")
  }

  @Test(
    "a body that is no text is stored as OTLP JSON",
    arguments: [
      ("{\"intValue\":5}", "'{\"intValue\":\"5\"}'", "'intValue'"),
      ("{\"boolValue\":false}", "'{\"boolValue\":false}'", "'boolValue'"),
      ("{\"doubleValue\":\"-Infinity\"}", "'{\"doubleValue\":\"-Infinity\"}'", "'doubleValue'"),
      (
        "{\"kvlistValue\":{\"values\":[{\"key\":\"a\"}]}}",
        "'{\"kvlistValue\":{\"values\":[{\"key\":\"a\",\"value\":{}}]}}'",
        "'kvlistValue'"
      ),
      ("{\"arrayValue\":null}", "'{\"arrayValue\":{}}'", "'arrayValue'"), ("{\"stringValue\":\"\"}", "''", "-"),
      ("{}", "-", "-"),
      ("null", "-", "-"),
    ])
  func bodies(body: String, stored: String, kind: String) throws {
    let batch = try record("\"body\":\(body)")
    #expect(batch.text("body") == stored)
    #expect(batch.text("body_kind") == kind)
  }

  @Test("ids of a wrong length or all zero are no ids, and are kept aside")
  func ids() throws {
    let good = try record("\"traceId\":\"5B8EFFF798038103D269B633813FC60C\",\"spanId\":\"eee19b7ec3c1b174\"")
    #expect(good.text("trace_id") == "5b8efff798038103d269b633813fc60c" && good.text("span_id") == "eee19b7ec3c1b174")
    #expect(good.text("otlp_extra") == "-")
    let bad = try record("\"traceId\":\"5B8E\",\"spanId\":\"0000000000000000\"")
    #expect(bad.text("trace_id") == "-" && bad.text("span_id") == "-")
    #expect(bad.text("otlp_extra") == "'{\"traceId\":\"5b8e\",\"spanId\":\"0000000000000000\"}'")
  }

  @Test("a service name that is no text is written as text, a missing one is unknown_service")
  func serviceName() throws {
    func name(_ value: String) throws -> String {
      try decode(
        "{\"resourceLogs\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":\(value)}]},\"scopeLogs\":[{\"logRecords\":[{}]}]}]}"
      ).batch.text("service_name")
    }
    #expect(try name("{\"intValue\":12}") == "'12'")
    #expect(try name("{\"boolValue\":true}") == "'true'")
    #expect(try name("{\"stringValue\":\"\"}") == "'unknown_service'")
    #expect(try name("{}") == "'unknown_service'")
    #expect(try record("").text("service_name") == "'unknown_service'")
  }

  @Test("invalid UTF-8 is repaired in its column and the record's bytes are kept")
  func invalidUTF8() throws {
    let record = LogModel(time: 1, body: .string([0x61, 0xFF]))
    let request = requestWire([ResourceGroup(scopes: [ScopeGroup(rows: [record])])]) { $0.wire }
    let batch = try LogsDecoder.decode(Bytes(request), encoding: .protobuf, context: testContext).batch
    #expect(batch.text("body") == "'a\u{FFFD}'")
    #expect(batch.text("otlp_extra") == "'{\"bytes\":\"" + ModelJSON.base64(record.wire) + "\"}'")
  }

  @Test("fields in pieces and in any order are one message, as protobuf has it")
  func pieces() throws {
    var scopes = Wire()
    scopes.message(2, LogModel(time: 7, attributes: [Pair("own", .int(1))]).wire)
    scopes.message(1, ScopeModel(name: Array("first".utf8), attributes: [Pair("s", .bool(true))]).wire)
    scopes.message(1, ScopeModel(name: Array("last".utf8)).wire)
    var group = Wire()
    group.message(2, scopes.bytes)
    group.message(1, ResourceModel(attributes: [Pair("a", .text("1"))]).wire)
    group.message(1, ResourceModel(attributes: [Pair("b", .text("2"))], dropped: 4).wire)
    var request = Wire()
    request.message(1, group.bytes)
    let batch = try LogsDecoder.decode(Bytes(request.bytes), encoding: .protobuf, context: testContext).batch
    #expect(batch.text("attributes") == "{'a': '1', 'b': '2', 's': 'true', 'own': '1'}")
    #expect(batch.text("scope_name") == "'last'")
    #expect(batch.text("resource").contains("\"droppedAttributesCount\":4"))
  }
}
