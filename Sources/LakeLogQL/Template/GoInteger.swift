/// Integer literals of Go: decimal, `0x`, `0o`, `0b`, a leading zero for octal, `_` between digits.
enum GoInteger {
  /// - Returns: the value in each of the types that hold it.
  static func parse(_ text: String) -> (int: Int64?, unsigned: UInt64?) {
    var rest = Substring(text)
    let isNegative = rest.first == "-"
    let hasSign = isNegative || rest.first == "+"
    if hasSign { rest.removeFirst() }
    var radix = 10
    var hasPrefix = false
    for (prefix, base) in [("0x", 16), ("0o", 8), ("0b", 2)] where rest.lowercased().hasPrefix(prefix) {
      radix = base
      hasPrefix = true
      rest.removeFirst(2)
    }
    if !hasPrefix && rest.count > 1 && rest.first == "0" {
      radix = 8
      hasPrefix = true
      rest.removeFirst()
    }
    guard let digits = withoutSeparators(rest, afterPrefix: hasPrefix), let value = UInt64(digits, radix: radix) else {
      return (nil, nil)
    }
    let int = isNegative ? (value <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- value) : nil) : Int64(exactly: value)
    return (int, hasSign ? nil : value)
  }

  /// nil when a `_` does not stand between digits.
  private static func withoutSeparators(_ text: Substring, afterPrefix: Bool) -> String? {
    var previousIsDigit = afterPrefix
    var out = ""
    for character in text {
      if character == "_" {
        if !previousIsDigit { return nil }
        previousIsDigit = false
      } else {
        if character == "+" || character == "-" { return nil }
        out.append(character)
        previousIsDigit = true
      }
    }
    return previousIsDigit && !out.isEmpty ? out : nil
  }
}
