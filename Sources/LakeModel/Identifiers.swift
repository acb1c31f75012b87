/// Who a row belongs to: 1 to 150 bytes of ASCII letters, digits, `-` and `_`.
package struct TenantID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  /// The tenant of requests that name none.
  package static let `default` = TenantID(trusted: "default")

  /// - Returns: nil when `text` is empty, longer than 150 bytes, or holds another character.
  package init?(_ text: String) {
    guard IdentifierAlphabet.allows(text) else { return nil }
    self.text = text
  }

  private init(trusted text: String) { self.text = text }

  package static func < (a: TenantID, b: TenantID) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
  package var description: String { text }
}

/// A part of a tenant, same alphabet as `TenantID`.
package struct AccountID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  package init?(_ text: String) {
    guard IdentifierAlphabet.allows(text) else { return nil }
    self.text = text
  }

  package static func < (a: AccountID, b: AccountID) -> Bool { a.text.utf8.lexicographicallyPrecedes(b.text.utf8) }
  package var description: String { text }
}

enum IdentifierAlphabet {
  static let bytesMax = 150

  static func allows(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= bytesMax else { return false }
    return text.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
  }
}

/// A stream of segments: one per signal that clients send.
package enum Topic: String, Hashable, Comparable, CaseIterable, Sendable {
  case logs, spans, metrics, operations

  package static func < (a: Topic, b: Topic) -> Bool { a.rawValue < b.rawValue }
}

/// A random 128-bit name of a lane: an unbroken run of segments with one writer life (WAL-1). Never used again.
package struct LaneID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// 32 lower-case hex digits; anything else is nil.
  package init?(_ text: some StringProtocol) {
    let parsed = text.utf8.withContiguousStorageIfAvailable { LaneID(digits: UnsafeRawBufferPointer($0)) }
    guard let id = parsed ?? Array(text.utf8).withUnsafeBytes({ LaneID(digits: $0) }) else { return nil }
    self = id
  }

  /// As above, out of bytes: listings parse one for each object.
  package init?(digits: UnsafeRawBufferPointer) {
    guard digits.count == 32 else { return nil }
    var words: (UInt64, UInt64) = (0, 0)
    for (index, digit) in digits.enumerated() {
      guard !(65...70).contains(digit), let value = Hex.value(of: digit) else { return nil }
      if index < 16 { words.0 = words.0 << 4 | UInt64(value) } else { words.1 = words.1 << 4 | UInt64(value) }
    }
    (high, low) = words
  }

  package static func < (a: LaneID, b: LaneID) -> Bool { (a.high, a.low) < (b.high, b.low) }
  package var description: String { Hex.text(high) + Hex.text(low) }
}

/// Hexadecimal digits, lower case on the way out.
@usableFromInline package enum Hex {
  package static let digits: [UInt8] = Array("0123456789abcdef".utf8)

  package static func text(_ value: UInt64) -> String {
    String(unsafeUninitializedCapacity: 16) { buffer in
      for index in 0..<16 { buffer[index] = digits[Int(truncatingIfNeeded: value >> UInt64(60 - index * 4)) & 15] }
      return 16
    }
  }

  package static func text(_ bytes: some Sequence<UInt8>) -> String {
    var out: [UInt8] = []
    for byte in bytes {
      out.append(digits[Int(byte >> 4)])
      out.append(digits[Int(byte & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The value of one digit, either case; nil for any other byte.
  @inlinable
  package static func value(of digit: UInt8) -> UInt8? {
    switch digit {
    case 48...57: digit - 48
    case 97...102: digit - 87
    case 65...70: digit - 55
    default: nil
    }
  }

  /// - Returns: nil when the length is odd or a byte is not a digit.
  package static func bytes(_ text: some Sequence<UInt8>) -> [UInt8]? {
    var out: [UInt8] = []
    var pending: UInt8?
    for digit in text {
      guard let value = value(of: digit) else { return nil }
      if let high = pending {
        out.append(high << 4 | value)
        pending = nil
      } else {
        pending = value
      }
    }
    return pending == nil ? out : nil
  }
}
