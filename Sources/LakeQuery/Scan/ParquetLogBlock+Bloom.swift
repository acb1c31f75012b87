import LakeModel
import LakeParquet
import LakePorts

extension ParquetLogBlock {
  /// Asks Bloom filters whether the block holds a label's value at all, 32 bytes for each: in its column, and in the attributes that
  /// stand in for it.
  func isRuledOutByFilters(_ condition: LabelCondition) async throws(QueryError) -> Bool {
    switch condition {
    case .value(let label, let test):
      // The absent label is the empty text, which no filter tells.
      guard case .oneOf(let values) = test.kind, !test.isNegated, !values.contains([]),
        values.count <= ParquetLogBlock.valuesAskedMax
      else { return false }
      for value in values where try await mayHold(value, label) { return false }
      return true
    case .quantity: return false
    case .and(let left, let right):
      if try await isRuledOutByFilters(left) { return true }
      return try await isRuledOutByFilters(right)
    case .or(let left, let right):
      guard try await isRuledOutByFilters(left) else { return false }
      return try await isRuledOutByFilters(right)
    }
  }

  private static let valuesAskedMax = 8
  /// What an answer of a filter takes in the cache, key included.
  private static let answerBytes = 256

  private func mayHold(_ value: [UInt8], _ label: LabelReference) async throws(QueryError) -> Bool {
    guard let asked = asked(value, label) else { return true }
    for (leaf, value) in asked {
      let key = answerKey(leaf, value)
      if let kept = cache.value(key, as: Bool.self) {
        if kept { return true }
        continue
      }
      guard
        let probe = file.file.bloomProbe(
          rowGroup: group.index, leaf: leaf.index, value: .bytes(Bytes(value)))
      else { return true }
      let fetched = try await fetch(probe.ranges)
      // A broken filter tells nothing.
      let mayHold = (try? probe.mightContain(fetched: fetched)) ?? true
      cache.keep(mayHold, bytes: ParquetLogBlock.answerBytes + value.count, for: key)
      if mayHold { return true }
    }
    return false
  }

  /// The columns of which the row group has filters, and what to ask them for; nil when it has none.
  private func asked(_ value: [UInt8], _ label: LabelReference) -> [(leaf: Leaf, value: [UInt8])]? {
    guard let attributes = file.attributeValues, hasFilter(attributes) else { return nil }
    var asked: [(leaf: Leaf, value: [UInt8])] = [(attributes, value)]
    if let field = label.field, let leaf = leaf(field) {
      switch field {
      // What is no id is in no column of ids.
      case .traceID, .spanID: if let id = ValueTest.id(value) { asked.append((leaf, id)) }
      default: asked.append((leaf, value))
      }
    }
    return asked
  }

  private func answerKey(_ leaf: Leaf, _ value: [UInt8]) -> QueryCache.Key {
    QueryCache.Key(
      object: file.name, part: .bloom(rowGroup: Int32(group.index), leaf: Int32(leaf.index), value: value))
  }

  private func hasFilter(_ leaf: Leaf) -> Bool { rowGroup.chunks[leaf.index].bloomFilterRange != nil }

  // MARK: - Without a wait

  /// Whether what lies in memory already says that no row passes: answers of Bloom filters, filters and indexes of columns.
  ///
  /// Hundreds of small row groups are left out so at the cost of a look, not of a task's turn.
  func isRuledOutByKept(_ condition: LabelCondition) -> Bool {
    switch condition {
    case .value(let label, let test):
      guard let texts = test.texts, !test.isNegated, texts.count <= ParquetLogBlock.valuesAskedMax else { return false }
      return texts.allSatisfy({ isKeptAnswerNo($0, label) }) || areKeptColumnsWithout(texts, test.ids, label)
    case .quantity: return false
    case .and(let left, let right): return isRuledOutByKept(left) || isRuledOutByKept(right)
    case .or(let left, let right): return isRuledOutByKept(left) && isRuledOutByKept(right)
    }
  }

  private func areKeptColumnsWithout(_ texts: [[UInt8]], _ ids: [[UInt8]], _ label: LabelReference) -> Bool {
    switch label.field {
    case .traceID, .spanID:
      guard let column = keptColumn(label.field!) else { return false }
      if let vector = column.value {
        if !vector.isKnownToLack(ids) { return false }
        if vector.isPresentEverywhere { return true }
      }
    case nil: break
    // Most row groups hold most of the values.
    default: return false
    }
    // Attributes stand in where the column is absent.
    guard let attributes = keptAttributes() else { return false }
    return attributes.value.map { $0.isKnownToLack(label.utf8, texts) } ?? true
  }

  private func isKeptAnswerNo(_ value: [UInt8], _ label: LabelReference) -> Bool {
    guard let asked = asked(value, label) else { return false }
    return asked.allSatisfy { cache.value(answerKey($0.leaf, $0.value), as: Bool.self) == false }
  }
}

extension LabelVector {
  /// Whether it holds none of some ids, as far as that is known without a search.
  fileprivate func isKnownToLack(_ ids: [[UInt8]]) -> Bool {
    guard form == .hex, let width = values.fixed?.width else { return false }
    return ids.allSatisfy { id in
      id.count != width || id.withUnsafeBytes { filter.isKnownToLack($0) }
    }
  }
}
