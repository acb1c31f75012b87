import LakeModel

/// Reads `key=value` pairs off a line, forgiving as Loki's decoder is.
struct LogfmtScan {
  let line: UnsafeRawBufferPointer
  private var at = 0
  private(set) var key = UnsafeRawBufferPointer.none
  private(set) var value = UnsafeRawBufferPointer.none
  /// The last thing found wrong, in Loki's words.
  private(set) var failure: String?

  init(_ line: UnsafeRawBufferPointer) { self.line = line }

  var isAtEnd: Bool { at >= line.count }

  /// Goes on to the next pair.
  ///
  /// - Returns: false when there is none or it is malformed; the scan may go on behind it.
  mutating func next(_ arena: inout RowArena) -> Bool {
    key = .none
    value = .none
    while at < line.count, line[at] <= 32 { at += 1 }
    guard at < line.count else { return false }
    let start = at
    var isPlain = true
    while at < line.count {
      let byte = line[at]
      if byte == UInt8(ascii: "=") {
        guard at > start else { return unexpected(byte) }
        return keyed(start, isPlain) ? readValue(&arena) : false
      }
      if byte == UInt8(ascii: "\"") { return unexpected(byte) }
      if byte <= 32 { break }
      if byte >= 0x80 { isPlain = false }
      at += 1
    }
    // A key without a value.
    key = line.part(start..<at)
    if !isPlain && !UTF8Repair.isClean(key) { return fail("invalid key") }
    return true
  }

  /// Takes the key and steps over the equals sign.
  private mutating func keyed(_ start: Int, _ isPlain: Bool) -> Bool {
    key = line.part(start..<at)
    if !isPlain && !UTF8Repair.isClean(key) {
      _ = fail("invalid key")
      return skip()
    }
    at += 1
    return true
  }

  private mutating func readValue(_ arena: inout RowArena) -> Bool {
    guard at < line.count, line[at] > 32 else { return true }
    if line[at] == UInt8(ascii: "\"") { return readQuoted(&arena) }
    let start = at
    while at < line.count {
      let byte = line[at]
      if byte == UInt8(ascii: "=") || byte == UInt8(ascii: "\"") { return unexpected(byte) }
      if byte <= 32 { break }
      at += 1
    }
    value = line.part(start..<at)
    return true
  }

  private mutating func readQuoted(_ arena: inout RowArena) -> Bool {
    let start = at + 1
    var place = start
    var hasEscapes = false
    while place < line.count {
      switch line[place] {
      case UInt8(ascii: "\\"):
        hasEscapes = true
        place += 2
      case UInt8(ascii: "\""):
        at = place + 1
        let inner = line.part(start..<place)
        guard hasEscapes else {
          value = inner
          return true
        }
        guard let text = LogfmtScan.unquoted(inner, &arena) else { return fail("invalid quoted value") }
        value = text
        return true
      default: place += 1
      }
    }
    at = line.count
    return fail("unterminated quoted value")
  }

  private mutating func unexpected(_ byte: UInt8) -> Bool {
    _ = fail("unexpected '\(byte == UInt8(ascii: "\"") ? "\"" : String(Unicode.Scalar(byte)))'")
    return skip()
  }

  private mutating func fail(_ what: String) -> Bool {
    failure = "logfmt syntax error at pos \(at + 1) : \(what)"
    return false
  }

  /// Goes to the next white space. - Returns: false.
  private mutating func skip() -> Bool {
    while at < line.count, line[at] > 32 { at += 1 }
    return false
  }

  /// Escapes of quoted values: JSON's and `\'`; a lone surrogate becomes U+FFFD. nil: malformed.
  private static func unquoted(_ text: UnsafeRawBufferPointer, _ arena: inout RowArena) -> UnsafeRawBufferPointer? {
    var out: [UInt8] = []
    var at = 0
    while at < text.count {
      guard text[at] == UInt8(ascii: "\\") else {
        // Control characters and quotes may not stand in a string.
        if text[at] < 32 || text[at] == UInt8(ascii: "\"") { return nil }
        out.append(text[at])
        at += 1
        continue
      }
      guard at + 1 < text.count else { return nil }
      switch text[at + 1] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "'"): out.append(text[at + 1])
      case UInt8(ascii: "b"): out.append(8)
      case UInt8(ascii: "f"): out.append(12)
      case UInt8(ascii: "n"): out.append(10)
      case UInt8(ascii: "r"): out.append(13)
      case UInt8(ascii: "t"): out.append(9)
      case UInt8(ascii: "u"):
        guard let first = hex4(text, at) else { return nil }
        var scalar = Unicode.Scalar(first)
        at += 6
        if (0xD800...0xDFFF).contains(first) {
          scalar = "\u{FFFD}"
          if first < 0xDC00, let second = hex4(text, at), (0xDC00...0xDFFF).contains(second) {
            scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
            at += 6
          }
        }
        out += Array(String(scalar ?? "\u{FFFD}").utf8)
        continue
      default: return nil
      }
      at += 2
    }
    return arena.copy(out)
  }

  private static func hex4(_ text: UnsafeRawBufferPointer, _ at: Int) -> UInt32? {
    guard at + 6 <= text.count, text[at] == UInt8(ascii: "\\"), text[at + 1] == UInt8(ascii: "u") else { return nil }
    var value: UInt32 = 0
    for index in at + 2..<at + 6 {
      guard let digit = IPAddress.hexDigit(text[index]) else { return nil }
      value = value << 4 | UInt32(digit)
    }
    return value
  }
}
