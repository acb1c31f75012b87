/// Numbers, durations, sizes and addresses in the texts of labels, read slowly.
enum SlowValues {
  struct Unreadable: Error { var message: String }

  /// What corpora hold: `-12`, `0.25`, `1e3`, `NaN`, `+Inf`, and texts that are no numbers.
  static func number(_ text: String) throws(Unreadable) -> Double {
    let unsigned = text.hasPrefix("-") || text.hasPrefix("+") ? String(text.dropFirst()) : text
    let sign: Double = text.hasPrefix("-") ? -1 : 1
    switch unsigned.lowercased() {
    case "inf", "infinity": return sign * .infinity
    case "nan" where unsigned == text: return .nan
    default: break
    }
    let pieces = unsigned.lowercased().split(separator: "e", omittingEmptySubsequences: false)
    let parts = (pieces.first ?? "").split(separator: ".", omittingEmptySubsequences: false)
    let digits = parts.joined()
    let exponent = pieces.count == 2 ? Int(pieces[1]) : 0
    guard pieces.count <= 2, parts.count <= 2, !digits.isEmpty, digits.utf8.allSatisfy({ (48...57).contains($0) }),
      let exponent
    else { throw Unreadable(message: "strconv.ParseFloat: parsing \(quoted(text)): invalid syntax") }
    var value = 0.0
    for digit in digits.utf8 { value = value * 10 + Double(digit - 48) }
    for _ in 0..<(parts.count == 2 ? parts[1].count : 0) { value /= 10 }
    for _ in 0..<max(0, exponent) { value *= 10 }
    for _ in 0..<max(0, -exponent) { value /= 10 }
    return sign * value
  }

  /// Nanoseconds of `1h2m`, `1.5s`, `-300ms`.
  static func duration(_ text: String) throws(Unreadable) -> Double {
    let units: [(String, Double)] = [
      ("ns", 1), ("us", 1e3), ("µs", 1e3), ("ms", 1e6), ("s", 1e9), ("m", 60e9), ("h", 3600e9),
    ]
    var rest = Substring(text)
    var sign = 1.0
    if rest.hasPrefix("-") || rest.hasPrefix("+") {
      sign = rest.hasPrefix("-") ? -1 : 1
      rest = rest.dropFirst()
    }
    if rest == "0" { return 0 }
    if rest.isEmpty { throw Unreadable(message: "time: invalid duration \(quoted(text, isASCII: true))") }
    var total = 0.0
    while !rest.isEmpty {
      let digits = rest.prefix { "0123456789.".contains($0) }
      // What 63 bits cannot count is no duration.
      guard digits.contains(where: { $0 != "." }), (Double(digits.prefix { $0 != "." }) ?? 0) <= 0x1p63 else {
        throw Unreadable(message: "time: invalid duration \(quoted(text, isASCII: true))")
      }
      rest = rest.dropFirst(digits.count)
      let unit = rest.prefix { !"0123456789.".contains($0) }
      if unit.isEmpty { throw Unreadable(message: "time: missing unit in duration \(quoted(text, isASCII: true))") }
      guard let factor = units.first(where: { $0.0 == String(unit) })?.1 else {
        throw Unreadable(
          message:
            "time: unknown unit \(quoted(String(unit), isASCII: true)) in duration \(quoted(text, isASCII: true))")
      }
      total += try number(String(digits)) * factor
      rest = rest.dropFirst(unit.count)
    }
    return sign * total
  }

  /// Bytes of `12`, `1.5KB`, `2 MiB`.
  static func bytes(_ text: String) throws(Unreadable) -> Double {
    let digits = text.prefix { "0123456789.".contains($0) }
    guard !digits.isEmpty else { throw Unreadable(message: "strconv.ParseFloat: parsing \"\": invalid syntax") }
    let value = try number(String(digits))
    let unit = text.dropFirst(digits.count).drop { $0 == " " }.lowercased()
    let units: [String: Double] = [
      "": 1, "b": 1, "kb": 1e3, "k": 1e3, "mb": 1e6, "m": 1e6, "gb": 1e9, "g": 1e9, "kib": 1024, "ki": 1024,
      "mib": 1_048_576, "mi": 1_048_576, "gib": 1_073_741_824,
    ]
    guard let factor = units[unit] else { throw Unreadable(message: "unhandled size name: \(unit)") }
    return (value * factor).rounded(.towardZero)
  }

  /// As Go quotes what it could not read.
  private static func quoted(_ text: String, isASCII: Bool = false) -> String {
    var out = "\""
    func hex(_ byte: UInt8) { out += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16) }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": out += "\\\(scalar)"
      case _ where scalar.value < 32: hex(UInt8(scalar.value))
      case _ where isASCII && !scalar.isASCII: for byte in String(scalar).utf8 { hex(byte) }
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  // MARK: - Addresses

  /// Eight groups of an IPv6 address, or two of an IPv4 one.
  static func address(_ text: some StringProtocol) -> [UInt16]? {
    let text = String(text)
    if !text.contains(":") {
      let parts = text.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
      guard parts.count == 4 else { return nil }
      var bytes: [UInt16] = []
      for part in parts {
        guard let value = UInt8(part), String(value) == part else { return nil }
        bytes.append(UInt16(value))
      }
      return [bytes[0] << 8 | bytes[1], bytes[2] << 8 | bytes[3]]
    }
    func groups(_ text: Substring) -> [UInt16]? {
      if text.isEmpty { return [] }
      var out: [UInt16] = []
      for part in text.split(separator: ":", omittingEmptySubsequences: false) {
        guard (1...4).contains(part.count), let value = UInt16(part, radix: 16) else { return nil }
        out.append(value)
      }
      return out
    }
    guard let gap = text.firstRange(of: "::") else {
      return groups(text[...]).flatMap { $0.count == 8 ? $0 : nil }
    }
    guard let left = groups(text[..<gap.lowerBound]), let right = groups(text[gap.upperBound...]),
      left.count + right.count < 8
    else { return nil }
    return left + [UInt16](repeating: 0, count: 8 - left.count - right.count) + right
  }

  /// Whether `text` holds an address of `pattern`: one address, a range `a-b`, or `a/bits`.
  static func holdsAddress(_ pattern: String, _ text: String) -> Bool {
    let four = text.split { !"0123456789.".contains($0) }
    let six = text.split { !"0123456789abcdefABCDEF:.".contains($0) }
    return (four + six).contains { piece in address(piece).map { isAddress($0, pattern) } ?? false }
  }

  private static func isAddress(_ found: [UInt16], _ pattern: String) -> Bool {
    if let dash = pattern.firstIndex(of: "-") {
      let low = address(pattern[..<dash])!
      let high = address(pattern[pattern.index(after: dash)...])!
      guard low.count == found.count else { return false }
      return !found.lexicographicallyPrecedes(low) && !high.lexicographicallyPrecedes(found)
    }
    if let slash = pattern.firstIndex(of: "/") {
      let base = address(pattern[..<slash])!
      let bits = Int(pattern[pattern.index(after: slash)...])!
      guard base.count == found.count else { return false }
      return (0..<bits).allSatisfy { bit in
        let mask = UInt16(0x8000) >> UInt16(bit % 16)
        return base[bit / 16] & mask == found[bit / 16] & mask
      }
    }
    return address(pattern)! == found
  }
}
