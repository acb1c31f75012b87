import Foundation
import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

/// Bytes nobody meant: requests that were valid once, changed again and again. What still decodes is changed further, so that the search
/// goes deep. `FUZZ_SECONDS=300 swift test --filter DecoderFuzz` looks longer, `FUZZ_SEED` elsewhere.
@Suite(.serialized) struct DecoderFuzzTests {
  enum Target: String, CaseIterable, Sendable {
    case logsProtobuf, logsJSON, spansProtobuf, spansJSON, metricsProtobuf, metricsJSON, lokiProtobuf, lokiJSON

    var encoding: OTLPEncoding { rawValue.hasSuffix("JSON") ? .json : .protobuf }
  }

  /// Rows, or an error; never a trap. What was decoded can be written and read again.
  private func decode(_ input: [UInt8], _ target: Target, limits: RecordLimits) throws {
    var context = testContext
    context.limits.recordsMax = 20_000
    context.limits.attributeEntriesMax = 200_000
    context.limits.columnBytesMax = 16 << 20
    context.recordLimits = limits
    let body = Bytes(input)
    let decoded: DecodedRows
    let again: DecodedRows
    context.recordLimits = limits
    var open = context
    open.recordLimits = .none
    switch target {
    case .logsProtobuf, .logsJSON:
      decoded = try LogsDecoder.decode(body, encoding: target.encoding, context: context)
      again = try LogsDecoder.decode(
        LogsEncoder.encode(decoded.batch, encoding: target.encoding), encoding: target.encoding, context: open)
    case .spansProtobuf, .spansJSON:
      decoded = try SpansDecoder.decode(body, encoding: target.encoding, context: context)
      again = try SpansDecoder.decode(
        SpansEncoder.encode(decoded.batch, encoding: target.encoding), encoding: target.encoding, context: open)
    case .metricsProtobuf, .metricsJSON:
      decoded = try MetricsDecoder.decode(body, encoding: target.encoding, context: context)
      again = try MetricsDecoder.decode(
        MetricsEncoder.encode(decoded.batch, encoding: target.encoding), encoding: target.encoding, context: open)
    case .lokiProtobuf, .lokiJSON:
      _ = try LokiPushDecoder.decode(body, encoding: target.encoding, context: context)
      return
    }
    #expect(again.recordCount == decoded.recordCount, "\(target): \(Data(input).base64EncodedString())")
  }

  private func start(_ target: Target) -> [[UInt8]] {
    (0..<12).map { number in
      var generator = ModelRandom(seed: UInt64(number) &+ 150_000, allowsProtobufOnly: target.encoding == .protobuf)
      var json = ModelJSON(seed: UInt64(number))
      switch target {
      case .logsProtobuf: return requestWire(generator.groups { $0.log() }) { $0.wire }
      case .logsJSON:
        return Array(
          json.request(generator.groups { $0.log() }, "resourceLogs", "scopeLogs", "logRecords") { $0.log($1) }.utf8)
      case .spansProtobuf: return requestWire(generator.groups { $0.span() }) { $0.wire }
      case .spansJSON:
        return Array(
          json.request(generator.groups { $0.span() }, "resourceSpans", "scopeSpans", "spans") { $0.span($1) }.utf8)
      case .metricsProtobuf: return requestWire(generator.groups { $0.metric() }) { $0.wire(packed: number % 2 == 0) }
      case .metricsJSON:
        return Array(
          json.request(generator.groups { $0.metric() }, "resourceMetrics", "scopeMetrics", "metrics") { $0.metric($1) }
            .utf8)
      case .lokiProtobuf:
        // {a="b"}, one entry at 1 s.
        return [0x0A, 0x18, 0x0A, 0x07] + Array(#"{a="b"}"#.utf8)
          + [0x12, 0x0D, 0x0A, 0x02, 0x08, 0x01, 0x12, 0x01, 0x78, 0x1A, 0x04, 0x0A, 0x00, 0x12, 0x00]
      case .lokiJSON:
        return Array(#"{"streams":[{"stream":{"a":"b"},"values":[["1000000000","line",{"k":"v"}],["1","x"]]}]}"#.utf8)
      }
    }
  }

  private func changed(_ input: [UInt8], _ corpus: [[UInt8]], _ random: inout TestRandom) -> [UInt8] {
    var out = input
    for _ in 0...random.below(4) {
      let at = random.below(out.count + 1)
      switch random.below(9) {
      case 0 where !out.isEmpty: out[random.below(out.count)] = UInt8(truncatingIfNeeded: random.next())
      case 1 where !out.isEmpty: out[random.below(out.count)] ^= 1 << UInt8(random.below(8))
      case 2: out.insert(contentsOf: random.pick(DecoderFuzzTests.pieces), at: at)
      case 3 where !out.isEmpty:
        out.removeSubrange(random.below(out.count)..<out.count)
      case 4 where out.count > 2:
        let from = random.below(out.count - 1)
        out.removeSubrange(from..<min(out.count, from + 1 + random.below(16)))
      case 5 where out.count > 2:
        let from = random.below(out.count - 1)
        out.insert(contentsOf: Array(out[from..<min(out.count, from + 1 + random.below(64))]), at: at)
      case 6:
        let other = random.pick(corpus)
        if !other.isEmpty {
          let from = random.below(other.count)
          out.insert(contentsOf: other[from..<min(other.count, from + 1 + random.below(200))], at: at)
        }
      case 7 where !out.isEmpty:
        let index = random.below(out.count)
        out[index] = out[index] &+ (random.chance(2) ? 1 : 255)
      default: out.append(contentsOf: random.pick(corpus).prefix(500))
      }
      if out.count > 20_000 { out.removeSubrange(20_000...) }
    }
    return out
  }

  /// What breaks readers: long varints, huge lengths, groups, tags, JSON's edges.
  private static let pieces: [[UInt8]] =
    [
      [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0x80, 0x80, 0x80, 0x80, 0x10], [0x0B], [0x0C],
      [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0x07], [0x2A, 0x02, 0x0A, 0x00], [0x32, 0x00], [0x00], [0xC3, 0x28], [0x0A, 0x00],
      Array(repeating: 0x2A, count: 40), [0x12, 0x00], [0x3A, 0x02, 0x0A, 0x00],
    ]
    + [
      "null", "{}", "[]", "\"", "\\u0000", "\\ud800", "1e999", "-0", "18446744073709551616", "[[[[[[[[", "{\"a\":",
      "\"attributes\":[{\"key\":\"a\",\"value\":{\"intValue\":\"1\"}}],", "9223372036854775808", "\"NaN\"", ",,",
    ].map { Array($0.utf8) }

  private static let seconds = ProcessInfo.processInfo.environment["FUZZ_SECONDS"].flatMap(Double.init) ?? 0.3
  private static let seed = ProcessInfo.processInfo.environment["FUZZ_SEED"].flatMap(UInt64.init) ?? 1

  @Test("changed requests are rows or an error", arguments: Target.allCases)
  func fuzz(target: Target) {
    var random = TestRandom(seed: DecoderFuzzTests.seed &* 1000 &+ UInt64(target.encoding == .json ? 1 : 2))
    var corpus = start(target)
    let end = Date().addingTimeInterval(DecoderFuzzTests.seconds)
    var (tried, taken) = (0, 0)
    while Date() < end {
      let input = changed(random.pick(corpus), corpus, &random)
      let limits =
        random.chance(3)
        ? RecordLimits(
          attributesMax: random.below(3), attributeBytesMax: random.below(20) + 1, bodyBytesMax: random.below(20) + 1,
          onExcess: random.chance(2) ? .truncate : .reject) : .none
      tried += 1
      guard (try? decode(input, target, limits: limits)) != nil else { continue }
      taken += 1
      if corpus.count < 400 { corpus.append(input) } else { corpus[random.below(400)] = input }
    }
    #expect(tried > 0)
    if DecoderFuzzTests.seconds > 1 { print("\(target): \(tried) tried, \(taken) decoded") }
  }
}
