import LakeLogQL
import LakeModel

/// `|> "<_>level=<_>msg"`: literals with gaps between them, tested as Loki tests them.
///
/// A gap is at least one byte. Each literal is looked for behind the one before, leftmost first and without going back:
/// a line that only another place of an earlier literal would fit does not match.
struct LinePatternMatcher: Sendable {
  private enum Part: Sendable {
    case gap
    case literal(ByteNeedle)
  }
  private let parts: [Part]

  /// - Throws: `.invalid` when two gaps touch or a capture has a name.
  init(_ text: String) throws(QueryError) {
    switch LogQL.LinePattern.filter(text) {
    case .failure(let error): throw .invalid(error.message)
    case .success(let pattern):
      parts = pattern.parts.map { part in
        if case .literal(let text) = part { .literal(ByteNeedle(text)) } else { .gap }
      }
    }
  }

  func matches(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let base = line.baseAddress, line.count > 0, !parts.isEmpty else { return line.count == 0 && parts.isEmpty }
    var at = 0
    for (index, part) in parts.enumerated() {
      guard case .literal(let needle) = part else { continue }
      let found = needle.firstMatch(in: base, from: at, to: line.count)
      if found < 0 { return false }
      if index != 0 && found == at { return false }  // the gap before would be empty
      at = found + needle.count
    }
    let endsInGap: Bool
    if case .gap? = parts.last { endsInGap = true } else { endsInGap = false }
    return endsInGap == (at != line.count)
  }

  /// The longest literal, which every matching line holds.
  var longestLiteral: ByteNeedle? {
    var best: ByteNeedle?
    for case .literal(let needle) in parts where needle.count > (best?.count ?? 0) { best = needle }
    return best
  }
}
