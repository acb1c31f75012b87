import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

let testContext = DecodeContext(
  tenant: TenantID("acme")!, account: AccountID("main"), ingested: Timestamp(nanoseconds: 1_800_000_000_123_456_789))

/// Seeds of one test case; blocks keep the list of cases short.
func seeds(_ block: Int, of size: Int) -> Range<Int> { block * size..<(block + 1) * size }

@Suite struct LogsRoundTripTests {
  @Test("a random request comes back from its rows in normal form", arguments: 0..<8)
  func protobufRoundTrip(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed), allowsProtobufOnly: true)
      let request = generator.groups { $0.log() }
      let wire = requestWire(request) { $0.wire }
      let decoded = try LogsDecoder.decode(Bytes(wire), encoding: .protobuf, context: testContext)
      let expected = normalForm(request)
      #expect(decoded.recordCount == expected.flatMap(\.scopes).map(\.rows.count).reduce(0, +))
      let back = try LogsEncoder.encode(decoded.batch, encoding: .protobuf)
      let result = requestModel(back.array) { LogModel(wire: $0) }
      #expect(difference(result, expected) == nil, "seed \(seed)")
    }
  }

  @Test("JSON and protobuf of one request give the same rows", arguments: 0..<8)
  func jsonEqualsProtobuf(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 10_000, allowsProtobufOnly: false)
      let request = generator.groups { $0.log() }
      let wire = requestWire(request) { $0.wire }
      var writer = ModelJSON(seed: UInt64(seed))
      let json = writer.request(request, "resourceLogs", "scopeLogs", "logRecords") { $0.log($1) }
      let fromWire = try LogsDecoder.decode(Bytes(wire), encoding: .protobuf, context: testContext)
      let fromJSON = try LogsDecoder.decode(Bytes(Array(json.utf8)), encoding: .json, context: testContext)
      #expect(difference(rows(fromJSON.batch), rows(fromWire.batch)) == nil, "seed \(seed)")
      #expect(fromWire.hasRecordWithoutTime == fromJSON.hasRecordWithoutTime)
    }
  }

  @Test("a request written as JSON from its rows is the same request", arguments: 0..<4)
  func jsonRoundTrip(block: Int) throws {
    for seed in seeds(block, of: 50) {
      var generator = ModelRandom(seed: UInt64(seed) &+ 20_000, allowsProtobufOnly: false)
      let request = generator.groups { $0.log() }
      let decoded = try LogsDecoder.decode(
        Bytes(requestWire(request) { $0.wire }), encoding: .protobuf, context: testContext)
      let json = try LogsEncoder.encode(decoded.batch, encoding: .json)
      let again = try LogsDecoder.decode(json, encoding: .json, context: testContext)
      #expect(again.recordCount == decoded.recordCount)
      let back = try LogsEncoder.encode(again.batch, encoding: .protobuf)
      #expect(difference(requestModel(back.array) { LogModel(wire: $0) }, normalForm(request)) == nil, "seed \(seed)")
    }
  }
}
