/// `2026-01-15T10:40:00.5Z`, `2026-01-15T10:40:00+01:00`.
package enum RFC3339 {
  /// - Returns: nanoseconds since the epoch; nil when the text is no such time.
  package static func parse(_ text: String) -> Int128? {
    var rest = Array(text.utf8)[...]
    func number(_ count: Int, _ range: ClosedRange<Int>) -> Int? {
      guard rest.count >= count else { return nil }
      var value = 0
      for byte in rest.prefix(count) {
        guard (48...57).contains(byte) else { return nil }
        value = value * 10 + Int(byte - 48)
      }
      rest = rest.dropFirst(count)
      return range.contains(value) ? value : nil
    }
    func sign(_ allowed: String) -> UInt8? {
      guard let first = rest.first, allowed.utf8.contains(first) else { return nil }
      rest = rest.dropFirst()
      return first
    }
    guard let year = number(4, 0...9999), sign("-") != nil, let month = number(2, 1...12), sign("-") != nil,
      let day = number(2, 1...31), sign("T") != nil, let hour = number(2, 0...23), sign(":") != nil,
      let minute = number(2, 0...59), sign(":") != nil, let second = number(2, 0...59),
      day <= daysOfMonth(year, month)
    else { return nil }
    var fraction: Int128 = 0
    if sign(".,") != nil {
      let digits = rest.prefix { (48...57).contains($0) }
      if digits.isEmpty { return nil }
      rest = rest.dropFirst(digits.count)
      for index in 0..<9 {
        fraction = fraction * 10 + (index < digits.count ? Int128(digits[digits.startIndex + index] - 48) : 0)
      }
    }
    var offset = 0
    switch sign("Z+-") {
    case UInt8(ascii: "Z"): break
    case let direction?:
      guard let hours = number(2, 0...24), sign(":") != nil, let minutes = number(2, 0...60) else { return nil }
      offset = (hours * 60 + minutes) * (direction == UInt8(ascii: "-") ? -60 : 60)
    case nil: return nil
    }
    guard rest.isEmpty else { return nil }
    let seconds = (daysSinceEpoch(year, month, day) * 24 + hour) * 3600 + minute * 60 + second - offset
    return Int128(seconds) * 1_000_000_000 + fraction
  }

  private static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  private static func daysOfMonth(_ year: Int, _ month: Int) -> Int {
    month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days of the proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
  private static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}
