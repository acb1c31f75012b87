import LakeModel

/// How samples are put into series: by all labels, by some, by all but some, or into one.
enum SeriesGrouping: Hashable, Sendable {
  case everything
  /// Ascending by bytes, each once.
  case by([String])
  case without([String])
  /// All labels.
  case none

  static func sorted(_ labels: [String]) -> [String] {
    Set(labels).sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
}

/// Finds the series of rows of one block, from columns. Used by one task.
struct RowGrouping: ~Copyable {
  private enum Way {
    case single
    /// One label with shared entries: series by entry.
    case entries
    /// Several labels, or one whose entries are not shared: series by text.
    case texts
    /// Whole sets, some labels left out.
    case assembled
  }
  private let way: Way
  private(set) var series = SeriesTable()
  private var packer = LabelPacker()
  private let vectors: [(name: [UInt8], vector: LabelVector)]
  /// Of one label: series by entry, -1 until the entry is met; the last element stands for the absent label.
  private var known = BufferBuilder<Int32>(capacity: 1)
  /// Several labels with few entries: series by the combined entry numbers.
  private var combined: [UInt64: Int32] = [:]
  /// Of these, some that were asked for lately, by the key's hash: key and series, -1 for none.
  private var recentKeys = BufferBuilder<UInt64>(capacity: 1)
  private var recentSeries = BufferBuilder<Int32>(capacity: 1)
  private static let recentMax = 1024
  private let assembler: LabelAssembler?
  private let isLeftOut: [Bool]

  static func make(_ grouping: SeriesGrouping, _ labels: BlockLabels) async throws(QueryError) -> RowGrouping {
    var vectors: [(name: [UInt8], vector: LabelVector)] = []
    switch grouping {
    case .everything, .by([]): return RowGrouping(.single)
    case .by(let names):
      for name in names {
        let reference = LabelReference(name)
        vectors.append((reference.utf8, try await labels.vector(reference)))
      }
      return RowGrouping(vectors.count == 1 && vectors[0].vector.isShared ? .entries : .texts, vectors: vectors)
    case .without(let names): return RowGrouping(.assembled, try await LabelAssembler.make(labels), leavingOut: names)
    case .none: return RowGrouping(.assembled, try await LabelAssembler.make(labels))
    }
  }

  private init(
    _ way: Way, vectors: [(name: [UInt8], vector: LabelVector)] = [], _ assembler: LabelAssembler? = nil,
    leavingOut names: [String] = []
  ) {
    self.way = way
    self.vectors = vectors
    self.assembler = assembler
    let left = Set(names.map { Array($0.utf8) })
    isLeftOut = (assembler?.names ?? []).map { left.contains($0) }
    if way == .texts {
      recentKeys.append(repeating: 0, count: RowGrouping.recentMax)
      recentSeries.append(repeating: -1, count: RowGrouping.recentMax)
    }
    if way == .single { _ = series.number(of: LabelSet.empty) }
    if way == .entries { known.append(repeating: -1, count: vectors[0].vector.values.entryCount + 1) }
  }

  /// The only series there is, if the labels say so without looking at rows.
  var onlySeries: Int? { way == .single ? 0 : nil }

  /// For one label with shared entries: its vector, so that runs of one entry are handled together.
  var sharedVector: LabelVector? { way == .entries ? vectors[0].vector : nil }

  /// Calls `body` with each row and the number of its series in `series`.
  @inline(__always)
  mutating func forEach(_ rows: RowSelection, _ body: (_ row: Int, _ series: Int) -> Void) {
    switch way {
    case .single: rows.forEach { body($0, 0) }
    case .entries:
      guard let codes = vectors[0].vector.codes else {
        // The same value in every row.
        if !rows.isEmpty {
          let number = newEntry(0, 0)
          rows.forEach { body($0, number) }
        }
        return
      }
      let base = codes.unsafeBase
      let absent = known.count - 1
      rows.forEach { row in
        let code = base[row]
        let index = code == LabelVector.absent ? absent : Int(code)
        let number = known.base[index]
        body(row, number >= 0 ? Int(number) : newEntry(code, index))
      }
      withExtendedLifetime(codes) {}
    case .texts: rows.forEach { body($0, seriesOfTexts($0)) }
    case .assembled: rows.forEach { body($0, seriesOfSet($0)) }
    }
  }

  /// The number of the row's series in `series`.
  mutating func series(of row: Int) -> Int {
    switch way {
    case .single: return 0
    case .entries:
      let code = vectors[0].vector.code(of: row)
      let index = code == LabelVector.absent ? known.count - 1 : Int(code)
      let number = known.base[index]
      return number >= 0 ? Int(number) : newEntry(code, index)
    case .texts: return seriesOfTexts(row)
    case .assembled: return seriesOfSet(row)
    }
  }

  @inline(never)
  private mutating func newEntry(_ code: UInt32, _ index: Int) -> Int {
    packer.begin()
    let name = vectors[0].name
    vectors[0].vector.withText(ofCode: code) { if !$0.isEmpty { packer.append(name: name, value: $0) } }
    let number = series.number(of: packer)
    known.base[index] = Int32(number)
    return number
  }

  private mutating func seriesOfTexts(_ row: Int) -> Int {
    var key: UInt64 = 0
    var isExact = true
    for index in vectors.indices {
      let radix = UInt64(vectors[index].vector.values.entryCount) + 1
      let code = vectors[index].vector.code(of: row)
      let (product, overflow) = key.multipliedReportingOverflow(by: radix)
      let (sum, carried) = product.addingReportingOverflow(code == LabelVector.absent ? radix - 1 : UInt64(code))
      if overflow || carried || !vectors[index].vector.isShared { isExact = false }
      key = sum
    }
    let place = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 54)
    if isExact {
      if recentSeries.base[place] >= 0 && recentKeys.base[place] == key { return Int(recentSeries.base[place]) }
      if let known = combined[key] {
        recentKeys.base[place] = key
        recentSeries.base[place] = known
        return Int(known)
      }
    }
    packer.begin()
    for (name, vector) in vectors {
      vector.withText(of: row) { if !$0.isEmpty { packer.append(name: name, value: $0) } }
    }
    let number = series.number(of: packer)
    if isExact { combined[key] = Int32(number) }
    return number
  }

  private mutating func seriesOfSet(_ row: Int) -> Int {
    guard let assembler else { return 0 }
    assembler.gather(row)
    packer.begin()
    for piece in assembler.pieces where !isLeftOut[Int(piece.name)] {
      packer.append(name: assembler.name(piece), value: piece.value)
    }
    return series.number(of: packer)
  }

  /// Bytes held, about.
  var memoryBytes: Int { series.memoryBytes + known.count * 4 + combined.count * 32 }

  consuming func finish() -> SeriesTable { series }
}
