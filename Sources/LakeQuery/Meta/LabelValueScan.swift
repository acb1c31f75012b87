import LakeModel

/// Finds the distinct values of one label among rows.
struct LabelValueScan: Sendable {
  let context: QueryContext
  let label: LabelReference

  /// - Returns: ascending by bytes, without the empty value.
  func values(
    _ blocks: [any LogBlock], _ plans: [LogPlan], in range: TimeRange
  ) async throws(QueryError) -> [String] {
    var all = Set<[UInt8]>()
    try await context.forEach(blocks) { block throws(QueryError) in
      try await values(block, plans, range)
    } merge: { values throws(QueryError) in
      var bytes = 0
      for value in values where all.insert(value).inserted { bytes += value.count * 3 + 160 }
      try context.hold(bytes: bytes)
    }
    return all.sorted { $0.lexicographicallyPrecedes($1) }.map { String(decoding: $0, as: UTF8.self) }
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
