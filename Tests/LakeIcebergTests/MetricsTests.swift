import LakeIceberg
import LakeModel
import LakeSchema
import Testing

@Suite("column metrics")
struct MetricsTests {
  private func metrics(
    _ field: Field, _ columns: [Column], properties: [String: String] = [:], sortOrder: SortOrder? = nil
  ) -> FileMetrics {
    let schema = Schema(id: 0, fields: [field])
    var collector = MetricsCollector(
      schema: schema, modes: MetricsModes(schema: schema, properties: properties, sortOrder: sortOrder))
    for column in columns { collector.add(ColumnBatch(schema: schema, columns: [column], count: column.count)) }
    return collector.finish(columnSizes: [field.id: 77])
  }

  private func longs(_ values: [Int64?]) -> Column {
    var builder = FixedColumnBuilder<Int64>(absent: 0)
    for value in values { if let value { builder.append(value) } else { builder.appendAbsent() } }
    return builder.column()
  }

  private func doubles(_ values: [Double?]) -> Column {
    var builder = FixedColumnBuilder<Double>(absent: 0)
    for value in values { if let value { builder.append(value) } else { builder.appendAbsent() } }
    return builder.column()
  }

  private func texts(_ values: [String?]) -> Column {
    var builder = BytesColumnBuilder()
    for value in values { if let value { builder.append(value) } else { builder.appendAbsent() } }
    return builder.column()
  }

  @Test("count values and nulls over all batches, and bound what is present")
  func numbers() {
    let found = metrics(Field(4, "n", .long), [longs([5, nil, -3]), longs([nil]), longs([9])])
    #expect(found.columnSizes == [4: 77])
    #expect(found.valueCounts == [4: 5])
    #expect(found.nullCounts == [4: 2])
    #expect(found.nanCounts == [:])
    #expect(found.lowerBounds == [4: Datum.long(-3).singleValue])
    #expect(found.upperBounds == [4: Datum.long(9).singleValue])
  }

  @Test("have no bounds where nothing is present")
  func nothingPresent() {
    let found = metrics(Field(4, "n", .long), [longs([nil, nil])])
    #expect(found.nullCounts == [4: 2])
    #expect(found.lowerBounds == [:] && found.upperBounds == [:])
    #expect(metrics(Field(4, "n", .long), []).valueCounts == [4: 0])
  }

  @Test("leave NaN out of bounds, and put a zero's sign where it errs on the safe side")
  func floatingPoint() {
    let found = metrics(Field(4, "x", .double), [doubles([.nan, 1.5, nil]), doubles([0.0, .nan])])
    #expect(found.nanCounts == [4: 2])
    #expect(found.lowerBounds == [4: Datum.double(-0.0).singleValue])
    #expect(found.upperBounds == [4: Datum.double(1.5).singleValue])
    let onlyNaN = metrics(Field(4, "x", .double), [doubles([.nan])])
    #expect(onlyNaN.lowerBounds == [:] && onlyNaN.nanCounts == [4: 1])
  }

  @Test(
    "cut text to 16 characters, raising the last one of an upper bound",
    arguments: [
      (["abc"], "abc", "abc"), (["0123456789abcdef"], "0123456789abcdef", "0123456789abcdef"),
      (["0123456789abcdefg"], "0123456789abcdef", "0123456789abcdeg"),
      (["üüüüüüüüüüüüüüüüü"], "üüüüüüüüüüüüüüüü", "üüüüüüüüüüüüüüüý"),
      (["b", "a", "cc"], "a", "cc"), ([""], "", ""),
    ])
  func textBounds(values: [String], lower: String, upper: String) {
    for column in [texts(values), dictionary(values)] {
      let found = metrics(Field(4, "s", .string), [column])
      #expect(found.lowerBounds[4] == Array(lower.utf8))
      #expect(found.upperBounds[4] == Array(upper.utf8))
    }
  }

  @Test("raise over what cannot be raised, and drop an upper bound that cannot be raised at all")
  func unraisable() {
    let high = "a" + String(repeating: "\u{10FFFF}", count: 20)
    #expect(metrics(Field(4, "s", .string), [texts([high])]).upperBounds[4] == Array("b".utf8))
    let highest = String(repeating: "\u{10FFFF}", count: 20)
    #expect(metrics(Field(4, "s", .string), [texts([highest])]).upperBounds[4] == nil)
    let surrogate = String(repeating: "x", count: 15) + "\u{D7FF}more"
    #expect(
      metrics(Field(4, "s", .string), [texts([surrogate])]).upperBounds[4]
        == Array((String(repeating: "x", count: 15) + "\u{E000}").utf8))
  }

  @Test("cut bytes to 16, and give ids of 16 bytes whole")
  func fixedBounds() {
    var builder = FixedBytesColumnBuilder(width: 16)
    let high = [UInt8](repeating: 0xFF, count: 16)
    high.withUnsafeBytes { builder.append($0) }
    builder.appendAbsent()
    [UInt8](repeating: 1, count: 16).withUnsafeBytes { builder.append($0) }
    let found = metrics(Field(4, "id", .fixed(16)), [builder.column()])
    #expect(found.lowerBounds[4] == [UInt8](repeating: 1, count: 16))
    #expect(found.upperBounds[4] == high)
    var wide = BytesColumnBuilder()
    wide.append(String(repeating: "z", count: 20))
    let cut = metrics(Field(4, "raw", .binary), [wide.column()])
    #expect(cut.upperBounds[4] == Array((String(repeating: "z", count: 15) + "{").utf8))
  }

  /// The second entry is used by no row.
  private func dictionary(_ values: [String]) -> Column {
    Column(
      .dictionary(
        indices: Buffer((0..<values.count).map { UInt32($0 == 0 ? 0 : $0 + 1) }),
        dictionary: texts([values[0], "zzzz unused"] + values.dropFirst())), count: values.count)
  }

  @Test("follow the table's properties")
  func modes() {
    let field = Field(4, "s", .string)
    let column = texts(["abcdef"])
    let none = metrics(field, [column], properties: ["write.metadata.metrics.default": "none"])
    #expect(none == FileMetrics())
    let counts = metrics(field, [column], properties: ["write.metadata.metrics.column.s": "counts"])
    #expect(counts.valueCounts == [4: 1] && counts.lowerBounds == [:])
    let short = metrics(field, [column], properties: ["write.metadata.metrics.default": "truncate(2)"])
    #expect(short.lowerBounds == [4: Array("ab".utf8)] && short.upperBounds == [4: Array("ac".utf8)])
    let full = metrics(
      field, [texts([String(repeating: "x", count: 50)])], properties: ["write.metadata.metrics.default": "FULL"])
    #expect(full.upperBounds[4]?.count == 50)
    let order = SortOrder(id: 1, fields: [SortField(sourceID: 4, direction: .ascending, nullOrder: .first)])
    let sorted = metrics(
      field, [column], properties: ["write.metadata.metrics.default": "counts"], sortOrder: order)
    #expect(sorted.lowerBounds == [4: Array("abcdef".utf8)])
  }

  @Test("inside lists and maps are counts of the elements in use")
  func nested() {
    let field = Field(
      4, "m", .map(keyID: 5, key: .string, valueID: 6, value: .string, valueRequired: false), required: true)
    let column = Column(
      .map(offsets: Buffer([1, 2, 4]), keys: texts(["unused", "a", "b", "c"]), values: texts([nil, "x", nil, nil])),
      count: 2)
    let found = metrics(field, [column])
    #expect(found.valueCounts == [5: 3, 6: 3])
    #expect(found.nullCounts == [5: 0, 6: 2])
    #expect(found.lowerBounds == [:])
  }
}
