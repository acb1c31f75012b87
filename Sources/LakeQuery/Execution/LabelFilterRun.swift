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
      if let selected = try await select(rows, label, test) { return LabelSelection(rows: selected) }
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
      var hasUnreadable = first.hasUnreadable || second.hasUnreadable
      for guarded in left.guardedQuantities where !hasUnreadable {
        hasUnreadable = try await select(rows, where: guarded).hasUnreadable
      }
      return LabelSelection(rows: first.rows.union(second.rows), hasUnreadable: hasUnreadable)
    }
  }

  /// Equality with texts by searching columns for them, without making a vector of the label.
  ///
  /// - Returns: nil when a vector is the better way.
  private func select(
    _ rows: RowSelection, _ label: LabelReference, _ test: ValueTest
  ) async throws(QueryError) -> RowSelection? {
    guard let texts = test.texts, !isLoaded(label), !label.isHidden else { return nil }
    var own: LabelVector?
    if let field = label.field {
      own = try await block.vector(field)
      // The column alone decides: its vector is all there is.
      if let own, own.isPresentEverywhere { return nil }
    }
    guard let attributes = try await attributes(), let name = attributes.number(ofName: label.utf8) else { return nil }
    var found = attributes.select(rows, name, texts)
    if let own {
      // Attributes stand in where the column is absent.
      found = found.filter { own.code(of: $0) == LabelVector.absent }
      let positive = ValueTest(.oneOf(texts))
      found = found.union(own.select(rows, positive))
    }
    return test.isNegated ? rows.subtracting(found) : found
  }
}

extension LabelVector {
  func select(_ rows: RowSelection, _ test: ValueTest) -> RowSelection {
    if isConstant { return withText(ofCode: 0, test.passes) ? rows : .none }
    if let texts = test.texts, let found = self.rows(rows, holdingAny: texts) {
      return test.isNegated ? rows.subtracting(found) : found
    }
    let passesAbsent = test.passesAbsent
    guard isShared else {
      if case .nonEmpty = test.kind {
        return rows.filter { row in
          let code = code(of: row)
          return (code != LabelVector.absent && !values.entry(Int(code)).isEmpty) != test.isNegated
        }
      }
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
      isShared
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
    var builder = SelectionBuilder()
    switch rows {
    case .list(let list):
      let base = codes.unsafeBase
      for row in list where keeps(base[Int(row)]) { builder.append(Int(row)) }
    case .ranges(let ranges):
      for range in ranges { forEachRun(in: range) { code, run in if keeps(code) { builder.append(run) } } }
    }
    withExtendedLifetime(codes) {}
    return builder.finish()
  }

  /// The rows that hold one of some texts, none of them empty, by searching the bytes.
  ///
  /// - Returns: nil when few entries are better asked one by one.
  private func rows(_ rows: RowSelection, holdingAny texts: [[UInt8]]) -> RowSelection? {
    let wanted = texts.compactMap(stored)
    if isDirect { return wanted.reduce(RowSelection.none) { $0.union(direct(rows.subtracting($0), $1)) } }
    guard let codes, isShared, values.entryCount > 256 else { return nil }
    let entries = wanted.flatMap { self.entries(equalTo: $0) }
    return rows.holding(anyOf: entries, in: codes)
  }

  private func entries(equalTo bytes: [UInt8]) -> [UInt32] {
    guard let (data, width) = values.fixed, width == bytes.count else { return values.entries(equalTo: bytes) }
    defer { withExtendedLifetime(data) {} }
    return bytes.withUnsafeBytes { wanted in
      var found: [UInt32] = []
      let base = UnsafeRawPointer(data.unsafeBase)
      filter.narrowed(.all(values.entryCount), toWhatMayHold: wanted, base, count: values.entryCount).forEach { entry in
        if values.entry(entry).equals(wanted) { found.append(UInt32(truncatingIfNeeded: entry)) }
      }
      return found
    }
  }

  /// The rows whose own entry is these bytes.
  private func direct(_ rows: RowSelection, _ bytes: [UInt8]) -> RowSelection {
    guard let (data, width) = values.fixed, width == bytes.count, width >= 8 else {
      return bytes.withUnsafeBytes { wanted in
        rows.filter { row in values.isPresent(row) && values.entry(row).equals(wanted) }
      }
    }
    let base = UnsafeRawPointer(data.unsafeBase)
    defer { withExtendedLifetime(data) {} }
    return bytes.withUnsafeBytes { wanted in
      let rows = filter.narrowed(rows, toWhatMayHold: wanted, base, count: values.entryCount)
      if rows.isEmpty { return .none }
      let head = wanted.loadUnaligned(as: UInt64.self)
      @inline(__always) func isThere(_ row: Int) -> Bool {
        values.isPresent(row) && values.entry(row).equals(wanted)
      }
      guard case .ranges(let ranges) = rows else {
        return rows.filter { (base + $0 &* width).loadUnaligned(as: UInt64.self) == head && isThere($0) }
      }
      var builder = SelectionBuilder()
      for range in ranges {
        var row = range.lowerBound
        while row < range.upperBound {
          row = LabelVector.next(head, base, width, from: row, to: range.upperBound)
          if row < range.upperBound && isThere(row) { builder.append(row) }
          row &+= 1
        }
      }
      return builder.finish()
    }
  }

  /// The first row from `start` on whose entry begins with these eight bytes; `end` when there is none.
  private static func next(
    _ head: UInt64, _ base: UnsafeRawPointer, _ width: Int, from start: Int, to end: Int
  ) -> Int {
    var at = base + start &* width
    var row = start
    while row &+ 4 <= end {
      let a = at.loadUnaligned(as: UInt64.self) == head
      let b = (at + width).loadUnaligned(as: UInt64.self) == head
      let c = (at + 2 &* width).loadUnaligned(as: UInt64.self) == head
      let d = (at + 3 &* width).loadUnaligned(as: UInt64.self) == head
      if a || b || c || d { break }
      row &+= 4
      at += 4 &* width
    }
    while row < end && at.loadUnaligned(as: UInt64.self) != head {
      row &+= 1
      at += width
    }
    return row
  }

  /// A label's text as the column holds it; nil when no row can hold it.
  private func stored(_ text: [UInt8]) -> [UInt8]? {
    switch form {
    case .text: return text
    case .hex: return ValueTest.id(text)
    }
  }

  /// Whether no row lacks the label; false when that is not known.
  var isPresentEverywhere: Bool {
    if isConstant { return values.entryCount > 0 && !values.entry(0).isEmpty }
    return values.validity == nil && (isDirect || codes.map { own in values.codes.map(own.isSame) ?? false } ?? false)
  }
}

extension RowSelection {
  /// The rows whose code is one of these.
  func holding(anyOf wanted: [UInt32], in codes: Buffer<UInt32>) -> RowSelection {
    if wanted.isEmpty { return .none }
    let base = codes.unsafeBase
    defer { withExtendedLifetime(codes) {} }
    if wanted.count > 1 {
      let set = Set(wanted)
      return filter { set.contains(base[$0]) }
    }
    guard case .ranges(let ranges) = self else { return filter { base[$0] == wanted[0] } }
    var builder = SelectionBuilder()
    for range in ranges {
      var at = range.lowerBound
      while true {
        at = RunSearch.next(of: wanted[0], in: base, from: at, to: range.upperBound)
        if at == range.upperBound { break }
        builder.append(at)
        at += 1
      }
    }
    return builder.finish()
  }
}

extension BytesView {
  /// The entries that hold exactly these bytes.
  func entries(equalTo bytes: [UInt8]) -> [UInt32] {
    var found: [UInt32] = []
    bytes.withUnsafeBytes { wanted in
      guard let (offsets, data) = plainEntries else {
        for entry in 0..<entryCount where self.entry(entry).equals(wanted) { found.append(UInt32(entry)) }
        return
      }
      // Lengths first: they lie together.
      let offset = offsets.unsafeBase
      let length = UInt32(truncatingIfNeeded: wanted.count)
      let base = UnsafeRawPointer(data.unsafeBase)
      // The last bytes differ more often than the first.
      let tail = wanted.count >= 8 ? wanted.loadUnaligned(fromByteOffset: wanted.count - 8, as: UInt64.self) : 0
      for entry in 0..<entryCount where offset[entry &+ 1] &- offset[entry] == length {
        let start = base + Int(offset[entry])
        if length >= 8 && (start + Int(length) - 8).loadUnaligned(as: UInt64.self) != tail { continue }
        if UnsafeRawBufferPointer(start: start, count: wanted.count).equals(wanted) {
          found.append(UInt32(truncatingIfNeeded: entry))
        }
      }
      withExtendedLifetime((offsets, data)) {}
    }
    return found
  }
}
