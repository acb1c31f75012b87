import LakeModel

/// Counts the rows of blocks of which all is known already: from the footer, or by counts of a label's values that are kept.
///
/// A table of hundreds of small files or segments is mostly such blocks, and none of them is worth a task or a wait. What it
/// adds up are whole numbers, so the order of blocks does not matter.
struct KnownCounts<State: WindowState>: ~Copyable {
  private let plan: LogPlan
  private let grid: PaneGrid
  /// The only label of the series; nil: one series for all.
  private let label: LabelReference?
  private var samples: BlockSamples<State>
  private var series = SeriesTable()
  private var packer = LabelPacker()
  /// Of the blocks of one pane after the other.
  private var totals = LabelTotals()
  private var pane = 0
  private(set) var rowCount = 0

  /// - Returns: nil when the aggregation is not about counts of rows.
  init?(_ spec: SampleSpec) {
    guard case .one = spec.value, case .total = spec.keeping, spec.plan.readsLabelsOnly else { return nil }
    switch spec.grouping {
    case .everything, .by([]): label = nil
    case .by(let names):
      let reference = LabelReference(names[0])
      guard names.count == 1, reference.field != nil else { return nil }
      label = reference
    case .without, .none: return nil
    }
    plan = spec.plan
    grid = spec.grid
    samples = BlockSamples(grid: spec.grid)
  }

  /// - Parameter pane: the one in which all rows of the block lie.
  /// - Returns: false when the block must be looked into; nothing was counted then.
  mutating func add(_ block: any LogBlock, pane: Int) -> Bool {
    guard let count = block.visibleRowCount, plan.passesAll(block) else { return false }
    guard let label else {
      if count > 0 { samples.add(series: series.number(of: .empty), pane: pane, value: Double(count), time: 0) }
      rowCount += count
      return true
    }
    guard let field = label.field, let some = block.labelCounts(field) else { return false }
    if pane != self.pane { flush() }
    self.pane = pane
    totals.add(some)
    rowCount += count
    return true
  }

  private mutating func flush() {
    guard let label else { return }
    totals.drain { text, count in
      packer.begin()
      text.withUnsafeBytes { if !$0.isEmpty { packer.append(name: label.utf8, value: $0) } }
      samples.add(series: series.number(of: packer), pane: pane, value: Double(count), time: 0)
    }
  }

  consuming func finish(_ held: HeldMemory) -> BlockPart<State> {
    flush()
    return samples.finish(series, held)
  }
}

extension LogPlan {
  /// Whether conditions on labels are all there is.
  var readsLabelsOnly: Bool { lines.isEmpty && stages.isEmpty && demands.isEmpty }

  /// Whether metadata says that every row fulfils every condition.
  func passesAll(_ block: any LogBlock) -> Bool {
    conditions.allSatisfy { condition in
      if case .always = block.verdict(condition) { return true }
      return false
    }
  }
}
