/// `Name: value`, checked: a token, a colon right behind it, and a value without control characters.
struct FieldLine {
  let name: UnsafeRawBufferPointer
  /// Without the white space around it.
  let value: UnsafeRawBufferPointer

  init(_ line: UnsafeRawBufferPointer) throws(RequestFailure) {
    var index = 0
    while index < line.count, ByteClass.token.contains(line[index]) { index += 1 }
    // A leading space (a folded line) and a space before the colon end here too.
    guard index > 0, index < line.count, line[index] == UInt8(ascii: ":") else { throw .fieldMalformed }
    name = UnsafeRawBufferPointer(rebasing: line[..<index])
    var start = index + 1
    var end = line.count
    while start < end, FieldLine.isBlank(line[start]) { start += 1 }
    while start < end, FieldLine.isBlank(line[end - 1]) { end -= 1 }
    value = UnsafeRawBufferPointer(rebasing: line[start..<end])
    for byte in value where !ByteClass.fieldValue.contains(byte) { throw .fieldMalformed }
  }

  /// - Parameter text: lower case.
  func isNamed(_ text: StaticString) -> Bool { FieldLine.equals(name, text) }

  /// Compares without case.
  static func equals(_ bytes: UnsafeRawBufferPointer, _ text: StaticString) -> Bool {
    guard bytes.count == text.utf8CodeUnitCount else { return false }
    for index in 0..<bytes.count {
      let byte = bytes[index]
      let lower = byte &- 65 < 26 ? byte | 0x20 : byte
      if lower != text.utf8Start[index] { return false }
    }
    return true
  }

  /// The items of a comma-separated list, without white space; empty ones are passed over (RFC 9110, section 5.6.1).
  static func eachItem(_ value: UnsafeRawBufferPointer, _ body: (UnsafeRawBufferPointer) -> Void) {
    var start = 0
    while start <= value.count {
      var end = start
      while end < value.count, value[end] != UInt8(ascii: ",") { end += 1 }
      let next = end + 1
      while start < end, isBlank(value[start]) { start += 1 }
      while start < end, isBlank(value[end - 1]) { end -= 1 }
      if start < end { body(UnsafeRawBufferPointer(rebasing: value[start..<end])) }
      start = next
    }
  }

  static func isBlank(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
}
