package import LakeModel

/// Where the text indexes of a file lie, per leaf and row group: what the footer says, as far as it makes sense.
struct TextIndexDirectory: Sendable {
  private var ranges: [Int: [Range<Int>?]] = [:]

  subscript(rowGroup: Int, leaf: Int) -> Range<Int>? {
    guard let ranges = ranges[leaf], rowGroup < ranges.count else { return nil }
    return ranges[rowGroup]
  }

  /// An entry that makes no sense is as good as none: an index saves work and decides nothing.
  init(_ text: String?, leafCount: Int, rowGroupCount: Int, dataEnd: Int) {
    guard let text else { return }
    let lines = text.split(separator: "\n")
    guard lines.first == Substring(TextIndexFormat.version) else { return }
    for line in lines.dropFirst() {
      let words = line.split(separator: " ")
      guard let leaf = words.first.flatMap({ Int($0) }), leaf >= 0, leaf < leafCount, words.count == rowGroupCount + 1
      else { continue }
      ranges[leaf] = words.dropFirst().map { word in
        let numbers = word.split(separator: "+").map { Int($0) }
        guard numbers.count == 2, let start = numbers[0], let count = numbers[1], start >= 0, count > 0,
          start <= dataEnd, count <= dataEnd - start
        else { return nil }
        return start..<start + count
      }
    }
  }

  /// - Parameter ranges: per leaf one range per row group.
  static func text(_ ranges: [Int: [Range<Int>?]]) -> String {
    let lines = ranges.keys.sorted().map { leaf in
      let words = ranges[leaf]!.map { $0.map { "\($0.lowerBound)+\($0.count)" } ?? "-" }
      return "\(leaf) " + words.joined(separator: " ")
    }
    return ([TextIndexFormat.version] + lines).joined(separator: "\n")
  }
}

extension ParquetFile {
  /// The footer key that leads to the text indexes. Whoever writes a file anew leaves it out.
  package static let textIndexKey = TextIndexFormat.key

  /// Where the text index of a column of a row group lies; nil when there is none. The indexes of a column's row groups
  /// lie next to one another, so several may be fetched at once.
  package func textIndexRange(rowGroup: Int, leaf: Int) -> Range<Int>? { textIndexes[rowGroup, leaf] }

  /// Parses what was fetched from `textIndexRange`.
  /// - Throws: when it is not the index of this column chunk, or broken. Then the rows can be read without it.
  package func textIndex(rowGroup: Int, leaf: Int, bytes: Bytes) throws(ParquetError) -> TextIndex {
    let group = rowGroups[rowGroup]
    return try TextIndex(bytes, rowCount: group.rowCount, chunk: group.chunks[leaf].range, limits: limits)
  }
}
