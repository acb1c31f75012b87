/// How attribute names become label names, as Loki's OTLP endpoint does it.
enum LabelName {
  /// Letters and digits stay, every run of anything else becomes one `_`, a leading digit gets `key_` before it. A name
  /// that begins and ends with `__` keeps both.
  ///
  /// - Returns: empty when nothing but underscores would be left: such an attribute is no label.
  static func normalized(_ name: UnsafeRawBufferPointer) -> [UInt8] {
    let underscore = UInt8(ascii: "_")
    let isReserved =
      name.count >= 4 && name[0] == underscore && name[1] == underscore && name[name.count - 1] == underscore
      && name[name.count - 2] == underscore
    let inner = isReserved ? UnsafeRawBufferPointer(rebasing: name[2..<name.count - 2]) : name
    var out: [UInt8] = isReserved ? [underscore, underscore] : []
    out.reserveCapacity(name.count + 4)
    var wasReplaced = false
    for byte in inner {
      if ASCII.isLetter(byte) || ASCII.isDigit(byte) {
        out.append(byte)
        wasReplaced = false
      } else if !wasReplaced {
        out.append(underscore)
        wasReplaced = true
      }
    }
    if isReserved { out += [underscore, underscore] }
    if let first = out.first, ASCII.isDigit(first) { out = Array("key_".utf8) + out }
    return out.allSatisfy { $0 == underscore } ? [] : out
  }

  static func normalized(_ name: String) -> String {
    String(decoding: Array(name.utf8).withUnsafeBytes { normalized($0) }, as: UTF8.self)
  }
}
