/// How parsers make label names of keys found in lines. Source: Loki's `sanitizeLabelKey`.
enum LabelKey {
  /// Space around the key goes; a leading digit gets `_` before it; every character but letters, digits and `_` becomes `_`.
  ///
  /// - Returns: empty when nothing is left; the key itself when nothing had to change.
  static func sanitized(
    _ key: UnsafeRawBufferPointer, _ arena: inout RowArena, isFirst: Bool = true
  ) -> UnsafeRawBufferPointer {
    let trimmed = key.part(trimmedRange(key))
    if trimmed.isEmpty { return .none }
    let hasDigit = isFirst && ASCII.isDigit(trimmed[0])
    if !hasDigit && trimmed.allSatisfy(isPart) { return trimmed }
    var out: [UInt8] = hasDigit ? [UInt8(ascii: "_")] : []
    // One underscore per character, and per byte that belongs to none.
    var at = 0
    while at < trimmed.count {
      out.append(isPart(trimmed[at]) ? trimmed[at] : UInt8(ascii: "_"))
      at += UTF8Repair.length(at, in: trimmed)
    }
    return arena.copy(out)
  }

  static func isPart(_ byte: UInt8) -> Bool {
    ASCII.isLetter(byte) || ASCII.isDigit(byte) || byte == UInt8(ascii: "_")
  }

  /// Where the text lies without white space around it.
  static func trimmedRange(_ text: UnsafeRawBufferPointer) -> Range<Int> {
    func isSpace(_ byte: UInt8) -> Bool { byte == 32 || (9...13).contains(byte) }
    var start = 0
    var end = text.count
    while start < end, isSpace(text[start]) { start += 1 }
    while end > start, isSpace(text[end - 1]) { end -= 1 }
    return start..<end
  }
}
