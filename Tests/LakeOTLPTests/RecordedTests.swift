import Foundation
import LakeJSON
import LakeModel
import LakeSchema
import Testing

@testable import LakeOTLP

/// What a real receiver did with the same bodies, case by case. See Fixtures/recorded/otlp-collector/answers.origin.
@Suite struct RecordedTests {
  private static let cases: [JSONValue] = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let file = root.appendingPathComponent("Fixtures/recorded/otlp-collector/answers.json")
    guard let data = try? Data(contentsOf: file), let document = try? JSONDocument(Bytes([UInt8](data))) else {
      return []
    }
    return Array(document.root.elements)
  }()

  private func decode(_ recorded: JSONValue) throws -> DecodedRows {
    let type = recorded["headers"]?["Content-Type"]?.string ?? ""
    let body = Data(base64Encoded: recorded["body_b64"]?.string ?? "") ?? Data()
    return try SpansDecoder.decode(
      Bytes([UInt8](body)), encoding: type.lowercased().contains("json") ? .json : .protobuf, context: testContext)
  }

  @Test("every recorded body is taken or refused as recorded, but for single spans with bad ids")
  func statuses() {
    var compared = 0
    var rejected: [String] = []
    for recorded in RecordedTests.cases where recorded["category"]?.string != "readback" {
      let id = recorded["id"]?.string ?? ""
      let decoded = try? decode(recorded)
      if let decoded, decoded.rejectedCount > 0 {
        rejected.append(id)
        continue
      }
      #expect((decoded != nil) == (recorded["status"]?.int == 200), "\(id)")
      compared += 1
    }
    #expect(compared >= 120)
    #expect(
      rejected == [
        "json-body-span-empty", "trace-id-short-16", "trace-id-long", "trace-id-zero", "span-id-short", "span-id-empty",
        "span-id-zero", "pb-ids-short", "pb-ids-long", "pb-ids-empty", "pb-ids-span-short", "pb-ids-span-empty",
        "pb-ids-span-zero",
      ])
  }

  /// What Tempo does not keep.
  private static let lossy: Set<String> = ["flags", "schemaUrl", "parentSpanId"]

  @Test("what the server gave back of a body is what our rows give back")
  func readbacks() throws {
    var bodies: [String: JSONValue] = [:]
    for recorded in RecordedTests.cases { bodies[recorded["id"]?.string ?? ""] = recorded }
    var compared = 0
    for recorded in RecordedTests.cases where recorded["category"]?.string == "readback" {
      guard let body = bodies[recorded["after"]?.string ?? ""], let decoded = try? decode(body),
        decoded.rejectedCount == 0
      else { continue }
      let text = try SpansEncoder.encode(decoded.batch, encoding: .json)
      let ours = canonical(try JSONDocument(text).root, isTempo: false)
      guard let trace = recorded["body"]?["trace"] else { continue }
      #expect(ours == canonical(trace, isTempo: true), "\(recorded["id"]?.string ?? "")")
      compared += 1
    }
    #expect(compared == 71)
  }

  private static let kinds = ["INTERNAL": "1", "SERVER": "2", "CLIENT": "3", "PRODUCER": "4", "CONSUMER": "5"]

  /// Text that is the same for the same trace: members sorted, ids in hexadecimal, enums as numbers, without what Tempo loses.
  private func canonical(_ value: JSONValue, isTempo: Bool, name: String = "") -> String {
    switch value.kind {
    case .object:
      var members: [String] = []
      for member in value.members {
        let name = member.nameText
        if RecordedTests.lossy.contains(name) { continue }
        let text = canonical(member.value, isTempo: isTempo, name: name)
        if text == "{}", name == "status" || name == "scope" || name == "resource" { continue }
        members.append(name + ":" + text)
      }
      return "{" + members.sorted().joined(separator: ",") + "}"
    case .array:
      return "[" + value.elements.map { canonical($0, isTempo: isTempo) }.joined(separator: ",") + "]"
    case .string:
      let text = value.string ?? ""
      if isTempo, name == "traceId" || name == "spanId" {
        return "'" + (Data(base64Encoded: text) ?? Data()).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
          + "'"
      }
      if name == "kind" { return RecordedTests.kinds[String(text.dropFirst("SPAN_KIND_".count))] ?? text }
      if name == "code" { return text == "STATUS_CODE_OK" ? "1" : "2" }
      return "'\(text)'"
    // -0 was recorded as 0
    case .integer, .unsigned, .double: return "\((value.double ?? .nan) + 0)".replacingOccurrences(of: ".0", with: "")
    case .bool: return value.bool == true ? "true" : "false"
    case .null: return "null"
    }
  }
}
