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
    parts = try LinePatternMatcher.parse(Array(text.utf8))
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

  private static func parse(_ text: [UInt8]) throws(QueryError) -> [Part] {
    var parts: [Part] = []
    var literal: [UInt8] = []
    var at = 0
    while at < text.count {
      guard let (name, end) = capture(text, at) else {
        literal.append(text[at])
        at += 1
        continue
      }
      guard name == [UInt8(ascii: "_")] else { throw .invalid("named captures are not allowed") }
      if !literal.isEmpty {
        parts.append(.literal(ByteNeedle(literal)))
        literal = []
      } else if !parts.isEmpty {
        throw .invalid("found consecutive capture '<_>' without literal in between")
      }
      parts.append(.gap)
      at = end
    }
    if !literal.isEmpty { parts.append(.literal(ByteNeedle(literal))) }
    return parts
  }

  /// `<name>` at the given place: the name, and where the text goes on.
  private static func capture(_ text: [UInt8], _ at: Int) -> (name: [UInt8], end: Int)? {
    guard text[at] == UInt8(ascii: "<") else { return nil }
    var end = at + 1
    while end < text.count,
      ASCII.isLetter(text[end]) || text[end] == UInt8(ascii: "_")
        || (end > at + 1 && ASCII.isDigit(text[end]))
    {
      end += 1
    }
    guard end > at + 1, end < text.count, text[end] == UInt8(ascii: ">") else { return nil }
    return (Array(text[at + 1..<end]), end + 1)
  }
}
