/// An IPv4 or IPv6 address. Addresses of different families are never equal and lie in no common range, also where the
/// IPv6 address stands for an IPv4 one.
struct IPAddress: Hashable, Comparable, Sendable {
  let isV6: Bool
  let bits: UInt128

  static func < (a: IPAddress, b: IPAddress) -> Bool { a.isV6 == b.isV6 ? a.bits < b.bits : !a.isV6 }

  /// Dotted decimal without leading zeros, or RFC 4291 text without a zone.
  init?(_ text: UnsafeRawBufferPointer) {
    guard !text.isEmpty, text.count <= 45 else { return nil }
    if text.contains(UInt8(ascii: ":")) {
      guard let bits = IPAddress.parseV6(text) else { return nil }
      self.init(isV6: true, bits: bits)
    } else {
      guard let bits = IPAddress.parseV4(text) else { return nil }
      self.init(isV6: false, bits: UInt128(bits))
    }
  }

  init?(_ text: some StringProtocol) {
    let parsed = Array(text.utf8).withUnsafeBytes { IPAddress($0) }
    guard let parsed else { return nil }
    self = parsed
  }

  private init(isV6: Bool, bits: UInt128) {
    self.isV6 = isV6
    self.bits = bits
  }

  var bitCount: Int { isV6 ? 128 : 32 }

  private static func parseV4(_ text: UnsafeRawBufferPointer) -> UInt32? {
    var address: UInt32 = 0
    var parts = 0
    var value: UInt32 = 0
    var digits = 0
    func isPart() -> Bool { digits > 0 && value <= 255 }
    for byte in text {
      if byte == UInt8(ascii: ".") {
        guard isPart(), parts < 3 else { return nil }
        address = address << 8 | value
        parts += 1
        value = 0
        digits = 0
      } else {
        guard ASCII.isDigit(byte), digits < 3, !(digits > 0 && value == 0) else { return nil }
        value = value * 10 + UInt32(byte - 48)
        digits += 1
      }
    }
    guard parts == 3, isPart() else { return nil }
    return address << 8 | value
  }

  private static func parseV6(_ text: UnsafeRawBufferPointer) -> UInt128? {
    var groups: [UInt16] = []
    var gap: Int?  // index in `groups` where "::" stands
    var at = 0
    if text.count >= 2 && text[0] == UInt8(ascii: ":") {
      guard text[1] == UInt8(ascii: ":") else { return nil }
      gap = 0
      at = 2
    }
    while at < text.count {
      guard groups.count < 8 else { return nil }
      var value: UInt32 = 0
      let start = at
      while at < text.count, at - start < 5, let digit = hexDigit(text[at]) {
        value = value << 4 | UInt32(digit)
        at += 1
      }
      guard at > start, at - start <= 4 else { return nil }
      if at < text.count && text[at] == UInt8(ascii: ".") {
        // The last 32 bits in dotted decimal.
        guard groups.count <= 6, let tail = parseV4(UnsafeRawBufferPointer(rebasing: text[start...])) else {
          return nil
        }
        groups.append(UInt16(truncatingIfNeeded: tail >> 16))
        groups.append(UInt16(truncatingIfNeeded: tail))
        at = text.count
        break
      }
      groups.append(UInt16(value))
      guard at < text.count else { break }
      guard text[at] == UInt8(ascii: ":"), at + 1 < text.count else { return nil }
      at += 1
      if text[at] == UInt8(ascii: ":") {
        guard gap == nil else { return nil }
        gap = groups.count
        at += 1
      }
    }
    if let gap {
      guard groups.count < 8 else { return nil }
      groups.insert(contentsOf: [UInt16](repeating: 0, count: 8 - groups.count), at: gap)
    }
    guard groups.count == 8 else { return nil }
    return groups.reduce(UInt128(0)) { $0 << 16 | UInt128($1) }
  }

  static func hexDigit(_ byte: UInt8) -> UInt8? {
    switch byte {
    case 48...57: byte - 48
    case 97...102: byte - 87
    case 65...70: byte - 55
    default: nil
    }
  }
}

/// What `ip("...")` asks for: one address, a CIDR prefix or a range `a-b`, both ends included.
struct IPMatcher: Sendable {
  private let low: IPAddress
  private let high: IPAddress
  private let prefix: (address: IPAddress, length: Int)?

  /// - Returns: nil when the text is none of the three.
  init?(_ text: String) {
    if let address = IPAddress(text) {
      low = address
      high = address
      prefix = nil
    } else if let slash = text.lastIndex(of: "/") {
      let digits = text[text.index(after: slash)...]
      guard let address = IPAddress(text[..<slash]), let length = Int(digits), String(length) == digits, length >= 0,
        length <= address.bitCount
      else { return nil }
      low = address
      high = address
      prefix = (address, length)
    } else if let dash = text.firstIndex(of: "-") {
      guard let from = IPAddress(text[..<dash]), let to = IPAddress(text[text.index(after: dash)...]),
        from.isV6 == to.isV6, from <= to
      else { return nil }
      low = from
      high = to
      prefix = nil
    } else {
      return nil
    }
  }

  func contains(_ address: IPAddress) -> Bool {
    guard address.isV6 == low.isV6 else { return false }
    guard let prefix else { return low <= address && address <= high }
    if prefix.length == 0 { return true }
    let shift = UInt128(prefix.address.bitCount - prefix.length)
    return address.bits >> shift == prefix.address.bits >> shift
  }

  /// Whether a matching address stands in the text.
  ///
  /// Looks only where a digit is followed within three bytes by a dot, or up to four hex digits by a colon, takes the
  /// longest run of address characters there and goes on behind it: as Loki does, quirks included.
  func matchesAny(in text: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    while at < text.count {
      let run: Int
      if IPMatcher.beginsV4(text, at) {
        run = IPMatcher.run(text, at) { ASCII.isDigit($0) || $0 == UInt8(ascii: ".") }
      } else if IPMatcher.beginsV6(text, at) {
        run = IPMatcher.run(text, at) {
          IPAddress.hexDigit($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".")
        }
      } else {
        at += 1
        continue
      }
      if let address = IPAddress(UnsafeRawBufferPointer(rebasing: text[at..<at + run])), contains(address) {
        return true
      }
      at += run + 1
    }
    return false
  }

  private static func run(_ text: UnsafeRawBufferPointer, _ start: Int, _ isPart: (UInt8) -> Bool) -> Int {
    var at = start
    while at < text.count, isPart(text[at]) { at += 1 }
    return at - start
  }

  private static func beginsV4(_ text: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    let dot = UInt8(ascii: ".")
    guard at + 3 < text.count, ASCII.isDigit(text[at]) else { return false }
    return text[at + 1] == dot || text[at + 2] == dot || text[at + 3] == dot
  }

  private static func beginsV6(_ text: UnsafeRawBufferPointer, _ at: Int) -> Bool {
    func byte(_ offset: Int) -> UInt8 { at + offset < text.count ? text[at + offset] : 0 }
    let colon = UInt8(ascii: ":")
    if byte(0) == colon { return byte(1) == colon && IPAddress.hexDigit(byte(2)) != nil }
    for offset in 0..<4 {
      guard IPAddress.hexDigit(byte(offset)) != nil else { return false }
      if byte(offset + 1) == colon { return true }
    }
    return false
  }
}
