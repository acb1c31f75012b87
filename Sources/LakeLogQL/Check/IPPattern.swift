/// What `ip("...")` takes: an address, a range of two, or a CIDR. Only whether the text is one is decided here.
enum IPPattern {
  static func isValid(_ text: String) -> Bool {
    if address(text) != nil { return true }
    if let slash = text.lastIndex(of: "/") { return isPrefix(text[..<slash], text[text.index(after: slash)...]) }
    guard let dash = text.firstIndex(of: "-") else { return false }
    guard let from = address(text[..<dash]), let to = address(text[text.index(after: dash)...]) else { return false }
    return !from.hasZone && !to.hasZone && from.bytes.count == to.bytes.count
      && !to.bytes.lexicographicallyPrecedes(from.bytes)
  }

  private static func isPrefix(_ text: Substring, _ bits: Substring) -> Bool {
    guard let address = address(text), !address.hasZone, let count = UInt8(bits), String(count) == bits else {
      return false
    }
    return Int(count) <= address.bytes.count * 8
  }

  private static func address(_ text: some StringProtocol) -> (bytes: [UInt8], hasZone: Bool)? {
    if !text.contains(":") { return v4(text).map { ($0, false) } }
    guard let percent = text.firstIndex(of: "%") else { return v6(text[...]).map { ($0, false) } }
    let zone = text[text.index(after: percent)...]
    return zone.isEmpty ? nil : v6(text[..<percent]).map { ($0, true) }
  }

  private static func v4(_ text: some StringProtocol) -> [UInt8]? {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var bytes: [UInt8] = []
    for part in parts {
      guard let byte = UInt8(part), String(byte) == part else { return nil }
      bytes.append(byte)
    }
    return bytes
  }

  private static func v6(_ text: some StringProtocol) -> [UInt8]? {
    var head: [UInt8] = []
    var tail: [UInt8]?
    var rest = Substring(text)
    if rest.hasPrefix("::") {
      tail = []
      rest.removeFirst(2)
    }
    while !rest.isEmpty {
      let group = rest.prefix { $0 != ":" }
      let isLast = group.endIndex == rest.endIndex
      let bytes: [UInt8]
      if isLast, group.contains(".") {
        guard let v4 = v4(group) else { return nil }
        bytes = v4
      } else {
        guard (1...4).contains(group.count), let value = UInt16(group, radix: 16), group.first != "+" else {
          return nil
        }
        bytes = [UInt8(value >> 8), UInt8(value & 255)]
      }
      if tail == nil { head += bytes } else { tail! += bytes }
      rest = rest[group.endIndex...]
      if isLast { break }
      rest.removeFirst()
      if rest.first == ":" {
        if tail != nil { return nil }
        tail = []
        rest.removeFirst()
      } else if rest.isEmpty {
        return nil
      }
    }
    let count = head.count + (tail?.count ?? 0)
    guard let tail else { return count == 16 ? head : nil }
    return count < 16 ? head + [UInt8](repeating: 0, count: 16 - count) + tail : nil
  }
}
