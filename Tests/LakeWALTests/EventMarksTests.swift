import LakeModel
import LakeSchema
import Testing

@testable import LakeWAL

@Suite struct EventMarksTests {
  private func texts(_ values: [String?]) -> Column {
    var builder = BytesColumnBuilder(capacity: 16)
    for value in values { builder.append(value ?? "") }
    let column = builder.column()
    return Column(column.values, count: values.count, validity: Buffer(values.map { $0 == nil ? 0 : 1 }))
  }

  /// One row a name and key, laid out as a decoder lays logs out.
  private func logs(names: [String?], keys: [String]) -> ColumnBatch {
    let count = names.count
    let indices = Buffer<UInt32>((0..<count).map { UInt32($0 % keys.count) })
    let map = Column(
      .map(
        offsets: Buffer((0...count).map { UInt32($0) }),
        keys: Column(.dictionary(indices: indices, dictionary: BytesColumn.of(keys)), count: count),
        values: BytesColumn.of(names.map { _ in "v" })), count: count)
    return ColumnBatch(
      schema: Schema(
        id: 0,
        fields: [
          Field(17, "event_name", .string),
          Field(12, "attributes", .map(keyID: 101, key: .string, valueID: 102, value: .string, valueRequired: false)),
        ]), columns: [texts(names), map], count: count)
  }

  @Test("rows without name and attribute are no events, one of either may be")
  func marks() {
    #expect(!EventMarks.mayBeIn(logs(names: [nil, nil], keys: ["a", "event.nam", "event.names"])))
    #expect(EventMarks.mayBeIn(logs(names: [nil, "x"], keys: ["a"])))
    #expect(EventMarks.mayBeIn(logs(names: [nil, nil], keys: ["a", "event.name"])))
  }

  @Test("what cannot be told is taken for an event")
  func unknown() {
    let plain = logs(names: [nil], keys: ["a"])
    #expect(
      EventMarks.mayBeIn(
        ColumnBatch(schema: Schema(id: 0, fields: [plain.schema.fields[1]]), columns: [plain.columns[1]], count: 1)))
  }
}

private enum BytesColumn {
  static func of(_ values: [String]) -> Column {
    var builder = BytesColumnBuilder(capacity: 16)
    for value in values { builder.append(value) }
    return builder.column()
  }
}
