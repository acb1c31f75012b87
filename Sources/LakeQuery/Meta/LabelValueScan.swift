import LakeModel

/// Finds the distinct values of one label among rows.
struct LabelValueScan: Sendable {
  let context: QueryContext
  let label: LabelReference

  /// - Returns: ascending by bytes, without the empty value.
  func values(
    _ blocks: [any LogBlock], _ plans: [LogPlan], in range: TimeRange
  ) async throws(QueryError) -> [String] {
    var all = SeriesTable()
    let held = HeldMemory(context)
    func see(_ value: UnsafeRawBufferPointer) {
      if !value.isEmpty { _ = all.number(of: value, labelCount: 0) }
    }
    var left: [any LogBlock] = []
    var known = LabelTotals()
    var knownRows = QueryStatistics()
    for (index, block) in blocks.enumerated() {
      if index % 256 == 255 { try context.check() }
      if let counts = knownCounts(of: block, plans, range) {
        known.add(counts)
        knownRows.rowsRead += block.rowCount
      } else {
        left.append(block)
      }
    }
    known.drain { text, _ in text.withUnsafeBytes(see) }
    context.count(knownRows)
    try await context.forEach(left) { block throws(QueryError) in
      try await values(block, plans, range)
    } merge: { values throws(QueryError) in
      for value in values { value.withUnsafeBytes(see) }
      try held.set(all.memoryBytes)
    }
    try context.hold(bytes: all.memoryBytes * 2)
    return all.sets.map(\.packed.array).sorted { $0.lexicographicallyPrecedes($1) }
      .map { String(decoding: $0, as: UTF8.self) }
  }

  /// What is known of the values of a block of which every row counts.
  ///
  /// - Returns: nil when the block must be looked into.
  private func knownCounts(of block: any LogBlock, _ plans: [LogPlan], _ range: TimeRange) -> LabelCounts? {
    guard let field = label.field, let bounds = block.timeBounds,
      range.coversMicroseconds(bounds.lowerBound, bounds.upperBound),
      plans.contains(where: { $0.readsLabelsOnly && $0.passesAll(block) })
    else { return nil }
    return block.labelCounts(field)
  }

  private func values(
    _ block: any LogBlock, _ plans: [LogPlan], _ range: TimeRange
  ) async throws(QueryError) -> Set<[UInt8]> {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    var found = Set<[UInt8]>()
    for plan in plans {
      let filtered = try await plan.filter(block, in: range, statistics: &statistics)
      if filtered.rows.isEmpty { continue }
      let vector = try await filtered.labels.vector(label)
      collect(filtered.rows, vector, &found)
    }
    found.remove([])
    return found
  }

  private func collect(_ rows: RowSelection, _ vector: LabelVector, _ found: inout Set<[UInt8]>) {
    if vector.isConstant {
      found.insert(vector.withText(ofCode: 0) { Array($0) })
      return
    }
    guard vector.codes != nil else {
      rows.forEach { row in found.insert(vector.withText(of: row) { Array($0) }) }
      return
    }
    var isSeen = [Bool](repeating: false, count: vector.values.entryCount)
    func see(_ code: UInt32) {
      guard code != LabelVector.absent, !isSeen[Int(code)] else { return }
      isSeen[Int(code)] = true
      found.insert(vector.withText(ofCode: code) { Array($0) })
    }
    switch rows {
    case .list(let list): for row in list { see(vector.code(of: Int(row))) }
    case .ranges(let ranges): for range in ranges { vector.forEachRun(in: range) { code, _ in see(code) } }
    }
  }
}
