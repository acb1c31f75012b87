import LakeModel

/// Functions of Go's package strings and of sprig, on bytes or runes as theirs.
enum GoStrings {
  typealias Failure = LogQL.Template.Failure

  /// What is no UTF-8 becomes U+FFFD byte by byte, as Go's JSON shows it; Swift's own repair makes one of several bytes.
  private static func text(_ bytes: some Sequence<UInt8>) -> String {
    let bytes = Array(bytes)
    if let text = String(validating: bytes, as: UTF8.self) { return text }
    var out = ""
    var rest = bytes[...]
    while let first = rest.first {
      let length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
      if let whole = String(validating: rest.prefix(length), as: UTF8.self) {
        out += whole
        rest = rest.dropFirst(length)
      } else {
        out += "\u{FFFD}"
        rest = rest.dropFirst()
      }
    }
    return out
  }

  private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
    var out = String.UnicodeScalarView()
    out.append(contentsOf: scalars)
    return String(out)
  }

  static func trimLeft(_ text: String, _ cut: String) -> String {
    let set = Set(cut.unicodeScalars)
    return self.text(text.unicodeScalars.drop { set.contains($0) })
  }

  static func trimRight(_ text: String, _ cut: String) -> String {
    let set = Set(cut.unicodeScalars)
    var scalars = text.unicodeScalars[...]
    while let last = scalars.last, set.contains(last) { scalars.removeLast() }
    return self.text(scalars)
  }

  static func trim(_ text: String, _ cut: String) -> String { trimRight(trimLeft(text, cut), cut) }

  static func trimSpace(_ text: String) -> String {
    var scalars = text.unicodeScalars.drop(while: GoText.isSpace)
    while let last = scalars.last, GoText.isSpace(last) { scalars.removeLast() }
    return self.text(scalars)
  }

  static func dropPrefix(_ prefix: String, of text: String) -> String {
    let bytes = Array(text.utf8)
    return bytes.starts(with: prefix.utf8) ? self.text(bytes.dropFirst(prefix.utf8.count)) : text
  }

  static func dropSuffix(_ suffix: String, of text: String) -> String {
    let bytes = Array(text.utf8)
    let isThere = bytes.reversed().starts(with: suffix.utf8.reversed())
    return isThere ? self.text(bytes.dropLast(suffix.utf8.count)) : text
  }

  static func contains(_ text: String, _ part: String) -> Bool {
    positions(of: Array(part.utf8), in: Array(text.utf8), limit: 1).count == 1
  }

  /// Where the part begins, without overlaps.
  private static func positions(of part: [UInt8], in text: [UInt8], limit: Int) -> [Int] {
    if part.isEmpty { return [0] }
    var found: [Int] = []
    var at = 0
    while at + part.count <= text.count, found.count < limit {
      if text[at] == part[0], text[at..<at + part.count].elementsEqual(part) {
        found.append(at)
        at += part.count
      } else {
        at += 1
      }
    }
    return found
  }

  /// - Parameter limit: how many are replaced; all when negative.
  static func replace(_ text: String, _ old: String, _ new: String, limit: Int) throws(Failure) -> String {
    let limit = limit < 0 ? Int.max : limit
    if limit == 0 || old == new { return text }
    if old.isEmpty { return try interspersed(text, new, limit) }
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var at = 0
    for position in positions(of: Array(old.utf8), in: bytes, limit: limit) {
      out += bytes[at..<position]
      out += new.utf8
      at = position + old.utf8.count
      try TemplateFunction.bounded(out.count)
    }
    return self.text(out + bytes[at...])
  }

  /// An empty text stands before every character and at the end.
  private static func interspersed(_ text: String, _ new: String, _ limit: Int) throws(Failure) -> String {
    try TemplateFunction.bounded(new.utf8.count.multipliedReportingOverflow(by: text.utf8.count + 1).partialValue)
    var out = ""
    var count = 0
    for scalar in text.unicodeScalars {
      if count < limit { out += new }
      count += 1
      out.unicodeScalars.append(scalar)
    }
    return count < limit ? out + new : out
  }

  static func repeated(_ text: String, _ count: Int) throws(Failure) -> String {
    if count < 0 { throw Failure("strings: negative Repeat count") }
    let (size, overflow) = text.utf8.count.multipliedReportingOverflow(by: count)
    try TemplateFunction.bounded(overflow ? Int.max : size)
    return String(repeating: text, count: count)
  }

  static func indented(_ text: String, _ count: Int) throws(Failure) -> String {
    let pad = try repeated(" ", count)
    return pad + (try replace(text, "\n", "\n" + pad, limit: -1))
  }

  static func truncated(_ text: String, _ count: Int) -> String {
    let bytes = Array(text.utf8)
    if count < 0 { return bytes.count + count > 0 ? self.text(bytes[(bytes.count + count)...]) : text }
    return bytes.count > count ? self.text(bytes[..<count]) : text
  }

  static func substring(_ text: String, _ start: Int, _ end: Int) throws(Failure) -> String {
    let bytes = Array(text.utf8)
    let (from, to): (Int, Int)
    if start < 0 {
      (from, to) = (0, end)
    } else {
      (from, to) = (start, end < 0 || end > bytes.count ? bytes.count : end)
    }
    let problem = "runtime error: slice bounds out of range"
    if to < 0 { throw Failure("\(problem) [:\(to)]") }
    if to > bytes.count { throw Failure("\(problem) [:\(to)] with length \(bytes.count)") }
    if from > to { throw Failure("\(problem) [\(from):\(to)]") }
    return self.text(bytes[from..<to])
  }

  /// Exactly `count` characters, padded on the other side or cut.
  static func aligned(_ text: String, _ count: Int, isLeft: Bool) throws(Failure) -> String {
    let scalars = Array(text.unicodeScalars)
    if count < 0 || count == scalars.count { return text }
    if count > scalars.count {
      let pad = try repeated(" ", count - scalars.count)
      return isLeft ? text + pad : pad + text
    }
    return self.text(isLeft ? scalars.prefix(count) : scalars.suffix(count))
  }

  /// The first letter of each word in upper case.
  static func title(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    var isInside = false
    for scalar in text.unicodeScalars {
      if isInside {
        out.append(scalar)
      } else {
        out.append(contentsOf: scalar.properties.titlecaseMapping.unicodeScalars)
      }
      isInside =
        GoText.isNamePart(scalar) || scalar == "'"
        || !(scalar.isASCII || GoText.isSpace(scalar))
    }
    return String(out)
  }

  static func queryEscaped(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
        out.unicodeScalars.append(Unicode.Scalar(byte))
      case 32: out += "+"
      default: out += "%" + Hex.text([byte]).uppercased()
      }
    }
    return out
  }

  static func queryUnescaped(_ text: String) throws(Failure) -> String {
    var out: [UInt8] = []
    var rest = Array(text.utf8)[...]
    while let byte = rest.popFirst() {
      switch byte {
      case UInt8(ascii: "+"): out.append(32)
      case UInt8(ascii: "%"):
        let digits = rest.prefix(2)
        guard digits.count == 2, let decoded = Hex.bytes(digits) else {
          throw Failure("invalid URL escape \(GoString.quote("%" + self.text(digits)))")
        }
        out += decoded
        rest = rest.dropFirst(2)
      default: out.append(byte)
      }
    }
    return self.text(out)
  }
}

/// Base64 of RFC 4648 with padding, as Go's standard encoding reads it (line breaks are skipped).
enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  static func encode(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      var word: UInt32 = 0
      for index in 0..<3 { word = word << 8 | (index < group.count ? UInt32(group[start + index]) : 0) }
      for index in 0..<4 {
        out.append(index <= group.count ? alphabet[Int(word >> UInt32(18 - 6 * index)) & 63] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  struct Malformed: Error {
    let message: String
  }

  static func decode(_ text: String) -> Result<[UInt8], Malformed> {
    var out: [UInt8] = []
    var word: UInt32 = 0
    var count = 0
    var padding = 0
    // Where the group of four began that is being read.
    var groupStart = 0
    for (index, byte) in text.utf8.enumerated() {
      if byte == 10 || byte == 13 { continue }
      let malformed = Malformed(message: "illegal base64 data at input byte \(index)")
      if byte == UInt8(ascii: "=") {
        padding += 1
        if count < 2 || count + padding > 4 { return .failure(malformed) }
        continue
      }
      guard padding == 0, let value = alphabet.firstIndex(of: byte) else { return .failure(malformed) }
      word = word << 6 | UInt32(value)
      count += 1
      if count == 4 {
        out += [UInt8(word >> 16 & 255), UInt8(word >> 8 & 255), UInt8(word & 255)]
        (word, count) = (0, 0)
        groupStart = index + 1
      }
    }
    if count == 0 { return .success(out) }
    guard count + padding == 4 else {
      return .failure(Malformed(message: "illegal base64 data at input byte \(groupStart)"))
    }
    word <<= UInt32(6 * padding)
    out.append(UInt8(word >> 16 & 255))
    if padding == 1 { out.append(UInt8(word >> 8 & 255)) }
    return .success(out)
  }
}
