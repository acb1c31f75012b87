extension String {
  /// The bytes as text, with U+FFFD for each byte that belongs to no character, as Go shows them; Swift's own repair makes one of the bytes of
  /// a character cut in two.
  package init(repairing bytes: UnsafeBufferPointer<UInt8>) {
    if UTF8Check.isValid(bytes) {
      self.init(decoding: bytes, as: UTF8.self)
      return
    }
    var repaired: [UInt8] = []
    repaired.reserveCapacity(bytes.count + 16)
    var index = 0
    while index < bytes.count {
      if let length = UTF8Check.characterLength(bytes, at: index) {
        repaired += bytes[index..<index + length]
        index += length
      } else {
        repaired += [0xEF, 0xBF, 0xBD]
        index += 1
      }
    }
    self.init(decoding: repaired, as: UTF8.self)
  }
}
