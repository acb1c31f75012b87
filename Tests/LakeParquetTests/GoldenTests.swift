import Foundation
import LakeModel
import LakeParquet
import LakeSchema
import Testing

@Suite("Files that PyArrow and DuckDB wrote")
struct GoldenTests {
  static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/parquet")

  static let names = [
    "types-dictionary-snappy-v1", "types-plain-none-v2", "types-fallback-gzip", "types-int96", "types-decimal-integers",
    "types-delta-zstd-v2", "nested-dictionary-zstd-v1", "nested-plain-lz4-v2", "duckdb",
  ]

  static func bytes(_ name: String) throws -> Bytes {
    Bytes([UInt8](try Data(contentsOf: folder.appendingPathComponent("\(name).parquet"))))
  }

  @Test("are read to the recorded rows", arguments: names)
  func rows(name: String) throws {
    let bytes = try Self.bytes(name)
    let file = try ParquetFile(bytes)
    let projection = try file.projectionOfEverything()
    var lines: [String] = []
    for group in file.rowGroups {
      let batch = try file.readRowGroup(group.index, projection: projection, file: bytes)
      for row in 0..<batch.count {
        let values = zip(batch.columns, batch.schema.fields).map { Rendering.text($0, row, $1.type) }
        lines.append("[" + values.joined(separator: ",") + "]")
      }
    }
    let recorded = try String(contentsOf: Self.folder.appendingPathComponent("\(name).rows"), encoding: .utf8)
    let expected = recorded.split(separator: "\n").map(String.init)
    try #require(lines.count == expected.count)
    for (line, recorded) in zip(lines, expected) { #expect(line == recorded) }
  }

  @Test(
    "are read row by row to the same rows as whole", arguments: ["nested-dictionary-zstd-v1", "types-fallback-gzip"])
  func singleRows(name: String) throws {
    let bytes = try Self.bytes(name)
    let file = try ParquetFile(bytes)
    let projection = try file.projectionOfEverything()
    for group in file.rowGroups {
      let whole = TestColumns.values(try file.readRowGroup(group.index, projection: projection, file: bytes))
      for row in 0..<group.rowCount {
        let batch = try file.readRowGroup(group.index, projection: projection, rows: [row..<row + 1], file: bytes)
        #expect(TestColumns.values(batch) == whole.map { [$0[row]] })
      }
    }
  }

  @Test("cut short at any byte, they are refused", arguments: ["types-int96", "types-decimal-integers", "duckdb"])
  func truncation(name: String) throws {
    let bytes = try Self.bytes(name)
    try RobustnessTests.readAll(bytes)
    for length in 0..<bytes.count {
      #expect(throws: ParquetError.self) { try RobustnessTests.readAll(bytes[0..<length]) }
    }
  }

  @Test("with flipped bytes they are wrong values or errors, never a trap", arguments: names)
  func flips(name: String) throws {
    var random = TestRandom(UInt64(name.utf8.count))
    let original = try Self.bytes(name).array
    for _ in 0..<40 * mutantFactor {
      var mutant = original
      for _ in 0...random.below(3) { mutant[random.below(mutant.count)] = UInt8(random.below(256)) }
      try? RobustnessTests.readAll(Bytes(mutant))
    }
  }
}

/// The form of the .rows files: see Conformance/parquet/record.py.
enum Rendering {
  static func text(_ column: Column, _ row: Int, _ type: FieldType) -> String {
    switch (TestColumns.value(column, row, type), type) {
    case (.absent, _): return "null"
    case (.boolean(let value), _): return "\(value)"
    case (.int(let value), _): return "\(value)"
    case (.float(let bits), _): return number(Double(Float(bitPattern: bits)))
    case (.double(let bits), _): return number(Double(bitPattern: bits))
    case (.bytes(let bytes), .decimal(_, let scale)): return "\"" + decimal(bytes, scale) + "\""
    case (.bytes(let bytes), _): return "\"" + Hex.text(bytes) + "\""
    default: return nested(column, row, type)
    }
  }

  private static func nested(_ column: Column, _ row: Int, _ type: FieldType) -> String {
    switch (column.values, type) {
    case (.list(let offsets, let element), .list(_, let type, _)):
      return list((Int(offsets[row])..<Int(offsets[row + 1])).map { text(element, $0, type) })
    case (.structure(let columns), .structure(let fields)):
      return list(zip(columns, fields).map { text($0, row, $1.type) })
    case (.map(let offsets, let keys, let values), .map(_, let key, _, let value, _)):
      return list(
        (Int(offsets[row])..<Int(offsets[row + 1])).map { list([text(keys, $0, key), text(values, $0, value)]) })
    default: preconditionFailure("\(type)")
    }
  }

  private static func list(_ values: [String]) -> String { "[" + values.joined(separator: ",") + "]" }

  private static func number(_ value: Double) -> String {
    if value.isNaN { return "\"nan\"" }
    if value.isInfinite { return value > 0 ? "\"inf\"" : "\"-inf\"" }
    return "\"" + Hex.text(value.bitPattern) + "\""
  }

  private static func decimal(_ bytes: [UInt8], _ scale: Int) -> String {
    var value = Int128(Int8(bitPattern: bytes[0]))
    for byte in bytes.dropFirst() { value = value << 8 | Int128(byte) }
    var digits = Array(String(value.magnitude))
    while digits.count <= scale { digits.insert("0", at: 0) }
    if scale > 0 { digits.insert(".", at: digits.count - scale) }
    return (value < 0 ? "-" : "") + String(digits)
  }
}
