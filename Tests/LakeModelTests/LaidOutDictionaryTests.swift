import LakeModel
import Testing

@Suite("dictionaries laid one after another")
struct LaidOutDictionaryTests {
  @Test("a plain part with absent values brings entries, and no absence, into the dictionary")
  func absentPlainValues() throws {
    let dictionary = Column(
      .dictionary(indices: Buffer([0, 0, 0, 0]), dictionary: column(["login"])), count: 4)
    let joined = Column.concatenate([dictionary, column([nil])], unitesDictionaries: false)
    guard case .dictionary(let indices, let entries) = joined.values else {
      Issue.record("not a dictionary")
      return
    }
    // Found by `simulate shift-crash 2`: the Parquet writer refuses a dictionary with absent entries, and the request was refused for good.
    #expect(entries.absentCount == 0 && entries.validity == nil)
    #expect(joined.validity?.array == [1, 1, 1, 1, 0])
    #expect(indices.array.prefix(4) == [0, 0, 0, 0])
  }

  private func column(_ values: [String?]) -> Column {
    var builder = BytesColumnBuilder()
    for value in values { if let value { builder.append(value) } else { builder.appendAbsent() } }
    return builder.column()
  }
}
