/// Sets of bytes from RFC 9110 and 9112, as bit masks: a test is a shift and an and.
struct ByteClass: Sendable {
  private let low: UInt64
  private let high: UInt64
  /// Whether bytes from 0x80 on belong to it.
  private let isOpen: Bool

  init(_ members: some Sequence<UInt8>, beyondASCII: Bool = false) {
    var masks: (UInt64, UInt64) = (0, 0)
    for byte in members {
      if byte < 64 { masks.0 |= 1 << UInt64(byte) } else if byte < 128 { masks.1 |= 1 << UInt64(byte - 64) }
    }
    (low, high, isOpen) = (masks.0, masks.1, beyondASCII)
  }

  @inline(__always)
  func contains(_ byte: UInt8) -> Bool {
    if byte < 64 { return low >> UInt64(byte) & 1 == 1 }
    if byte < 128 { return high >> UInt64(byte &- 64) & 1 == 1 }
    return isOpen
  }

  private static let alphanumeric = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".utf8)

  /// `tchar` of RFC 9110, section 5.6.2.
  static let token = ByteClass(alphanumeric + Array("!#$%&'*+-.^_`|~".utf8))
  /// What a field value may hold: visible characters, space, tab, and bytes beyond ASCII.
  static let fieldValue = ByteClass([9] + Array(UInt8(0x20)...0x7E), beyondASCII: true)
  /// What a request target may hold: anything visible but `#`. Wider than RFC 3986, because clients send `{`, `"` and `|` as they are.
  static let target = ByteClass((UInt8(0x21)...0x7E).filter { $0 != UInt8(ascii: "#") }, beyondASCII: true)
  /// What Host and the authority of a target may hold; user information is not among it.
  static let host = ByteClass(alphanumeric + Array("-._~!$&'()*+,;=:[]%".utf8))
}
