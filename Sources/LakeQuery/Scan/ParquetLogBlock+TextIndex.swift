import LakeModel
import LakeParquet
import LakePorts

extension ParquetLogBlock {
  /// Pages of the body that the file's text index excludes are left out (LakeParquet/README.md, "Text index").
  func rows(thatMayPass filters: [LineMatcher]) async throws(QueryError) -> RowSelection {
    let needles = filters.compactMap(\.indexNeedles)
    guard !needles.isEmpty, let index = try await textIndex() else { return .all(rowCount) }
    var rows = [0..<rowCount]
    for alternatives in needles where !rows.isEmpty {
      let some = alternatives.flatMap { index.rows(holdingAll: [$0]) }
      rows = RowRanges.intersection(rows, RowRanges.normalized(some, rowCount: rowCount))
    }
    return .ranges(rows)
  }

  /// Nil when the file has none, or a broken one: it saves work and decides nothing.
  private func textIndex() async throws(QueryError) -> TextIndex? {
    guard let leaf = leaf(.body), let range = file.file.textIndexRange(rowGroup: group.index, leaf: leaf.index)
    else { return nil }
    let key = QueryCache.Key(object: file.name, part: .textIndex(rowGroup: Int32(group.index)))
    if let kept = cache.value(key, as: TextIndex.self) { return kept }
    let bytes = try await fetch([range])[0]
    guard let index = try? file.file.textIndex(rowGroup: group.index, leaf: leaf.index, bytes: bytes) else {
      return nil
    }
    cache.keep(index, bytes: index.memoryBytes, for: key)
    return index
  }
}

extension LineMatcher {
  /// Texts one of which every kept line holds, as an index wants them; nil when they exclude nothing.
  var indexNeedles: [TextNeedle]? {
    guard let literals = neededLiterals, !literals.isEmpty else { return nil }
    let needles = literals.map { literal in
      // A folded literal has neither k nor s nor letters beyond ASCII (RegexShape): ASCII is all there is to fold.
      TextNeedle(literal.bytes, literal.isFolded ? .foldingASCII : .exact)
    }
    return needles.allSatisfy(\.isSelective) ? needles : nil
  }
}
