import LakeModel
import LakeParquet
import LakeSchema
import Testing

@testable import LakeOTLP

/// The whole way of a request: columns, reordered, into a Parquet file, out again, and back to OTLP.
@Suite struct ThroughParquetTests {
  private func throughFile(_ batch: ColumnBatch, _ table: LakeTable, _ random: inout TestRandom) throws -> ColumnBatch {
    let order = Buffer(random.shuffled(Array(0..<Int32(batch.count))))
    let shuffled = ColumnBatch(
      schema: batch.schema, columns: batch.columns.map { $0.gather(order) }, count: batch.count)
    let (file, _) = try ParquetWriter.encode([shuffled], schema: table.schema, layouts: table.layouts)
    let parsed = try ParquetFile(file)
    #expect(parsed.rowCount == batch.count)
    let back = try parsed.readRowGroup(0, projection: try parsed.projection(to: table.schema), file: file)
    #expect(difference(rows(back), rows(shuffled)) == nil)
    return back
  }

  /// Every row with its groups, in an order that does not depend on the request's.
  private func lines<Row>(_ groups: [ResourceGroup<Row>]) -> [String] {
    groups.flatMap { group in
      group.scopes.flatMap { scope in
        scope.rows.map { "\(group.resource) \(group.schemaURL) \(scope.scope) \(scope.schemaURL) \($0)" }
      }
    }.sorted()
  }

  @Test("logs", arguments: 0..<4)
  func logs(block: Int) throws {
    for seed in seeds(block, of: 12) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 100_000, allowsProtobufOnly: true)
      let request = generator.groups { $0.log() }
      let batch = try LogsDecoder.decode(
        Bytes(requestWire(request) { $0.wire }), encoding: .protobuf, context: testContext
      ).batch
      if batch.count == 0 { continue }
      let back = try throughFile(batch, .logs, &generator.random)
      let result = requestModel(try LogsEncoder.encode(back, encoding: .protobuf).array) { LogModel(wire: $0) }
      #expect(difference(lines(result), lines(request)) == nil, "seed \(seed)")
    }
  }

  @Test("spans", arguments: 0..<4)
  func spans(block: Int) throws {
    for seed in seeds(block, of: 12) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 110_000, allowsProtobufOnly: true)
      var request = generator.groups { $0.span() }
      for group in request.indices {
        for scope in request[group].scopes.indices { request[group].scopes[scope].rows.removeAll { !$0.hasIDs } }
      }
      let batch = try SpansDecoder.decode(
        Bytes(requestWire(request) { $0.wire }), encoding: .protobuf, context: testContext
      ).batch
      if batch.count == 0 { continue }
      let back = try throughFile(batch, .spans, &generator.random)
      let result = requestModel(try SpansEncoder.encode(back, encoding: .protobuf).array) { SpanModel(wire: $0) }
      #expect(difference(lines(result), lines(request)) == nil, "seed \(seed)")
    }
  }

  @Test("metrics", arguments: 0..<4)
  func metrics(block: Int) throws {
    for seed in seeds(block, of: 12) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 120_000, allowsProtobufOnly: true)
      let request = generator.groups { $0.metric() }
      let batch = try MetricsDecoder.decode(
        Bytes(requestWire(request) { $0.wire(packed: true) }), encoding: .protobuf, context: testContext
      ).batch
      if batch.count == 0 { continue }
      let back = try throughFile(batch, .metrics, &generator.random)
      let result = requestModel(try MetricsEncoder.encode(back, encoding: .protobuf).array) { MetricModel(wire: $0) }
      #expect(difference(pointLines(result), pointLines(request)) == nil, "seed \(seed)")
    }
  }

  /// One line a point: the order of points in a metric is the table's, not the request's.
  private func pointLines(_ groups: [ResourceGroup<MetricModel>]) -> [String] {
    groups.flatMap { group in
      group.scopes.flatMap { scope in
        scope.rows.flatMap { metric in
          metric.points.map { point in
            var one = metric
            one.points = [point]
            return "\(group.resource) \(group.schemaURL) \(scope.scope) \(scope.schemaURL) \(one)"
          }
        }
      }
    }.sorted()
  }
}
