import LakeModel
import Testing

@Suite struct ColumnOperationsTests {
  @Test("gathering picks the named rows of every shape", arguments: ColumnMaker.Shape.allCases)
  func gather(shape: ColumnMaker.Shape) {
    for seed in 0..<60 as Range<UInt64> {
      var maker = ColumnMaker(seed: seed)
      let column = maker.column(shape, maker.below(20))
      let rows = column.count == 0 ? [] : (0..<maker.below(30)).map { _ in Int32(maker.below(column.count)) }
      let all = column.modelValues()
      #expect(column.gather(Buffer(rows)).modelValues() == rows.map { all[Int($0)] })
    }
  }

  @Test("a slice holds the rows of its range, and slices of slices do too", arguments: ColumnMaker.Shape.allCases)
  func slice(shape: ColumnMaker.Shape) {
    for seed in 0..<60 as Range<UInt64> {
      var maker = ColumnMaker(seed: seed)
      let column = maker.column(shape, maker.below(20))
      let all = column.modelValues()
      let start = maker.below(column.count + 1)
      let end = start + maker.below(column.count - start + 1)
      let part = column.slice(start..<end)
      #expect(part.modelValues() == Array(all[start..<end]))
      #expect(part.slice(0..<part.count / 2).modelValues() == Array(all[start..<start + part.count / 2]))
      #expect(part.gather(Buffer(rows: 0..<part.count)).modelValues() == Array(all[start..<end]))
    }
  }

  /// Parts that share a dictionary, that start inside their buffers, and empty ones.
  private func parts(_ shape: ColumnMaker.Shape, _ maker: inout ColumnMaker) -> [Column] {
    var parts: [Column] = []
    for _ in 0...maker.below(4) {
      let column = maker.column(shape, maker.below(12))
      parts.append(column)
      if maker.below(2) == 0 { parts.append(column.slice(column.count / 3..<column.count)) }
    }
    return parts
  }

  @Test("concatenating lays rows one after another, whatever the layouts", arguments: ColumnMaker.Shape.allCases)
  func concatenate(shape: ColumnMaker.Shape) {
    for seed in 0..<120 as Range<UInt64> {
      var maker = ColumnMaker(seed: seed)
      let parts = parts(shape, &maker)
      for unites in [true, false] {
        let joined = Column.concatenate(parts, unitesDictionaries: unites)
        #expect(joined.modelValues() == parts.flatMap { $0.modelValues() })
        #expect(joined.compacted().modelValues() == joined.modelValues())
        #expect(joined.plain.modelValues() == joined.modelValues())
        let few = joined.slice(0..<min(1, joined.count))
        #expect(few.compacted().modelValues() == few.modelValues())
      }
    }
  }

  @Test(
    "rows are gathered out of parts as they are, whatever the parts' layouts", arguments: ColumnMaker.Shape.allCases)
  func gatherParts(shape: ColumnMaker.Shape) {
    for seed in 0..<120 as Range<UInt64> {
      var maker = ColumnMaker(seed: seed)
      let parts = parts(shape, &maker)
      let all = parts.flatMap { $0.modelValues() }
      let rows = PartRows(parts.map(\.count))
      let source = ColumnParts(parts)
      #expect(source.gather(rows).modelValues() == all)
      let picked = all.isEmpty ? [] : (0..<maker.below(40)).map { _ in Int32(maker.below(all.count)) }
      let gathered = rows.gather(Buffer(picked))
      #expect(source.gather(gathered).modelValues() == picked.map { all[Int($0)] })
      let tail = picked.count / 3..<picked.count
      #expect(source.gather(gathered.slice(tail)).modelValues() == picked[tail].map { all[Int($0)] })
      let numbers = parts.enumerated().flatMap { part, column in column.modelValues().map { _ in Int32(part) } }
      #expect(rows.parts.array == numbers)
    }
  }

  @Test("uniting dictionaries leaves each entry once")
  func unitesDictionaries() throws {
    let first = dictionary(["a", "b"], [0, 1, 1])
    let second = dictionary(["b", "c", "b"], [2, 1, 0])
    let joined = Column.concatenate([first, second, first])
    guard case .dictionary(let indices, let entries) = joined.values else {
      Issue.record("not a dictionary")
      return
    }
    #expect(entries.modelValues() == ["a", "b", "c"].map { .bytes(Array($0.utf8)) })
    #expect(indices.array == [0, 1, 1, 1, 2, 1, 0, 1, 1])
  }

  @Test("a shared dictionary stays shared")
  func sharedDictionary() {
    let column = dictionary(["a", "b", "unused"], [0, 1, 1])
    let joined = Column.concatenate([column.slice(0..<1), column.slice(1..<3)])
    guard case .dictionary(_, let entries) = joined.values, case .bytes(let offsets, _) = entries.values,
      case .dictionary(_, let own) = column.values, case .bytes(let ownOffsets, _) = own.values
    else {
      Issue.record("not a dictionary")
      return
    }
    #expect(offsets.isSame(as: ownOffsets))
  }

  @Test("few plain values join a dictionary, many make the result plain")
  func plainMeetsDictionary() {
    let plain = bytes(["x", "y"])
    let many = dictionary(["x"], Array(repeating: 0, count: 10))
    let few = dictionary(["x"], [0])
    guard case .dictionary(_, let entries) = Column.concatenate([plain, many]).values else {
      Issue.record("not a dictionary")
      return
    }
    #expect(entries.count == 2)
    guard case .bytes = Column.concatenate([plain, few]).values else {
      Issue.record("not plain")
      return
    }
  }

  @Test("compacting drops entries that no row uses")
  func compacts() {
    let column = dictionary(["secret of another tenant", "a", "b"], [2, 1, 2])
    guard case .dictionary(let indices, let entries) = column.compacted().values else {
      Issue.record("not a dictionary")
      return
    }
    #expect(entries.modelValues() == ["a", "b"].map { .bytes(Array($0.utf8)) })
    #expect(indices.array == [1, 0, 1])
  }

  @Test("few rows of a large dictionary keep their own entries only")
  func compactsSparse() {
    let column = dictionary((0..<100).map { "\($0)" }, [70, 3, 70])
    guard case .dictionary(let indices, let entries) = column.compacted().values else {
      Issue.record("not a dictionary")
      return
    }
    #expect(entries.modelValues() == ["70", "3"].map { .bytes(Array($0.utf8)) })
    #expect(indices.array == [0, 1, 0])
  }

  @Test("dictionaries laid out one after another keep every entry, once per dictionary")
  func laidOut() {
    let first = dictionary(["a", "b"], [0, 1])
    let second = dictionary(["b"], [0])
    let joined = Column.concatenate([first, second, first], unitesDictionaries: false)
    guard case .dictionary(let indices, let entries) = joined.values else {
      Issue.record("not a dictionary")
      return
    }
    #expect(entries.count == 3)
    #expect(indices.array == [0, 1, 2, 0, 1])
  }

  @Test("a dictionary without entries serves a column of absent values")
  func emptyDictionary() {
    let none = Column(
      .dictionary(indices: Buffer([0, 0]), dictionary: bytes([])), count: 2, validity: Buffer([0, 0]))
    #expect(none.plain.modelValues() == [.absent, .absent])
    #expect(none.compacted().modelValues() == [.absent, .absent])
    let joined = Column.concatenate([none, dictionary(["a"], [0]), none])
    #expect(joined.modelValues() == [.absent, .absent, .bytes([97]), .absent, .absent])
    #expect(none.orderKeys(ValueOrder()).count <= 1)
  }

  @Test("memory counts what a slice covers")
  func memory() {
    let column = bytes(["aaaa", "bbbbbbbb"])
    #expect(column.memoryBytes == 12 + 12)
    #expect(column.slice(0..<1).memoryBytes == 8 + 4)
  }

  private func bytes(_ texts: [String]) -> Column {
    var builder = BytesColumnBuilder()
    for text in texts { builder.append(text) }
    return builder.column()
  }

  private func dictionary(_ entries: [String], _ indices: [UInt32]) -> Column {
    Column(.dictionary(indices: Buffer(indices), dictionary: bytes(entries)), count: indices.count)
  }
}
