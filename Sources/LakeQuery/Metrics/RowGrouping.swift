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
    case single(Int)
    /// One label: series by entry, filled as entries are met; the last element stands for the absent label.
    case entries(LabelVector, [Int32])
    /// Several labels, or one whose entries are not shared: series by text.
    case texts([(name: [UInt8], vector: LabelVector)])
    /// Whole sets, some labels left out.
    case assembled(LabelAssembler, isLeftOut: [Bool])
  }
  private var way: Way
  private(set) var series = SeriesTable()
  private var packer = LabelPacker()
  private let name: [UInt8]
  /// Several labels with few entries: series by the combined entry numbers.
  private var combined: [UInt64: Int32] = [:]

  init(_ grouping: SeriesGrouping, _ labels: BlockLabels) async throws(QueryError) {
    switch grouping {
    case .everything, .by([]):
      var series = SeriesTable()
      way = .single(series.number(of: LabelSet.empty))
      self.series = series
      name = []
    case .by(let names):
      var vectors: [(name: [UInt8], vector: LabelVector)] = []
      for name in names {
        let reference = LabelReference(name)
        vectors.append((reference.utf8, try await labels.vector(reference)))
      }
      name = vectors[0].name
      if vectors.count == 1, vectors[0].vector.isShared {
        let vector = vectors[0].vector
        way = .entries(vector, [Int32](repeating: -1, count: vector.values.entryCount + 1))
      } else {
        way = .texts(vectors)
      }
    case .without, .none:
      let assembler = try await LabelAssembler.make(labels)
      var isLeftOut = [Bool](repeating: false, count: assembler.names.count)
      if case .without(let names) = grouping {
        let left = Set(names.map { Array($0.utf8) })
        for (index, name) in assembler.names.enumerated() { isLeftOut[index] = left.contains(name) }
      }
      way = .assembled(assembler, isLeftOut: isLeftOut)
      name = []
    }
  }

  /// The only series there is, if the labels say so without looking at rows.
  var onlySeries: Int? {
    if case .single(let number) = way { return number }
    return nil
  }

  /// For one label with shared entries: its vector, so that runs of one entry are handled together.
  var sharedVector: LabelVector? {
    if case .entries(let vector, _) = way { return vector }
    return nil
  }

  /// The number of the row's series in `series`.
  mutating func series(of row: Int) -> Int {
    switch way {
    case .single(let number): return number
    case .entries(let vector, let known):
      let code = vector.code(of: row)
      let index = code == LabelVector.absent ? known.count - 1 : Int(code)
      let number = known[index]
      return number >= 0 ? Int(number) : newEntry(code, index)
    case .texts(let vectors): return series(ofTexts: vectors, row)
    case .assembled(let assembler, let isLeftOut):
      assembler.gather(row)
      packer.begin()
      for piece in assembler.pieces where !isLeftOut[Int(piece.name)] {
        packer.append(name: assembler.names[Int(piece.name)], value: piece.value)
      }
      return series.number(of: packer)
    }
  }

  private mutating func newEntry(_ code: UInt32, _ index: Int) -> Int {
    guard case .entries(let vector, var known) = way else { preconditionFailure() }
    way = .single(0)  // so that `known` is not copied
    packer.begin()
    vector.withText(ofCode: code) { if !$0.isEmpty { packer.append(name: name, value: $0) } }
    let number = series.number(of: packer)
    known[index] = Int32(number)
    way = .entries(vector, known)
    return number
  }

  private mutating func series(ofTexts vectors: [(name: [UInt8], vector: LabelVector)], _ row: Int) -> Int {
    var key: UInt64 = 0
    var isExact = true
    for (_, vector) in vectors {
      let radix = UInt64(vector.values.entryCount) + 1
      let code = vector.code(of: row)
      let (product, overflow) = key.multipliedReportingOverflow(by: radix)
      let (sum, carried) = product.addingReportingOverflow(code == LabelVector.absent ? radix - 1 : UInt64(code))
      if overflow || carried || !vector.isShared { isExact = false }
      key = sum
    }
    if isExact, let known = combined[key] { return Int(known) }
    packer.begin()
    for (name, vector) in vectors {
      vector.withText(of: row) { if !$0.isEmpty { packer.append(name: name, value: $0) } }
    }
    let number = series.number(of: packer)
    if isExact { combined[key] = Int32(number) }
    return number
  }

  consuming func finish() -> SeriesTable { series }
}
