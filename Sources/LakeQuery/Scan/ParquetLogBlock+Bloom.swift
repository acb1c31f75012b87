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
    guard let attributes = source.log.attributeValues, hasFilter(attributes) else { return true }
    var asked: [(leaf: Leaf, value: [UInt8])] = [(attributes, value)]
    if let field = label.field, let leaf = leaf(field) {
      switch field {
      case .traceID, .spanID:
        // Ids are shown in lower case only; what is no id is in no column of ids.
        if value == value.map(ASCII.lowered), let id = Hex.bytes(value) { asked.append((leaf, id)) }
      default: asked.append((leaf, value))
      }
    }
    for (leaf, value) in asked {
      let key = QueryCache.Key(
        object: source.log.name, part: .bloom(rowGroup: Int32(rowGroup.index), leaf: Int32(leaf.index), value: value))
      if let kept = source.cache.value(key, as: Bool.self) {
        if kept { return true }
        continue
      }
      guard
        let probe = source.file.bloomProbe(
          rowGroup: rowGroup.index, leaf: leaf.index, value: .bytes(Bytes(value)))
      else { return true }
      let fetched = try await fetch(probe.ranges)
      // A broken filter tells nothing.
      let mayHold = (try? probe.mightContain(fetched: fetched)) ?? true
      source.cache.keep(mayHold, bytes: ParquetLogBlock.answerBytes + value.count, for: key)
      if mayHold { return true }
    }
    return false
  }

  private func hasFilter(_ leaf: Leaf) -> Bool { rowGroup.chunks[leaf.index].bloomFilterRange != nil }
}
