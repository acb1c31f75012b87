package import LakeModel

/// Writes JSON text straight into bytes. The caller gives the order of members; commas are the writer's.
///
///     var json = JSONWriter()
///     json.object { json in
///       json.member("status", "success")
///       json.key("data"); json.array { json in json.value(1); json.value(2) }
///     }
package struct JSONWriter: ~Copyable {
  package var out: BufferBuilder<UInt8>
  private var needsComma = false

  package init(capacity: Int = 1024) { out = BufferBuilder(capacity: capacity) }

  package consuming func finish() -> Bytes {
    let buffer = out.finish()
    return Bytes(storage: buffer.storage, offset: buffer.offset, count: buffer.count)
  }

  package mutating func object<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    open(UInt8(ascii: "{"))
    try body(&self)
    close(UInt8(ascii: "}"))
  }

  package mutating func array<E: Error>(_ body: (inout JSONWriter) throws(E) -> Void) throws(E) {
    open(UInt8(ascii: "["))
    try body(&self)
    close(UInt8(ascii: "]"))
  }

  package mutating func open(_ bracket: UInt8) {
    separate()
    out.append(bracket)
    needsComma = false
  }

  package mutating func close(_ bracket: UInt8) {
    out.append(bracket)
    needsComma = true
  }

  package mutating func key(_ name: String) {
    separate()
    quote(name)
    out.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func key(_ name: UnsafeBufferPointer<UInt8>) {
    separate()
    quote(name)
    out.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func value(_ text: String) {
    separate()
    quote(text)
    needsComma = true
  }

  /// Text as UTF-8; each invalid byte is written as U+FFFD.
  package mutating func value(_ text: UnsafeBufferPointer<UInt8>) {
    separate()
    quote(text)
    needsComma = true
  }

  package mutating func value(_ number: Int) { raw(String(number)) }
  package mutating func value(_ number: Int64) { raw(String(number)) }
  package mutating func value(_ number: UInt64) { raw(String(number)) }
  /// A number as text: `"1700000000000000000"`.
  package mutating func quoted(_ number: UInt64) {
    separate()
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 22) { digits in
      var start = 21
      digits[start] = UInt8(ascii: "\"")
      var rest = number
      repeat {
        start -= 1
        digits[start] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      } while rest > 0
      start -= 1
      digits[start] = UInt8(ascii: "\"")
      out.append(contentsOf: digits.baseAddress! + start, count: 22 - start)
    }
    needsComma = true
  }
  package mutating func value(_ flag: Bool) { raw(flag ? "true" : "false") }
  /// A finite number. - Precondition: JSON has no others.
  package mutating func value(_ number: Double) {
    precondition(number.isFinite)
    raw("\(number)")
  }
  package mutating func null() { raw("null") }

  package mutating func member(_ name: String, _ text: String) {
    key(name)
    value(text)
  }
  package mutating func member(_ name: String, _ number: Int) {
    key(name)
    value(number)
  }
  package mutating func member(_ name: String, _ number: Int64) {
    key(name)
    value(number)
  }
  package mutating func member(_ name: String, _ number: Double) {
    key(name)
    value(number)
  }
  package mutating func member(_ name: String, _ flag: Bool) {
    key(name)
    value(flag)
  }

  /// Text that is JSON already.
  package mutating func raw(_ text: String) {
    separate()
    appendText(text)
    needsComma = true
  }

  package mutating func raw(_ bytes: UnsafeBufferPointer<UInt8>) {
    separate()
    if let base = bytes.baseAddress { out.append(contentsOf: base, count: bytes.count) }
    needsComma = true
  }

  private mutating func separate() {
    if needsComma { out.append(UInt8(ascii: ",")) }
  }

  private mutating func appendText(_ text: String) {
    var text = text
    text.withUTF8 { if let base = $0.baseAddress { out.append(contentsOf: base, count: $0.count) } }
  }

  private mutating func quote(_ text: String) {
    var text = text
    text.withUTF8 { quoteValid($0) }
  }

  private mutating func quote(_ bytes: UnsafeBufferPointer<UInt8>) {
    if UTF8Check.isValid(bytes) { quoteValid(bytes) } else { quote(String(repairing: bytes)) }
  }

  private mutating func quoteValid(_ bytes: UnsafeBufferPointer<UInt8>) {
    out.append(UInt8(ascii: "\""))
    if let base = bytes.baseAddress {
      var start = 0
      while true {
        let end = JSONWriter.plainEnd(base, from: start, count: bytes.count)
        if end > start { out.append(contentsOf: base + start, count: end - start) }
        if end == bytes.count { break }
        escape(base[end])
        start = end &+ 1
      }
    }
    out.append(UInt8(ascii: "\""))
  }

  /// The first place from `start` on that must be escaped; `count` when there is none. Looks at eight bytes at a time: of each test the
  /// lowest lane that it marks is right, lanes above may be marked by the borrow.
  private static func plainEnd(_ base: UnsafePointer<UInt8>, from start: Int, count: Int) -> Int {
    let ones: UInt64 = 0x0101_0101_0101_0101
    let tops: UInt64 = 0x8080_8080_8080_8080
    let raw = UnsafeRawPointer(base)
    var index = start
    while index &+ 8 <= count {
      let word = UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: index, as: UInt64.self))
      let quote = word ^ (ones &* 0x22)
      let backslash = word ^ (ones &* 0x5C)
      let marks =
        ((word &- ones &* 0x20) & ~word) | ((quote &- ones) & ~quote) | ((backslash &- ones) & ~backslash)
      if marks & tops != 0 { return index &+ (marks & tops).trailingZeroBitCount / 8 }
      index &+= 8
    }
    while index < count {
      let byte = base[index]
      if byte < 0x20 || byte == 0x22 || byte == 0x5C { break }
      index &+= 1
    }
    return index
  }

  private mutating func escape(_ byte: UInt8) {
    out.append(UInt8(ascii: "\\"))
    switch byte {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(byte)
    case 10: out.append(UInt8(ascii: "n"))
    case 13: out.append(UInt8(ascii: "r"))
    case 9: out.append(UInt8(ascii: "t"))
    default:
      appendText("u00")
      out.append(Hex.digits[Int(byte >> 4)])
      out.append(Hex.digits[Int(byte & 15)])
    }
  }
}

/// Whether bytes are well-formed UTF-8.
package enum UTF8Check {
  package static func isValid(_ bytes: UnsafeBufferPointer<UInt8>) -> Bool {
    var index = 0
    let count = bytes.count
    guard let base = bytes.baseAddress else { return true }
    let raw = UnsafeRawPointer(base)
    while index < count {
      while index &+ 8 <= count,
        raw.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
      { index &+= 8 }
      guard index < count else { return true }
      let lead = base[index]
      if lead < 0x80 {
        index &+= 1
        continue
      }
      guard let length = sequenceLength(base + index, count - index) else { return false }
      index &+= length
    }
    return true
  }

  /// Length of the character there; nil when there is none.
  static func characterLength(_ bytes: UnsafeBufferPointer<UInt8>, at index: Int) -> Int? {
    guard let base = bytes.baseAddress else { return nil }
    return base[index] < 0x80 ? 1 : sequenceLength(base + index, bytes.count - index)
  }

  /// Length of one well-formed sequence with a lead byte of 0x80 or more; nil when it is not well formed.
  private static func sequenceLength(_ at: UnsafePointer<UInt8>, _ left: Int) -> Int? {
    func tail(_ offset: Int) -> Bool { at[offset] & 0xC0 == 0x80 }
    switch at[0] {
    case 0xC2...0xDF:
      return left >= 2 && tail(1) ? 2 : nil
    case 0xE0...0xEF:
      guard left >= 3, tail(1), tail(2) else { return nil }
      if at[0] == 0xE0 && at[1] < 0xA0 { return nil }
      if at[0] == 0xED && at[1] > 0x9F { return nil }
      return 3
    case 0xF0...0xF4:
      guard left >= 4, tail(1), tail(2), tail(3) else { return nil }
      if at[0] == 0xF0 && at[1] < 0x90 { return nil }
      if at[0] == 0xF4 && at[1] > 0x8F { return nil }
      return 4
    default: return nil
    }
  }
}
