import LakeModel

/// Evaluates label conditions over the rows of a block, once per distinct value.
struct LabelSelection {
  var rows: RowSelection
  /// Rows among them may hold a value that a filter could not read: the row pipeline must decide and mark them.
  var hasUnreadable = false
}

extension BlockLabels {
  /// The rows for which `condition` holds.
  func select(_ rows: RowSelection, where condition: LabelCondition) async throws(QueryError) -> LabelSelection {
    switch condition {
    case .value(let label, let test):
      if case .anything = test.kind, !test.isNegated { return LabelSelection(rows: rows) }
      let vector = try await vector(label)
      return LabelSelection(rows: vector.select(rows, test))
    case .quantity(let label, let test):
      let vector = try await vector(label)
      return vector.select(rows, test)
    case .and(let left, let right):
      let first = try await select(rows, where: left)
      var second = try await select(first.rows, where: right)
      second.hasUnreadable = second.hasUnreadable || first.hasUnreadable
      return second
    case .or(let left, let right):
      let first = try await select(rows, where: left)
      let second = try await select(rows.subtracting(first.rows), where: right)
      return LabelSelection(
        rows: first.rows.union(second.rows), hasUnreadable: first.hasUnreadable || second.hasUnreadable)
    }
  }
}

extension LabelVector {
  func select(_ rows: RowSelection, _ test: ValueTest) -> RowSelection {
    if codes == nil { return withText(ofCode: 0, test.passes) ? rows : .none }
    if let rare = rowsOfRareValues(rows, test) { return rare }
    let passesAbsent = test.passesAbsent
    guard isShared else {
      return rows.filter { row in
        let code = code(of: row)
        return code == LabelVector.absent ? passesAbsent : withText(ofCode: code, test.passes)
      }
    }
    return select(rows, passesAbsent: passesAbsent) { withText(ofCode: $0, test.passes) }
  }

  func select(_ rows: RowSelection, _ test: QuantityTest) -> LabelSelection {
    var hasUnreadable = false
    func keeps(_ code: UInt32) -> Bool {
      withText(ofCode: code) { text in
        if text.isEmpty { return false }
        switch test.outcome(text) {
        case .pass: return true
        case .fail: return false
        case .unreadable:
          hasUnreadable = true
          return true
        }
      }
    }
    let kept =
      isShared || codes == nil
      ? select(rows, passesAbsent: false, keeps)
      : rows.filter { code(of: $0) != LabelVector.absent && keeps(code(of: $0)) }
    return LabelSelection(rows: kept, hasUnreadable: hasUnreadable)
  }

  /// Asks once per entry that occurs; rows that lie together with one entry are taken as a run.
  private func select(_ rows: RowSelection, passesAbsent: Bool, _ passes: (UInt32) -> Bool) -> RowSelection {
    guard let codes else { return passes(0) ? rows : .none }
    // 0 not asked yet, 1 no, 2 yes
    var known = [UInt8](repeating: 0, count: values.entryCount)
    func keeps(_ code: UInt32) -> Bool {
      if code == LabelVector.absent { return passesAbsent }
      let index = Int(code)
      if known[index] == 0 { known[index] = passes(code) ? 2 : 1 }
      return known[index] == 2
    }
    let base = codes.unsafeBase
    var builder = SelectionBuilder()
    switch rows {
    case .list(let list): for row in list where keeps(base[Int(row)]) { builder.append(Int(row)) }
    case .ranges(let ranges):
      for range in ranges {
        var start = range.lowerBound
        while start < range.upperBound {
          let code = base[start]
          var end = start + 1
          while end < range.upperBound && base[end] == code { end += 1 }
          if keeps(code) { builder.append(start..<end) }
          start = end
        }
      }
    }
    withExtendedLifetime(codes) {}
    return builder.finish()
  }

  /// Equality with few values over many entries: finds the entries by searching their bytes, then the rows by entry.
  ///
  /// - Returns: nil when the general way is better.
  private func rowsOfRareValues(_ rows: RowSelection, _ test: ValueTest) -> RowSelection? {
    guard let wanted = test.onlyValues, wanted.count <= 4, !wanted.contains([]), values.entryCount > 256,
      let codes
    else { return nil }
    var entries: [UInt32] = []
    for value in wanted {
      guard let stored = stored(value) else { continue }
      guard let found = values.entries(equalTo: stored) else { return nil }
      entries += found
    }
    if entries.isEmpty { return RowSelection.none }
    let base = codes.unsafeBase
    defer { withExtendedLifetime(codes) {} }
    if entries.count == 1 {
      let entry = entries[0]
      return rows.filter { base[$0] == entry }
    }
    let set = Set(entries)
    return rows.filter { set.contains(base[$0]) }
  }

  /// A label's text as the column holds it; nil when no row can hold it.
  private func stored(_ text: [UInt8]) -> [UInt8]? {
    switch form {
    case .text: return text
    case .hex:
      // Only lower-case digits are ever shown.
      guard text.allSatisfy({ ASCII.lowered($0) == $0 }) else { return nil }
      return Hex.bytes(text)
    }
  }
}

extension BytesView {
  /// The entries that hold exactly these bytes; nil when the entries cannot be searched at once.
  func entries(equalTo bytes: [UInt8]) -> [UInt32]? {
    guard !bytes.isEmpty, let (offsets, data) = plainEntries else { return nil }
    let needle = ByteNeedle(bytes)
    let offset = offsets.unsafeBase
    let base = UnsafeRawPointer(data.unsafeBase)
    var found: [UInt32] = []
    var entry = 0
    var at = Int(offset[0])
    let end = Int(offset[entryCount])
    while entry < entryCount {
      let hit = needle.firstMatch(in: base, from: at, to: end)
      if hit < 0 { break }
      entry = RowSearch.row(holding: hit, offset, from: entry, to: entryCount)
      if Int(offset[entry]) == hit && Int(offset[entry + 1]) == hit + bytes.count {
        found.append(UInt32(entry))
        entry += 1
        at = hit + bytes.count
      } else {
        at = hit + 1
      }
    }
    withExtendedLifetime((offsets, data)) {}
    return found
  }
}
