import LakeModel

/// Walks over JSON text the way Loki's parser does: forgiving about much, and with its words about the rest.
///
/// Nested values are skipped by counting brackets of one kind outside of strings; a number is whatever begins like one.
/// Source: the recorded answers of Loki 3.7.6, and github.com/grafana/jsonparser, whose behaviour it follows.
struct JSONScan {
  enum Kind { case string, number, boolean, null, object, array }

  struct Value {
    let kind: Kind
    /// Without the quotes of a string.
    let text: UnsafeRawBufferPointer
    /// Where the scan goes on.
    let end: Int
  }

  /// What is wrong, in Loki's words.
  struct Failure: Error {
    let message: String
    init(_ message: String) { self.message = message }

    static let json = Failure("Malformed JSON error")
    static let object = Failure("Value looks like object, but can't find closing '}' symbol")
    static let array = Failure("Value is array, but can't find closing ']' symbol")
    static let string = Failure("Value is string, but can't find closing '\"' symbol")
    static let escape = Failure("Encountered an invalid escape sequence in a string")
    static let unknown = Failure("Unknown value type")
  }

  let text: UnsafeRawBufferPointer

  init(_ text: UnsafeRawBufferPointer) { self.text = text }

  // MARK: - Tokens

  /// The first place from `start` on that holds no white space; -1 at the end.
  @inline(__always)
  func token(from start: Int) -> Int {
    var at = start
    while at < text.count {
      switch text[at] {
      case 32, 10, 13, 9: at &+= 1
      default: return at
      }
    }
    return -1
  }

  /// The place behind the quote that ends a string which begins before `start`; -1 when there is none.
  @inline(__always)
  func stringEnd(from start: Int) -> (end: Int, hasEscapes: Bool) {
    guard let base = text.baseAddress else { return (-1, false) }
    var at = start
    var hasEscapes = false
    let count = text.count
    while true {
      // Eight bytes at once while none of them is a quote or a backslash.
      while at &+ 8 <= count {
        let word = (base + at).loadUnaligned(as: UInt64.self)
        let quotes = word ^ 0x2222_2222_2222_2222
        let slashes = word ^ 0x5C5C_5C5C_5C5C_5C5C
        let low: UInt64 = 0x0101_0101_0101_0101
        let found = ((quotes &- low) & ~quotes | (slashes &- low) & ~slashes) & 0x8080_8080_8080_8080
        if found != 0 {
          at &+= found.trailingZeroBitCount >> 3
          break
        }
        at &+= 8
      }
      guard at < count else { return (-1, hasEscapes) }
      let byte = text[at]
      if byte == UInt8(ascii: "\"") { return (at &+ 1, hasEscapes) }
      if byte == UInt8(ascii: "\\") {
        hasEscapes = true
        at &+= 2
      } else {
        at &+= 1
      }
    }
  }

  /// The place behind the bracket that closes the one at `start`; -1 when there is none.
  func blockEnd(from start: Int, _ open: UInt8, _ close: UInt8) -> Int {
    var level = 0
    var at = start
    while at < text.count {
      let byte = text[at]
      if byte == UInt8(ascii: "\"") {
        let end = stringEnd(from: at &+ 1).end
        if end < 0 { return -1 }
        at = end
        continue
      }
      if byte == open {
        level &+= 1
      } else if byte == close {
        level &-= 1
        if level == 0 { return at &+ 1 }
      }
      at &+= 1
    }
    return -1
  }

  /// The value that begins at or behind `start`.
  func value(from start: Int) throws(Failure) -> Value {
    let at = token(from: start)
    if at < 0 { throw .json }
    switch text[at] {
    case UInt8(ascii: "\""):
      let end = stringEnd(from: at + 1).end
      if end < 0 { throw .string }
      return Value(kind: .string, text: text.part(at + 1..<end - 1), end: end)
    case UInt8(ascii: "["):
      let end = blockEnd(from: at, UInt8(ascii: "["), UInt8(ascii: "]"))
      if end < 0 { throw .array }
      return Value(kind: .array, text: text.part(at..<end), end: end)
    case UInt8(ascii: "{"):
      let end = blockEnd(from: at, UInt8(ascii: "{"), UInt8(ascii: "}"))
      if end < 0 { throw .object }
      return Value(kind: .object, text: text.part(at..<end), end: end)
    default: return try bareValue(at)
    }
  }

  private func bareValue(_ start: Int) throws(Failure) -> Value {
    var end = start
    scan: while end < text.count {
      switch text[end] {
      case 32, 10, 13, 9, UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"): break scan
      default: end &+= 1
      }
    }
    let word = text.part(start..<end)
    func isWord(_ expected: StaticString) -> Bool {
      word.equals(UnsafeRawBufferPointer(start: expected.utf8Start, count: expected.utf8CodeUnitCount))
    }
    switch text[start] {
    case UInt8(ascii: "t"), UInt8(ascii: "f"):
      guard isWord("true") || isWord("false") else { throw .unknown }
      return Value(kind: .boolean, text: word, end: end)
    case UInt8(ascii: "n"), UInt8(ascii: "u"):
      guard isWord("null") else { throw .unknown }
      return Value(kind: .null, text: word, end: end)
    case 48...57, UInt8(ascii: "-"): return Value(kind: .number, text: word, end: end)
    default: throw .unknown
    }
  }

  // MARK: - Objects and arrays

  /// Calls `body` for each member of the object that the text begins with; its answer says whether to go on.
  ///
  /// - Parameter body: gets the key as it stands, whether it holds escapes, and the value.
  func forEachMember(
    _ body: (_ key: UnsafeRawBufferPointer, _ isEscaped: Bool, Value) throws(Failure) -> Bool
  ) throws(Failure) {
    var at = token(from: 0)
    guard at >= 0, text[at] == UInt8(ascii: "{") else { throw .object }
    at = token(from: at + 1)
    if at < 0 { throw .json }
    if text[at] == UInt8(ascii: "}") { return }
    while at < text.count {
      if text[at] == UInt8(ascii: "}") { return }
      guard text[at] == UInt8(ascii: "\"") else { throw .object }
      let (keyEnd, isEscaped) = stringEnd(from: at + 1)
      if keyEnd < 0 { throw .json }
      let key = text.part(at + 1..<keyEnd - 1)
      if isEscaped && !JSONText.isUnescapable(key) { throw .escape }
      at = token(from: keyEnd)
      guard at >= 0, text[at] == UInt8(ascii: ":") else { throw .json }
      let value = try value(from: at + 1)
      if try !body(key, isEscaped, value) { return }
      at = token(from: value.end)
      if at < 0 { throw .array }
      if text[at] == UInt8(ascii: "}") { return }
      guard text[at] == UInt8(ascii: ",") else { throw .object }
      at = token(from: at + 1)
      if at < 0 { throw .array }
    }
    throw .object
  }

  /// Where the value of the member of this name begins and what is wrong with it, when the members before it are whole and it is not.
  func brokenMember(_ name: [UInt8], _ arena: inout RowArena) -> (start: Int, failure: Failure)? {
    var at = token(from: 0)
    guard at >= 0, text[at] == UInt8(ascii: "{") else { return nil }
    at = token(from: at + 1)
    while at >= 0, text[at] == UInt8(ascii: "\"") {
      let (keyEnd, isEscaped) = stringEnd(from: at + 1)
      if keyEnd < 0 { return nil }
      let raw = text.part(at + 1..<keyEnd - 1)
      guard let key = isEscaped ? JSONText.unescaped(raw, &arena) : raw else { return nil }
      at = token(from: keyEnd)
      guard at >= 0, text[at] == UInt8(ascii: ":") else { return nil }
      do throws(Failure) {
        let value = try value(from: at + 1)
        at = token(from: value.end)
        guard at >= 0, text[at] == UInt8(ascii: ",") else { return nil }
        at = token(from: at + 1)
      } catch {
        let start = token(from: at + 1)
        return key.elementsEqual(name) ? (start < 0 ? text.count : start, error) : nil
      }
    }
    return nil
  }

  /// The element with this index of the array that the text is; nil when there is none or the array is broken before it.
  func element(_ index: Int) -> Value? {
    var at = token(from: 0)
    guard at >= 0, text[at] == UInt8(ascii: "[") else { return nil }
    at = token(from: at + 1)
    guard at >= 0, text[at] != UInt8(ascii: "]") else { return nil }
    var number = 0
    while let value = try? value(from: at) {
      if number == index { return value }
      number += 1
      at = token(from: value.end)
      guard at >= 0, text[at] == UInt8(ascii: ",") else { return nil }
      at += 1
    }
    return nil
  }
}

/// Escapes in JSON strings.
enum JSONText {
  /// The text without escapes; nil when one is malformed.
  static func unescaped(_ text: UnsafeRawBufferPointer, _ arena: inout RowArena) -> UnsafeRawBufferPointer? {
    guard text.contains(UInt8(ascii: "\\")) else { return text }
    let out = arena.allocate(text.count)
    guard let count = write(text, to: out) else { return nil }
    return UnsafeRawBufferPointer(start: out, count: count)
  }

  static func isUnescapable(_ text: UnsafeRawBufferPointer) -> Bool {
    withUnsafeTemporaryAllocation(byteCount: max(1, text.count), alignment: 1) {
      write(text, to: $0.baseAddress!) != nil
    }
  }

  /// A string value as a label has it: a malformed escape makes it empty, what is no UTF-8 (or U+FFFD) becomes a space.
  static func label(_ text: UnsafeRawBufferPointer, _ arena: inout RowArena) -> UnsafeRawBufferPointer {
    guard let plain = unescaped(text, &arena) else { return .none }
    return UTF8Repair.spaced(plain, &arena)
  }

  /// Writes at most as many bytes as `text` has. - Returns: how many; nil for a malformed escape.
  private static func write(_ text: UnsafeRawBufferPointer, to out: UnsafeMutableRawPointer) -> Int? {
    var at = 0
    var count = 0
    func put(_ byte: UInt8) {
      out.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
      count += 1
    }
    while at < text.count {
      let byte = text[at]
      guard byte == UInt8(ascii: "\\") else {
        put(byte)
        at += 1
        continue
      }
      guard at + 1 < text.count else { return nil }
      switch text[at + 1] {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): put(text[at + 1])
      case UInt8(ascii: "b"): put(8)
      case UInt8(ascii: "f"): put(12)
      case UInt8(ascii: "n"): put(10)
      case UInt8(ascii: "r"): put(13)
      case UInt8(ascii: "t"): put(9)
      case UInt8(ascii: "u"):
        guard let (scalar, length) = unicodeEscape(text, at) else { return nil }
        for byte in String(scalar).utf8 { put(byte) }
        at += length
        continue
      default: return nil
      }
      at += 2
    }
    return count
  }

  /// `\uXXXX`, or two of them for a scalar beyond the basic plane. A low surrogate may be out of range; what comes out then
  /// is U+FFFD.
  private static func unicodeEscape(_ text: UnsafeRawBufferPointer, _ at: Int) -> (Unicode.Scalar, Int)? {
    func unit(_ at: Int) -> UInt32? {
      guard at + 6 <= text.count else { return nil }
      var value: UInt32 = 0
      for index in at + 2..<at + 6 {
        guard let digit = IPAddress.hexDigit(text[index]) else { return nil }
        value = value << 4 | UInt32(digit)
      }
      return value
    }
    guard let first = unit(at) else { return nil }
    if !(0xD800...0xDFFF).contains(first) { return (Unicode.Scalar(first)!, 6) }
    guard let second = unit(at + 6), second >= 0xDC00 else { return nil }
    let combined = Int64(0x10000) + (Int64(first) - 0xD800) << 10 + (Int64(second) - 0xDC00)
    return (Unicode.Scalar(UInt32(clamping: combined)) ?? "\u{FFFD}", 12)
  }
}

/// Text that may not be UTF-8.
enum UTF8Repair {
  /// The text with a space for each byte that is no UTF-8 and for each U+FFFD.
  static func spaced(_ text: UnsafeRawBufferPointer, _ arena: inout RowArena) -> UnsafeRawBufferPointer {
    if isClean(text) { return text }
    var out: [UInt8] = []
    var rest = text[...]
    while let first = rest.first {
      let length = sequenceLength(first)
      let bytes = rest.prefix(length)
      if length == 1 && first < 0x80 {
        out.append(first)
        rest = rest.dropFirst()
      } else if bytes.count == length, isValid(bytes) {
        if Array(bytes) == [0xEF, 0xBF, 0xBD] { out.append(32) } else { out += bytes }
        rest = rest.dropFirst(length)
      } else {
        out.append(32)
        rest = rest.dropFirst()
      }
    }
    return arena.copy(out)
  }

  /// Whether the text holds the replacement character, or bytes that stand for it.
  static func isClean(_ text: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at < text.count {
      if text[at] < 0x80 {
        at += 1
        continue
      }
      let length = sequenceLength(text[at])
      guard length > 1, at + length <= text.count else { return false }
      let bytes = text[at..<at + length]
      guard isValid(bytes), !(text[at] == 0xEF && text[at + 1] == 0xBF && text[at + 2] == 0xBD) else { return false }
      at += length
    }
    return true
  }

  /// Bytes of the character at a place; 1 for what is no UTF-8.
  static func length(_ at: Int, in text: UnsafeRawBufferPointer) -> Int {
    let length = sequenceLength(text[at])
    return length > 1 && at + length <= text.count && isValid(text[at..<at + length]) ? length : 1
  }

  private static func sequenceLength(_ first: UInt8) -> Int {
    switch first {
    case 0xC2...0xDF: 2
    case 0xE0...0xEF: 3
    case 0xF0...0xF4: 4
    default: 1
    }
  }

  private static func isValid(_ bytes: Slice<UnsafeRawBufferPointer>) -> Bool {
    let all = Array(bytes)
    guard all.count > 1, all.dropFirst().allSatisfy({ $0 & 0xC0 == 0x80 }) else { return false }
    switch all[0] {
    case 0xE0: return all[1] >= 0xA0
    case 0xED: return all[1] <= 0x9F
    case 0xF0: return all[1] >= 0x90
    case 0xF4: return all[1] <= 0x8F
    default: return true
    }
  }
}
