import LakeModel

/// The rows of a block that a plan's columns let pass, with what was loaded to find them.
struct FilteredBlock {
  let labels: BlockLabels
  var rows: RowSelection
  /// Line filters still to be applied: the plan's, and what its demands come to in this block.
  var lines: [LineMatcher]
  /// A label filter met values it could not read: `LogPlan.stagesWithFilters` must run over the rows.
  var hasUnreadable = false
}

extension LogPlan {
  /// Narrows a block down to the rows that conditions, time and line filters keep, and of whose lines nothing says that the stages
  /// drop them; loads columns only while rows are left.
  func filter(
    _ block: any LogBlock, in range: TimeRange, statistics: inout QueryStatistics
  ) async throws(QueryError) -> FilteredBlock {
    let isCovered = block.timeBounds.map { range.coversMicroseconds($0.lowerBound, $0.upperBound) } ?? false
    var result = try await filterLabels(block, in: isCovered ? nil : range, statistics: &statistics)
    result.rows = try await filterLines(block, result.rows, result.lines, statistics: &statistics)
    return result
  }

  /// The rows that conditions and time keep.
  ///
  /// - Parameter range: nil when the block's bounds say that every row lies inside.
  func filterLabels(
    _ block: any LogBlock, in range: TimeRange?, statistics: inout QueryStatistics
  ) async throws(QueryError) -> FilteredBlock {
    let labels = BlockLabels(block)
    // What indexes and filters exclude needs no columns at all.
    let possible = try await possibleRows(labels)
    if possible.isEmpty {
      statistics.rowGroupsPruned += 1
      return FilteredBlock(labels: labels, rows: .none, lines: lines)
    }
    var result = FilteredBlock(labels: labels, rows: try await block.visibleRows(), lines: lines)
    statistics.rowsRead += result.rows.count
    if !possible.isAll(of: block.rowCount) { result.rows = result.rows.intersection(possible) }
    for condition in conditions where !result.rows.isEmpty {
      switch block.verdict(condition) {
      case .always: continue
      case .never:
        result.rows = .none
        continue
      case .maybe: break
      }
      let selection = try await labels.select(result.rows, where: condition)
      result.rows = selection.rows
      result.hasUnreadable = result.hasUnreadable || selection.hasUnreadable
    }
    if let range { result.rows = try await labels.select(result.rows, in: range) }
    for demand in demands where block.heedsDemands && !result.rows.isEmpty {
      if try await labels.lacks(demand.labels) { result.lines.append(demand.matcher) }
    }
    return result
  }

  /// Rows that no index and no filter excludes.
  private func possibleRows(_ labels: BlockLabels) async throws(QueryError) -> RowSelection {
    let block = labels.block
    for condition in conditions {
      if case .maybe = block.verdict(condition), try await block.isRuledOutByFilters(condition) { return .none }
    }
    var possible = lines.isEmpty ? RowSelection.all(block.rowCount) : try await block.rows(thatMayPass: lines)
    for demand in demands where block.heedsDemands && !possible.isEmpty {
      let some = try await block.rows(thatMayPass: [demand.matcher])
      // Attributes are loaded only when it pays.
      if some.isAll(of: block.rowCount) { continue }
      if try await labels.lacks(demand.labels) { possible = possible.intersection(some) }
    }
    return possible
  }

  /// The rows whose line every line filter keeps.
  func filterLines(
    _ block: any LogBlock, _ rows: RowSelection, _ lines: [LineMatcher], statistics: inout QueryStatistics
  ) async throws(QueryError) -> RowSelection {
    if lines.isEmpty || rows.isEmpty { return rows }
    var kept = SelectionBuilder()
    var lineCount = 0
    var byteCount = 0
    try await block.forEachBodyPiece(holding: rows) { piece throws(QueryError) in
      var selection = rows.clamped(to: piece.rows)
      lineCount += selection.count
      byteCount += piece.byteCount
      for matcher in lines where !selection.isEmpty {
        selection = matcher.select(selection, in: piece.lines, firstRow: piece.rows.lowerBound)
      }
      kept.append(selection)
    }
    statistics.linesRead += lineCount
    statistics.lineBytesProcessed += byteCount
    return kept.finish()
  }
}

extension BodyPiece {
  /// Bytes of all its lines.
  var byteCount: Int {
    guard let (offsets, _) = lines.plain, lines.count > 0 else { return 0 }
    return Int(offsets[lines.count] - offsets[0])
  }
}

extension SelectionBuilder {
  mutating func append(_ rows: RowSelection) {
    switch rows {
    case .ranges(let ranges): for range in ranges { append(range) }
    case .list(let list): for row in list { append(Int(row)) }
    }
  }
}
