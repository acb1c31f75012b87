import LakeLogQL
import LakeModel
import Testing

@testable import LakeQuery

@Suite("Values told from a line without parsing it")
struct KeyedQuantityTests {
  private static func mayPass(_ line: String, _ syntax: KeyedQuantity.Syntax) -> Bool {
    let quantity = KeyedQuantity(
      keyEnd: ByteNeedle("status"), syntax: syntax, test: .number(.greaterOrEqual, 500))
    return Bytes(line).withUnsafeBytes { quantity.mayPassSomewhere(in: $0) }
  }

  @Test("JSON whose values are all told and too small is left out")
  func excludedJSON() {
    for line in [
      #"{"status":499}"#, #"{"status":499,"a":1}"#, #"{"status" : 499 }"#, #"{"status":"499"}"#, #"{"status":-500}"#,
      #"{"http_status":12.5,"status":1}"#, #"{"status_code":503}"#, #"{"a":"status","b":503}"#, #"{"a":"status 503"}"#,
      #"{"code":503}"#, #"{"a":"status"#, "status", "", #"{"status code":503}"#, "status \t",
    ] { #expect(!Self.mayPass(line, .json), "\(line)") }
  }

  @Test("JSON with a value that passes, or that is not plain, is left to the parser")
  func keptJSON() {
    for line in [
      #"{"status":500}"#, #"{"status":"500"}"#, #"{"status":1,"status":500}"#, #"{"a":{"status": 500}}"#,
      #"{"status":5e2}"#, #"{"status":0x1F4}"#, #"{"status":"4 99"}"#, #"{"status":""}"#, #"{"status":null}"#,
      #"{"status":"499\u0030"}"#, #"{"status ":501}"#, #"{"status\t":1}"#, "{\"status\u{85}\":1}", #"{"status":499"#,
      #"{"status":[1]}"#, #"{"status":1111111111222222222233333333334444444444}"#,
    ] { #expect(Self.mayPass(line, .json), "\(line)") }
  }

  @Test("logfmt is told by the equals sign")
  func logfmt() {
    for line in ["status=499 a=1", "http_status=499 b", "status_code=503", "status.a=503", "code=503", "status:503"] {
      #expect(!Self.mayPass(line, .logfmt), "\(line)")
    }
    for line in ["status=500 ", "status=499", #"status="499""#, "status 499", "status", "status=499=1", "status=4e9 "] {
      #expect(Self.mayPass(line, .logfmt), "\(line)")
    }
  }

  @Test(
    "of rows searched together those that may pass are found, however often the key stands in them", arguments: [1, 3])
  func rows(firstRow: Int) throws {
    let lines = [
      #"{"status":200}"#, #"{"status":503}"#, #"{"status":200,"x":{"status":504}}"#, "status", "", #"{"status":200}"#,
      #"":500}"#, #"{"status":501}"#,
    ]
    let column = Column(
      .bytes(
        offsets: Buffer(
          lines.indices.map { UInt32(lines[..<$0].joined().utf8.count) } + [UInt32(lines.joined().utf8.count)]),
        data: Buffer(Array(lines.joined().utf8))), count: lines.count)
    let values = try #require(BytesView(column))
    let quantity = KeyedQuantity(keyEnd: ByteNeedle("status"), syntax: .json, test: .number(.greaterOrEqual, 500))
    let matcher = LineMatcher(anyOf: [], quantities: [quantity])
    let all = RowSelection.ranges([firstRow..<firstRow + lines.count])
    #expect(matcher.select(all, in: values, firstRow: firstRow).rows == [1, 2, 7].map { $0 + firstRow })
    let some = RowSelection.list([0, 2, 6, 7].map { Int32($0 + firstRow) })
    #expect(matcher.select(some, in: values, firstRow: firstRow).rows == [2, 7].map { $0 + firstRow })
  }
}
