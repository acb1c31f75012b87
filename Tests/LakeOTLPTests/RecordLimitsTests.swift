import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct RecordLimitsTests {
  private func context(_ limits: RecordLimits) -> DecodeContext {
    var context = testContext
    context.recordLimits = limits
    return context
  }

  private func logs(_ records: String, resource: String = "[]", scope: String = "[]", _ limits: RecordLimits) throws
    -> DecodedRows
  {
    let json =
      #"{"resourceLogs":[{"resource":{"attributes":\#(resource)},"scopeLogs":[{"scope":{"attributes":\#(scope)},"logRecords":[\#(records)]}]}]}"#
    return try LogsDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: context(limits))
  }

  private func text(_ key: String, _ value: String) -> String {
    #"{"key":"\#(key)","value":{"stringValue":"\#(value)"}}"#
  }

  private let long = String(repeating: "x", count: 40)

  @Test("what is within the limits is as if there were none")
  func within() throws {
    let record =
      #"{"timeUnixNano":"1","body":{"stringValue":"hello"},"attributes":[\#(text("a", "1")),\#(text("b", "2"))]}"#
    let limits = RecordLimits(attributesMax: 2, attributeBytesMax: 1, bodyBytesMax: 5)
    let limited = try logs(record, resource: "[\(text("r", "z"))]", limits)
    #expect(rows(limited.batch) == rows(try logs(record, resource: "[\(text("r", "z"))]", .none).batch))
    #expect(limited.excess == Excess() && limited.rejectedCount == 0)
  }

  @Test("attributes beyond the number are left out and counted as dropped, on each level")
  func count() throws {
    let record =
      #"{"timeUnixNano":"1","droppedAttributesCount":3,"attributes":[\#(text("a", "1")),\#(text("b", "2")),\#(text("c", "3"))]}"#
    let limited = try logs(
      record, resource: "[\(text("r", "1")),\(text("s", "2"))]", scope: "[\(text("t", "1")),\(text("u", "2"))]",
      RecordLimits(attributesMax: 1))
    #expect(limited.batch.text("attributes") == "{'r': '1', 't': '1', 'a': '1'}")
    #expect(limited.batch.text("dropped_attributes_count") == "5")
    #expect(limited.batch.text("resource").contains(#""droppedAttributesCount":1"#))
    #expect(limited.excess.droppedAttributes == 4 && limited.recordCount == 1 && limited.rejectedCount == 0)
  }

  @Test("long texts are cut inside no character and marked; what cannot be cut is left out")
  func length() throws {
    let record = """
      {"timeUnixNano":"1","body":{"stringValue":"\(long)"},"attributes":[\(text("a", "12345678901üüüüüüü")),\(text(long, "k")),
      {"key":"b","value":{"bytesValue":"\(long)"}},{"key":"l","value":{"arrayValue":{"values":[{"stringValue":"\(long)"}]}}},
      {"key":"n","value":{"intValue":"7"}}]}
      """
    let limited = try logs(record, RecordLimits(attributeBytesMax: 20, bodyBytesMax: 30))
    // The mark takes 14 bytes.
    #expect(limited.batch.text("attributes") == "{'a': '123456…[truncated]', 'n': '7'}")
    #expect(limited.batch.text("body") == "'xxxxxxxxxxxxxxxx…[truncated]'")
    #expect(limited.batch.text("dropped_attributes_count") == "3")
    #expect(limited.excess.cutAttributes == 1 && limited.excess.droppedAttributes == 3 && limited.excess.cutBodies == 1)
    let narrow = try logs(
      #"{"timeUnixNano":"1","attributes":[\#(text("a", "12ü456"))]}"#, RecordLimits(attributeBytesMax: 3))
    #expect(narrow.batch.text("attributes") == "{'a': '12'}")
  }

  @Test("with reject, records over a limit are left out and told by reason; a resource's excess is that of its records")
  func reject() throws {
    let good = #"{"timeUnixNano":"1","body":{"stringValue":"good"}}"#
    let wide = #"{"timeUnixNano":"1","attributes":[\#(text("a", "1")),\#(text("b", "2"))]}"#
    let deep = #"{"timeUnixNano":"1","attributes":[\#(text("a", long))]}"#
    let big = #"{"timeUnixNano":"1","body":{"stringValue":"\#(long)"}}"#
    let limits = RecordLimits(attributesMax: 1, attributeBytesMax: 30, bodyBytesMax: 30, onExcess: .reject)
    let limited = try logs([good, wide, deep, big, good].joined(separator: ","), limits)
    #expect(limited.recordCount == 2 && limited.rejectedCount == 3)
    #expect(
      limited.rejections == [
        Rejection(.manyAttributes, 1), Rejection(.longAttribute, 1), Rejection(.longBody, 1),
      ])
    #expect(
      limited.rejectionReasons == [
        "1 record with more than 1 attributes on one level", "1 record with an attribute of more than 30 bytes",
        "1 record with a body of more than 30 bytes",
      ])
    let none = try logs(good + "," + good, resource: "[\(text("r", long))]", limits)
    #expect(none.recordCount == 0 && none.rejectedCount == 2 && none.batch.count == 0)
  }

  @Test("span events, links, data points and exemplars have limits too")
  func otherSignals() throws {
    let two = "[\(text("a", "1")),\(text("b", "2"))]"
    let span =
      #"{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","attributes":\#(two),"events":[{"attributes":\#(two)}],"links":[{"attributes":\#(two)}]}"#
    let spans = try SpansDecoder.decode(
      Bytes(Array(#"{"resourceSpans":[{"scopeSpans":[{"spans":[\#(span)]}]}]}"#.utf8)), encoding: .json,
      context: context(RecordLimits(attributesMax: 1)))
    #expect(spans.batch.text("attributes") == "{'a': '1'}" && spans.batch.text("dropped_attributes_count") == "1")
    #expect(
      spans.batch.text("events").contains("{'a': '1'}, 1,") && spans.batch.text("links").contains("{'a': '1'}, 1,"))
    #expect(spans.excess.droppedAttributes == 3)

    let number = #"{"timeUnixNano":"1","asInt":"1","attributes":\#(two)}"#
    let fine = #"{"timeUnixNano":"1","exemplars":[{"filteredAttributes":[]}]}"#
    let other = #"{"timeUnixNano":"1","exemplars":[{"filteredAttributes":\#(two)}]}"#
    let metrics = """
      {"resourceMetrics":[{"scopeMetrics":[{"metrics":[{"name":"g","gauge":{"dataPoints":[\(number),\(fine)]}},
      {"name":"h","histogram":{"dataPoints":[\(other)]}},{"name":"e","exponentialHistogram":{"dataPoints":[\(other),\(fine)]}},
      {"name":"s","summary":{"dataPoints":[\(number)]}},{"name":"m","metadata":\(two),"sum":{"dataPoints":[\(fine),\(fine)]}}]}]}]}
      """
    let points = try MetricsDecoder.decode(
      Bytes(Array(metrics.utf8)), encoding: .json, context: context(RecordLimits(attributesMax: 1, onExcess: .reject)))
    #expect(points.recordCount == 2 && points.rejectedCount == 6)
    #expect(points.excess.manyAttributes == 6)
  }

  /// A field of bytes.
  private func field(_ number: UInt8, _ payload: [UInt8]) -> [UInt8] {
    precondition(payload.count < 1 << 14)
    let count = payload.count
    return [number << 3 | 2] + (count < 128 ? [UInt8(count)] : [UInt8(count & 127 | 128), UInt8(count >> 7)]) + payload
  }

  private func pair(_ key: String, _ value: [UInt8]) -> [UInt8] { field(1, Array(key.utf8)) + value }

  @Test("a resource, scope, body or value in pieces counts as the whole that it is", arguments: [false, true])
  func pieces(rejects: Bool) throws {
    func value(_ text: String) -> [UInt8] { field(2, field(1, Array(text.utf8))) }
    func item(_ text: String) -> [UInt8] { field(6, field(1, field(1, Array(text.utf8)))) }
    let many = ["a", "b", "c"].flatMap { field(1, field(1, pair($0, value("1")))) }
    let scopes = ["d", "e"].flatMap { field(1, field(3, pair($0, value("1")))) }
    let attribute = field(6, pair("f", ["x", "y", "z"].flatMap { field(2, item(String(repeating: $0, count: 8))) }))
    let body = ["x", "y", "z"].flatMap { field(5, item(String(repeating: $0, count: 8))) }
    func decode(_ resource: [UInt8], _ scope: [UInt8], _ record: [UInt8]) throws -> DecodedRows {
      let records = field(2, record) + field(2, [0x09, 2, 0, 0, 0, 0, 0, 0, 0])
      let request = field(1, resource + field(2, scope + records))
      var limits = RecordLimits(attributesMax: 2, attributeBytesMax: 20, bodyBytesMax: 20)
      if rejects { limits.onExcess = .reject }
      return try LogsDecoder.decode(Bytes(request), encoding: .protobuf, context: context(limits))
    }
    let time: [UInt8] = [0x09, 1, 0, 0, 0, 0, 0, 0, 0]
    let resource = try decode(many, [], time)
    let scope = try decode([], scopes + field(1, field(3, pair("g", value("1")))), time)
    let values = try decode([], [], time + attribute)
    let bodies = try decode([], [], time + body)
    if rejects {
      #expect(resource.recordCount == 0 && resource.rejectedCount == 2)
      #expect(scope.recordCount == 0 && scope.rejectedCount == 2)
      #expect(values.recordCount == 1 && values.rejectedCount == 1)
      #expect(bodies.recordCount == 1 && bodies.rejectedCount == 1)
    } else {
      #expect(resource.batch.text("attributes") == "{'a': '1', 'b': '1'}")
      #expect(resource.excess.droppedAttributes == 1 && resource.recordCount == 2)
      #expect(scope.batch.text("attributes") == "{'d': '1', 'e': '1'}")
      #expect(values.excess.droppedAttributes == 1 && values.recordCount == 2)
      #expect(bodies.excess.cutBodies == 1 && bodies.recordCount == 2)
    }
    // Within the limits, pieces are as they always were.
    let two = try decode(["a", "b"].flatMap { field(1, field(1, pair($0, value("1")))) }, [], time)
    #expect(two.batch.text("attributes") == "{'a': '1', 'b': '1'}" && two.excess == Excess())
  }

  @Test("random requests with random limits are decoded like what is left of them", arguments: 0..<4)
  func random(block: Int) throws {
    for seed in seeds(block, of: 60) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 130_000, allowsProtobufOnly: true)
      let wire = Bytes(requestWire(generator.groups { $0.log() }) { $0.wire })
      let limits = RecordLimits(
        attributesMax: seed % 3 == 0 ? nil : seed % 4, attributeBytesMax: seed % 5 == 0 ? nil : seed % 40,
        bodyBytesMax: seed % 7 == 0 ? nil : seed % 30, onExcess: seed % 2 == 0 ? .truncate : .reject)
      let limited = try LogsDecoder.decode(wire, encoding: .protobuf, context: context(limits))
      let all = try LogsDecoder.decode(wire, encoding: .protobuf, context: testContext)
      #expect(limited.recordCount + limited.rejectedCount == all.recordCount, "seed \(seed)")
      // What was brought within the limits is within them.
      let again = try LogsEncoder.encode(limited.batch, encoding: .protobuf)
      let second = try LogsDecoder.decode(again, encoding: .protobuf, context: context(limits))
      #expect(second.recordCount == limited.recordCount && second.rejectedCount == 0, "seed \(seed)")
      #expect(second.excess.droppedAttributes == 0 && second.excess.cutBodies == 0, "seed \(seed)")
    }
  }

  @Test("a request cut at any byte is an error or fewer records, never a trap")
  func truncation() throws {
    var generator = ModelRandom(seed: 140_001, allowsProtobufOnly: true)
    let wire = requestWire(generator.groups { $0.log() }) { $0.wire }
    for count in 0..<min(wire.count, 3000) {
      _ = try? LogsDecoder.decode(
        Bytes(Array(wire.prefix(count))), encoding: .protobuf,
        context: context(RecordLimits(attributesMax: 1, attributeBytesMax: 4, bodyBytesMax: 4)))
    }
  }
}
