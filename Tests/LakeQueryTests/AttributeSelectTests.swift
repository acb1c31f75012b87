import LakeModel
import Testing

@testable import LakeQuery

/// Rows found by searching values are those whose label, worked out slot by slot, has the text.
@Suite("Attributes found by their values")
struct AttributeSelectTests {
  private static let keys = ["user.id", "user_id", "host", "empty", "x"]
  private static let values = [
    "", "a", "b", "a-rather-long-value-1", "a-rather-long-value-2", "a-rather-long-value-1x",
  ]

  private static func column(
    _ random: inout Seeded, rowCount: Int, usesDictionary: Bool, hasAliases: Bool
  ) -> (Column, [[(String, String)]]) {
    var offsets: [UInt32] = [UInt32(random.below(3))]
    var flatKeys = [String](repeating: "host", count: Int(offsets[0]))
    var flatValues = [String](repeating: "a", count: Int(offsets[0]))
    var rows: [[(String, String)]] = []
    for _ in 0..<rowCount {
      var row: [(String, String)] = []
      for _ in 0..<random.below(6) {
        var key = random.pick(keys)
        if !hasAliases && key == "user_id" { key = "user.id" }
        row.append((key, random.chance(20) ? "v\(random.below(400))" : random.pick(values)))
      }
      rows.append(row)
      flatKeys += row.map(\.0)
      flatValues += row.map(\.1)
      offsets.append(UInt32(flatKeys.count))
    }
    let column = Column(
      .map(
        offsets: Buffer(offsets), keys: Column.texts(flatKeys, dictionary: usesDictionary),
        values: Column.texts(flatValues, dictionary: usesDictionary)), count: rowCount)
    return (column, rows)
  }

  /// The last entry of the name, unless it is empty and another key gives the name too.
  private static func label(_ row: [(String, String)], _ name: String, hasAliases: Bool) -> String {
    var found = ""
    for (key, value) in row where key == name || key == name.replacing("_", with: ".") {
      if value.isEmpty && hasAliases { continue }
      found = value
    }
    return found
  }

  @Test("by text, among all rows and some", arguments: 1...12)
  func selects(seed: Int) throws {
    var random = Seeded(UInt64(seed))
    let usesDictionary = random.chance(70)
    let hasAliases = random.chance(50)
    let (column, rows) = Self.column(
      &random, rowCount: 50 + random.below(700), usesDictionary: usesDictionary, hasAliases: hasAliases)
    let index = try AttributeIndex(attributes: column, shape: nil)
    for name in ["user_id", "host", "empty"] {
      guard let number = index.number(ofName: Array(name.utf8)) else { continue }
      let labels = rows.map { Self.label($0, name, hasAliases: index.hasAliases) }
      let codes = index.slotCodes(number, rowCount: rows.count)
      let vector = LabelVector(values: index.values, codes: codes, isShared: usesDictionary)
      #expect(rows.indices.map { vector.withText(of: $0) { String(decoding: $0, as: UTF8.self) } } == labels)
      for wanted in Self.values.dropFirst().map({ [$0] }) + [
        ["a", "b"], ["v7", "v8", "a-rather-long-value-2"], ["nowhere"],
      ] {
        let texts = wanted.map { Array($0.utf8) }
        let cut = random.below(rows.count)
        for some in [
          RowSelection.all(rows.count), RowSelection.all(rows.count).filter { $0 >= cut },
          .all(rows.count).filter { $0 % 3 == 0 },
        ] {
          let expected = some.rows.filter { wanted.contains(labels[$0]) }
          #expect(index.select(some, number, texts).rows == expected)
          #expect(vector.select(some, ValueTest(.oneOf(texts))).rows == expected)
          let others = some.rows.filter { !wanted.contains(labels[$0]) }
          #expect(vector.select(some, ValueTest(.oneOf(texts), isNegated: true)).rows == others)
        }
      }
    }
  }

  @Test("ids by equality, their absence and their negation")
  func ids() {
    var random = Seeded(77)
    for width in [4, 8, 16] {
      var builder = FixedBytesColumnBuilder(width: width)
      var texts: [String] = []
      for _ in 0..<500 {
        if random.chance(20) {
          builder.appendAbsent()
          texts.append("")
          continue
        }
        let bytes = (0..<width).map { $0 < width - 1 ? UInt8(7) : UInt8(random.below(5)) }
        bytes.withUnsafeBytes { builder.append($0) }
        texts.append(bytes.map { "0" + String($0, radix: 16) }.joined())
      }
      let vector = LabelVector(builder.column(), form: .hex)!
      for text in Set(texts).sorted() + ["0A", String(repeating: "07", count: width)] where !text.isEmpty {
        let test = ValueTest(.oneOf([Array(text.utf8)]))
        #expect(vector.select(.all(500), test).rows == texts.indices.filter { texts[$0] == text })
        let negated = ValueTest(.oneOf([Array(text.utf8)]), isNegated: true)
        #expect(vector.select(.all(500), negated).rows == texts.indices.filter { texts[$0] != text })
      }
      #expect(vector.select(.all(500), ValueTest(.nonEmpty)).rows == texts.indices.filter { texts[$0] != "" })
      #expect(
        vector.select(.all(500), ValueTest(.nonEmpty, isNegated: true)).rows == texts.indices.filter { texts[$0] == "" }
      )
    }
  }

  @Test("runs of codes are found with and without kept ends", arguments: [3, 90, 5000])
  func runs(longest: Int) {
    var random = Seeded(UInt64(longest))
    var codes: [UInt32] = []
    while codes.count < 20_000 {
      codes += [UInt32](repeating: UInt32(random.below(4)), count: 1 + random.below(longest))
    }
    let buffer = Buffer(codes)
    let entries = BytesView(Column.texts(["a", "b", "c", "d"], dictionary: false))!
    let vector = LabelVector(values: entries, codes: buffer, isShared: true)
    #expect((vector.runEnds != nil) == (longest > 200))
    for range in [0..<codes.count, 5..<6, 1234..<17_321, 7..<7] {
      var found: [UInt32] = []
      vector.forEachRun(in: range) { code, run in
        #expect(run.lowerBound == range.lowerBound + found.count)
        found += [UInt32](repeating: code, count: run.count)
      }
      #expect(found == Array(codes[range]))
      for wanted in 0..<5 as Range<UInt32> {
        let rows = RowSelection.ranges(range.isEmpty ? [] : [range]).holding(anyOf: [wanted], in: buffer).rows
        #expect(rows == range.filter { codes[$0] == wanted })
      }
    }
  }
}
