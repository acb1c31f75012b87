import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

@Suite struct MetricsTests {
  @Test("random metrics come back from their rows in normal form", arguments: 0..<6)
  func protobufRoundTrip(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 70_000, allowsProtobufOnly: true)
      let request = generator.groups { $0.metric() }
      let wire = requestWire(request) { $0.wire(packed: seed % 2 == 0) }
      let decoded = try MetricsDecoder.decode(Bytes(wire), encoding: .protobuf, context: testContext)
      #expect(
        decoded.recordCount == request.flatMap(\.scopes).flatMap(\.rows).map(\.points.count).reduce(0, +))
      let back = try MetricsEncoder.encode(decoded.batch, encoding: .protobuf)
      #expect(
        difference(requestModel(back.array) { MetricModel(wire: $0) }, normalMetrics(request)) == nil, "seed \(seed)")
    }
  }

  @Test("JSON and protobuf of the same metrics give the same rows, also back through JSON", arguments: 0..<6)
  func jsonEqualsProtobuf(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 80_000, allowsProtobufOnly: false)
      let request = generator.groups { $0.metric() }
      var writer = ModelJSON(seed: UInt64(seed))
      let json = writer.request(request, "resourceMetrics", "scopeMetrics", "metrics") { $0.metric($1) }
      let fromWire = try MetricsDecoder.decode(
        Bytes(requestWire(request) { $0.wire(packed: true) }), encoding: .protobuf, context: testContext)
      let fromJSON = try MetricsDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: testContext)
      #expect(difference(rows(fromJSON.batch), rows(fromWire.batch)) == nil, "seed \(seed)")
      let again = try MetricsDecoder.decode(
        try MetricsEncoder.encode(fromWire.batch, encoding: .json), encoding: .json, context: testContext)
      let back = try MetricsEncoder.encode(again.batch, encoding: .protobuf)
      #expect(
        difference(requestModel(back.array) { MetricModel(wire: $0) }, normalMetrics(request)) == nil, "seed \(seed)")
    }
  }

  private func decode(_ metrics: String) throws -> DecodedRows {
    let text =
      "{\"resourceMetrics\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{\"stringValue\":\"my-service\"}}]},\"scopeMetrics\":[{\"metrics\":[\(metrics)]}]}]}"
    return try MetricsDecoder.decode(Bytes(Array(text.utf8)), encoding: .json, context: testContext)
  }

  @Test("the manual's example becomes this row")
  func manualExample() throws {
    let decoded = try decode(
      """
      {"name":"http_requests_total","unit":"1","sum":{"dataPoints":[{"startTimeUnixNano":"1704067200000000000",
      "timeUnixNano":"1704067260000000001","asInt":"1234"}],"aggregationTemporality":2,"isMonotonic":true}}
      """)
    #expect(decoded.batch.schema == LakeTable.metrics.schema)
    #expect(
      rows(decoded.batch) == [
        """
        tenant_id='acme' account_id='main' service_name='my-service' timestamp=1704067260000000 \
        start_timestamp=1704067200000000 ingested_timestamp=1800000000123456 metric_name='http_requests_total' \
        metric_type='sum' description=- unit='1' aggregation_temporality='CUMULATIVE' is_monotonic=true \
        attributes={'service.name': 'my-service'} value_double=- value_int=1234 count=- sum=- min=- max=- bucket_counts=- \
        explicit_bounds=- scale=- zero_count=- zero_threshold=- positive_offset=- positive_bucket_counts=- \
        negative_offset=- negative_bucket_counts=- quantile_values=- flags=0 exemplars=[] \
        series=\(decoded.batch.text("series")) timestamp_nanos=1 start_timestamp_nanos=0 scope_name=- scope_version=- \
        resource_schema_url=- scope_schema_url=- attributes_shape='Rs' \
        resource='{"attributes":[{"key":"service.name","value":{"stringValue":"my-service"}}]}' scope=- metric=- otlp_extra=-
        """
      ])
  }

  @Test("each type fills its own columns")
  func types() throws {
    let batch = try decode(
      """
      {"name":"g","gauge":{"dataPoints":[{"timeUnixNano":1000,"asDouble":"NaN","flags":1}]}},
      {"name":"h","histogram":{"dataPoints":[{"count":3,"sum":1.5,"bucketCounts":[1,2],"explicitBounds":[0.5],"min":0}],"aggregationTemporality":1}},
      {"name":"e","exponentialHistogram":{"dataPoints":[{"count":"4","scale":-1,"zeroCount":2,"zeroThreshold":0.1,
      "positive":{"offset":2,"bucketCounts":["1","1"]},"exemplars":[{"asInt":7,"timeUnixNano":2001,"spanId":"EEE19B7EC3C1B174",
      "filteredAttributes":[{"key":"k","value":{"boolValue":true}}]}]}]}},
      {"name":"s","summary":{"dataPoints":[{"startTimeUnixNano":5000,"count":1,"sum":2,"quantileValues":[{"quantile":0.5,"value":2}]}]},
      "metadata":[{"key":"m","value":{"stringValue":"x"}}]}
      """
    ).batch
    #expect(batch.count == 4)
    #expect(
      (0..<4).map { batch.text("metric_type", $0) } == [
        "'gauge'", "'histogram'", "'exponential_histogram'", "'summary'",
      ])
    #expect((0..<4).map { batch.text("aggregation_temporality", $0) } == ["-", "'DELTA'", "-", "-"])
    #expect(batch.text("value_double", 0).hasPrefix("NaN") && batch.text("flags", 0) == "1")
    #expect(batch.text("bucket_counts", 1) == "[1, 2]" && batch.text("explicit_bounds", 1) == "[0.5]")
    #expect(batch.text("min", 1) == "0.0" && batch.text("max", 1) == "-" && batch.text("quantile_values", 1) == "-")
    #expect(
      batch.text("scale", 2) == "-1" && batch.text("zero_count", 2) == "2" && batch.text("zero_threshold", 2) == "0.1")
    #expect(batch.text("positive_offset", 2) == "2" && batch.text("positive_bucket_counts", 2) == "[1, 1]")
    #expect(batch.text("negative_offset", 2) == "0" && batch.text("negative_bucket_counts", 2) == "[]")
    #expect(batch.text("exemplars", 2) == "[(2, -, 7, eee19b7ec3c1b174, -, {'k': 'true'}, 1, 'Ib', -)]")
    #expect(
      batch.text("quantile_values", 3) == "[(0.5, 2.0)]" && batch.text("sum", 3) == "2.0"
        && batch.text("count", 3) == "1")
    #expect(batch.text("metric", 3) == "'{\"metadata\":[{\"key\":\"m\",\"value\":{\"stringValue\":\"x\"}}]}'")
    // A point without time stands at its start, then at ingest.
    #expect((0..<4).map { batch.text("timestamp", $0) } == ["1", "1800000000123456", "1800000000123456", "5"])
    #expect((0..<4).map { batch.text("timestamp_nanos", $0) } == ["0", "-", "-", "-"])
  }

  @Test("the series hash depends on name and attributes, not on their order, level or type")
  func series() throws {
    func series(_ name: String, _ attributes: String) throws -> String {
      try decode("{\"name\":\"\(name)\",\"gauge\":{\"dataPoints\":[{\"attributes\":[\(attributes)]}]}}").batch.text(
        "series")
    }
    let a = "{\"key\":\"a\",\"value\":{\"stringValue\":\"1\"}}"
    let b = "{\"key\":\"b\",\"value\":{\"stringValue\":\"2\"}}"
    let first = try series("m", a + "," + b)
    #expect(try series("m", b + "," + a) == first)
    #expect(try series("m", "{\"key\":\"a\",\"value\":{\"intValue\":1}}," + b) == first)
    #expect(try series("n", a + "," + b) != first)
    #expect(try series("m", a) != first)
    #expect(
      try series("m", "{\"key\":\"a\",\"value\":{\"stringValue\":\"1b\"}}") != (try series("m", "{\"key\":\"a\"}")))
    // Pinned: stored hashes must stay comparable.
    #expect(first == "d87964bdefdf5b3b8b2f33991f5098f1")
  }

  @Test("truncated and mutated metrics are an answer or an error, and an answer can be written again", arguments: 0..<4)
  func attacks(block: Int) throws {
    for seed in seeds(block, of: 12) {
      var generator = ModelRandom(seed: UInt64(seed) + 90_000, allowsProtobufOnly: true)
      var bytes = requestWire(generator.groups { $0.metric() }) { $0.wire(packed: true) }
      for length in stride(from: 0, to: bytes.count, by: 7) {
        _ = try? MetricsDecoder.decode(Bytes(Array(bytes[..<length])), encoding: .protobuf, context: testContext)
      }
      for _ in 0..<20 where !bytes.isEmpty {
        bytes[generator.random.below(bytes.count)] = UInt8(generator.random.below(256))
        guard let decoded = try? MetricsDecoder.decode(Bytes(bytes), encoding: .protobuf, context: testContext) else {
          continue
        }
        let back = try MetricsEncoder.encode(decoded.batch, encoding: .protobuf)
        let again = try MetricsDecoder.decode(back, encoding: .protobuf, context: testContext)
        #expect(difference(rows(again.batch).sorted(), rows(decoded.batch).sorted()) == nil, "seed \(seed)")
      }
    }
  }

  @Test("empty metrics do not ask for their resource again and again")
  func emptyMetrics() throws {
    let resource = ResourceModel(attributes: (0..<2000).map { Pair("k\($0)", .int(1)) })
    let scopes = [ScopeGroup<MetricModel>](
      repeating: ScopeGroup(rows: [MetricModel(name: [0x61])]), count: 4_000)
    let wire = requestWire([ResourceGroup(resource: resource, scopes: scopes)]) { $0.wire(packed: true) }
    let decoded = try MetricsDecoder.decode(Bytes(wire), encoding: .protobuf, context: testContext)
    #expect(decoded.recordCount == 0)
  }
}
