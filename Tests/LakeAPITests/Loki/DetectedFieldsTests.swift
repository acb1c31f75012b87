import LakeModel
import LakeQuery
import Testing

@testable import LakeAPI

struct DetectedFieldsTests {
  private func detect(_ lines: [String], labels: [(name: String, value: String)] = [], fieldsMax: Int = 100)
    -> DetectedFields
  {
    var column = BytesColumnBuilder()
    for line in lines { column.append(line) }
    let metadata = lines.map { _ in EntryMetadata(structured: LabelSet([("id", "7")]), parsed: .empty) }
    var fields = DetectedFields(fieldsMax: fieldsMax)
    fields.add([
      LogStream(
        labels: LabelSet(labels), times: lines.indices.map { UInt64($0) }, lines: column.column(), metadata: metadata)
    ])
    return fields
  }

  @Test("JSON gives a field per member, nested ones with their path; arrays and nothing give none")
  func json() {
    let line = #"{"a":"x","n":{"b c":1.5,"d":{"2e":true}},"list":[1],"none":null,"size":"3KiB","took":"5ms","i":-3}"#
    let fields = detect([line], labels: [("a", "y")]).fields
    #expect(fields.map(\.name) == ["id", "a_extracted", "n_b_c", "n_d__2e", "size", "took", "i"])
    #expect(fields.map(\.type) == ["int", "string", "float", "boolean", "bytes", "duration", "int"])
    #expect(fields.map(\.parsers) == [[]] + Array(repeating: ["json"], count: 6))
    #expect(fields[3].path == ["n", "d", "2e"] && fields[0].path == nil)
  }

  @Test("other lines are read as logfmt")
  func logfmt() {
    let fields = detect([#"ts=1 msg="a \"b\" c" flag empty= x="y"#, "plain text"]).fields
    #expect(fields.map(\.name) == ["id", "ts", "msg", "x"])
    #expect(fields.map(\.values) == [["7"], ["1"], ["a \"b\" c"], ["y"]])
    #expect(fields[1].parsers == ["logfmt"])
  }

  @Test("values are distinct, sizes in short form, and no more than asked for")
  func values() {
    let fields = detect([#"{"s":"1500B"}"#, #"{"s":"1.5KB"}"#, #"{"s":"x"}"#])
    #expect(fields.values(of: "s", limit: 10) == ["1.5kB", "x"])
    #expect(fields.values(of: "s", limit: 1) == ["1.5kB"])
    #expect(fields.values(of: "nosuch", limit: 10).isEmpty)
  }

  @Test("there are no more fields than asked for")
  func bounds() {
    #expect(detect([#"{"a":1,"b":2,"c":3}"#], fieldsMax: 2).fields.map(\.name) == ["id", "a"])
  }
}
