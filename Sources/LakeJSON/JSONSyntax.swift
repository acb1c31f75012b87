package import LakeModel

/// Finds where a text stops being JSON. Slow and exact: asked only after the fast parser has refused the text without saying where.
package enum JSONSyntax {
  package enum Finding: Hashable, Sendable {
    /// A whole value ends before this offset, white space included; what follows was not looked at.
    case value(end: Int)
    /// Offset in bytes, and what is wrong there.
    case fault(offset: Int, what: String)
  }

  /// Reads the first value of `bytes`. Strings are checked for escapes and control characters, not for UTF-8.
  package static func scan(_ bytes: Bytes, depthMax: Int) -> Finding {
    bytes.withUnsafeBytes { buffer in
      var scanner = JSONScanner(bytes: buffer.bindMemory(to: UInt8.self), depthMax: depthMax)
      return scanner.scan()
    }
  }

  /// The same text with `e0` behind each whole number that 64 bits cannot hold, so that the fast parser, which refuses them, takes them as
  /// doubles. - Precondition: `scan` found no fault in `bytes`.
  package static func wideningLongIntegers(_ bytes: Bytes) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: bytes.count + 64)
    bytes.withUnsafeBytes { text in
      var isInString = false
      var index = 0
      while index < text.count {
        let byte = text[index]
        if isInString || !(48...57).contains(byte) {
          if byte == UInt8(ascii: "\"") { isInString.toggle() }
          out.append(byte)
          if isInString, byte == UInt8(ascii: "\\"), index + 1 < text.count {
            index += 1
            out.append(text[index])
          }
          index += 1
          continue
        }
        // A number: what stands between here and its end holds digits, `.`, `e` and signs only.
        let limit = index > 0 && text[index - 1] == UInt8(ascii: "-") ? Int64.min.magnitude : .max
        var value: UInt64 = 0
        var fits = true
        var isWhole = true
        while index < text.count, JSONSyntax.isPartOfNumber(text[index]) {
          if (48...57).contains(text[index]) {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(UInt64(text[index] - 48))
            if overflow || carry || sum > limit { fits = false }
            value = sum
          } else {
            isWhole = false
          }
          out.append(text[index])
          index += 1
        }
        if isWhole, !fits {
          out.append(UInt8(ascii: "e"))
          out.append(UInt8(ascii: "0"))
        }
      }
    }
    let widened = out.finish()
    return Bytes(storage: widened.storage, offset: widened.offset, count: widened.count)
  }

  /// The same text with U+FFFD for what is no Unicode: bytes that are not UTF-8, escapes of half a surrogate pair. JavaScript writes such
  /// halves where a text was cut in the middle of a character.
  /// - Returns: nil when there is none. - Precondition: `scan` found no fault in `bytes`.
  package static func repairingText(_ bytes: Bytes) -> Bytes? {
    var text = bytes.withUnsafeBytes { String(repairing: $0.bindMemory(to: UInt8.self)) }
    var out = BufferBuilder<UInt8>(capacity: text.utf8.count)
    text.withUTF8 { characters in
      let text = UnsafeRawBufferPointer(characters)
      var index = 0
      while index < text.count {
        guard text[index] == UInt8(ascii: "\\") else {
          out.append(text[index])
          index += 1
          continue
        }
        let count = escapeCount(text, at: index)
        let isHalf = count == 6 && halfOfPair(text, at: index) != nil
        if isHalf {
          for byte in "\\ufffd".utf8 { out.append(byte) }
        } else {
          for byte in text[index..<index + count] { out.append(byte) }
        }
        index += count
      }
    }
    let repaired = out.finish()
    let result = Bytes(storage: repaired.storage, offset: repaired.offset, count: repaired.count)
    return result == bytes ? nil : result
  }

  /// Bytes of the escape at `index`; a whole surrogate pair is one.
  private static func escapeCount(_ text: UnsafeRawBufferPointer, at index: Int) -> Int {
    guard index + 5 < text.count, text[index + 1] == UInt8(ascii: "u") else { return min(2, text.count - index) }
    guard halfOfPair(text, at: index) == 0xD800, halfOfPair(text, at: index + 6) == 0xDC00 else { return 6 }
    return 12
  }

  /// 0xD800 for the escape of a pair's first half, 0xDC00 for that of its second, nil for anything else.
  private static func halfOfPair(_ text: UnsafeRawBufferPointer, at index: Int) -> UInt32? {
    guard index + 5 < text.count, text[index] == UInt8(ascii: "\\"), text[index + 1] == UInt8(ascii: "u") else {
      return nil
    }
    var unit: UInt32 = 0
    for digit in text[(index + 2)..<(index + 6)] {
      guard let value = Hex.value(of: digit) else { return nil }
      unit = unit << 4 | UInt32(value)
    }
    return unit & 0xF800 == 0xD800 ? unit & 0xFC00 : nil
  }

  private static func isPartOfNumber(_ byte: UInt8) -> Bool {
    switch byte {
    case 48...57, UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
    default: false
    }
  }
}

private struct JSONScanner {
  let bytes: UnsafeBufferPointer<UInt8>
  let depthMax: Int
  var at = 0
  /// Closing bracket of each open object or array.
  var closers: [UInt8] = []

  private enum Expected { case value, valueOrEnd, nameOrEnd, name, commaOrEnd }

  mutating func scan() -> JSONSyntax.Finding {
    var expected = Expected.value
    while true {
      skipSpace()
      guard at < bytes.count else { return .fault(offset: at, what: "the text ends inside a value") }
      let byte = bytes[at]
      switch expected {
      case .commaOrEnd:
        if byte == closers.last {
          closers.removeLast()
          at += 1
        } else if byte == UInt8(ascii: ",") {
          at += 1
          expected = closers.last == UInt8(ascii: "}") ? .name : .value
          continue
        } else {
          return .fault(offset: at, what: "expected , or the end of the \(isInObject ? "object" : "array")")
        }
      case .nameOrEnd where byte == UInt8(ascii: "}"), .valueOrEnd where byte == UInt8(ascii: "]"):
        closers.removeLast()
        at += 1
      case .name, .nameOrEnd:
        if let fault = name() { return fault }
        expected = .value
        continue
      case .value, .valueOrEnd:
        if byte == UInt8(ascii: "{") || byte == UInt8(ascii: "[") {
          guard closers.count < depthMax else { return .fault(offset: at, what: "nested too deeply") }
          closers.append(byte + 2)
          at += 1
          expected = byte == UInt8(ascii: "{") ? .nameOrEnd : .valueOrEnd
          continue
        }
        if let fault = scalar(byte) { return fault }
      }
      guard !closers.isEmpty else {
        skipSpace()
        return .value(end: at)
      }
      expected = .commaOrEnd
    }
  }

  private var isInObject: Bool { closers.last == UInt8(ascii: "}") }

  private mutating func skipSpace() {
    while at < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[at]) { at += 1 }
  }

  private mutating func name() -> JSONSyntax.Finding? {
    guard bytes[at] == UInt8(ascii: "\"") else { return .fault(offset: at, what: "expected a name in double quotes") }
    if let fault = string() { return fault }
    skipSpace()
    guard at < bytes.count, bytes[at] == UInt8(ascii: ":") else {
      return .fault(offset: at, what: "expected : after a name")
    }
    at += 1
    return nil
  }

  private mutating func scalar(_ byte: UInt8) -> JSONSyntax.Finding? {
    switch byte {
    case UInt8(ascii: "\""): string()
    case UInt8(ascii: "t"): word("true")
    case UInt8(ascii: "f"): word("false")
    case UInt8(ascii: "n"): word("null")
    case UInt8(ascii: "-"), 48...57: number()
    default: .fault(offset: at, what: "expected a value")
    }
  }

  private mutating func word(_ word: StaticString) -> JSONSyntax.Finding? {
    let count = word.utf8CodeUnitCount
    guard at + count <= bytes.count, (0..<count).allSatisfy({ bytes[at + $0] == word.utf8Start[$0] }) else {
      return .fault(offset: at, what: "expected a value")
    }
    at += count
    return nil
  }

  private mutating func number() -> JSONSyntax.Finding? {
    let start = at
    if bytes[at] == UInt8(ascii: "-") { at += 1 }
    let whole = at
    digits()
    if at == whole || (bytes[whole] == 48 && at > whole + 1) {
      return .fault(offset: start, what: "not a JSON number")
    }
    if at < bytes.count, bytes[at] == UInt8(ascii: ".") {
      at += 1
      let fraction = at
      digits()
      if at == fraction { return .fault(offset: start, what: "not a JSON number") }
    }
    if at < bytes.count, bytes[at] | 0x20 == UInt8(ascii: "e") {
      at += 1
      if at < bytes.count, bytes[at] == UInt8(ascii: "+") || bytes[at] == UInt8(ascii: "-") { at += 1 }
      let exponent = at
      digits()
      if at == exponent { return .fault(offset: start, what: "not a JSON number") }
    }
    return nil
  }

  private mutating func digits() {
    while at < bytes.count, (48...57).contains(bytes[at]) { at += 1 }
  }

  private mutating func string() -> JSONSyntax.Finding? {
    let start = at
    at += 1
    while at < bytes.count {
      switch bytes[at] {
      case UInt8(ascii: "\""):
        at += 1
        return nil
      case UInt8(ascii: "\\"):
        if let fault = escape() { return fault }
      case 0..<0x20: return .fault(offset: at, what: "control character in a string")
      default: at += 1
      }
    }
    return .fault(offset: start, what: "string without end")
  }

  private mutating func escape() -> JSONSyntax.Finding? {
    let start = at
    at += 1
    guard at < bytes.count else { return .fault(offset: start, what: "string without end") }
    switch bytes[at] {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
      UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      at += 1
      return nil
    case UInt8(ascii: "u"):
      guard at + 4 < bytes.count, (1...4).allSatisfy({ Hex.value(of: bytes[at + $0]) != nil }) else {
        return .fault(offset: start, what: "\\u without four hexadecimal digits")
      }
      at += 5
      return nil
    default: return .fault(offset: start, what: "unknown escape in a string")
    }
  }
}
