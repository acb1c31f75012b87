extension GoTime {
  /// Reads a text that looks as the layout says; what the layout leaves out is the first of its kind, in UTC.
  init?(_ text: String, layout: String, offset: Int = 0, zone: String = "UTC") {
    var reader = LayoutReader(text)
    let parts = GoLayout.parts(layout)
    for (index, part) in parts.enumerated() {
      guard reader.read(part, isLast: index == parts.count - 1) else { return nil }
      // A fraction may follow seconds although the layout has none.
      if part == .second || part == .paddedSecond {
        let next = index + 1 < parts.count ? parts[index + 1] : nil
        if case .fraction? = next { continue }
        guard reader.readExtraFraction() else { return nil }
      }
    }
    guard reader.isAtEnd, let time = reader.time(offset: offset, zone: zone) else { return nil }
    self = time
  }
}

private struct LayoutReader {
  private var rest: ArraySlice<UInt8>
  private var year: Int?
  private var month: Int?
  private var day: Int?
  private var yearDay: Int?
  private var hour = 0
  private var minute = 0
  private var second = 0
  private var nanoseconds = 0
  private var isAfternoon: Bool?
  private var offset: Int?
  private var zone: String?

  init(_ text: String) { rest = Array(text.utf8)[...] }

  var isAtEnd: Bool { rest.isEmpty }

  private mutating func number(_ widths: ClosedRange<Int>, _ range: ClosedRange<Int>) -> Int? {
    var value = 0
    var count = 0
    while count < widths.upperBound, let byte = rest.first, (48...57).contains(byte) {
      value = value * 10 + Int(byte - 48)
      count += 1
      rest = rest.dropFirst()
    }
    return widths.contains(count) && range.contains(value) ? value : nil
  }

  private mutating func take(_ text: String) -> Bool {
    guard rest.starts(with: text.utf8) else { return false }
    rest = rest.dropFirst(text.utf8.count)
    return true
  }

  private mutating func name(_ names: [String]) -> Int? {
    for (index, name) in names.enumerated() {
      let found = rest.prefix(name.utf8.count)
      if found.count == name.utf8.count, zip(found, name.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 }) {
        rest = rest.dropFirst(found.count)
        return index
      }
    }
    return nil
  }

  mutating func read(_ part: GoLayout.Part, isLast: Bool) -> Bool {
    switch part {
    case .text(let text): return literal(text)
    case .year:
      year = number(4...4, 0...9999)
      return year != nil
    case .shortYear:
      guard let value = number(2...2, 0...99) else { return false }
      year = value >= 69 ? value + 1900 : value + 2000
      return true
    case .month, .paddedMonth:
      month = number(part == .month ? 1...2 : 2...2, 1...12)
      return month != nil
    case .monthName, .shortMonthName:
      let names = part == .monthName ? GoLayout.months : GoLayout.months.map { String($0.prefix(3)) }
      month = name(names).map { $0 + 1 }
      return month != nil
    case .day, .blankDay, .paddedDay:
      if part == .blankDay, rest.first == 32 { rest = rest.dropFirst() }
      day = number(part == .paddedDay ? 2...2 : 1...2, 0...31)
      return day != nil
    case .blankYearDay, .paddedYearDay:
      var skipped = 0
      while part == .blankYearDay, skipped < 2, rest.first == 32 {
        rest = rest.dropFirst()
        skipped += 1
      }
      yearDay = number((3 - skipped)...(3 - skipped), 1...366)
      return yearDay != nil
    case .dayName: return name(GoLayout.days) != nil
    case .shortDayName: return name(GoLayout.days.map { String($0.prefix(3)) }) != nil
    default: return readClock(part)
    }
  }

  /// Blanks of the layout match any number of blanks.
  private mutating func literal(_ text: String) -> Bool {
    var wanted = Array(text.utf8)[...]
    while let byte = wanted.first {
      if byte == 32 {
        guard rest.isEmpty || rest.first == 32 else { return false }
        while wanted.first == 32 { wanted = wanted.dropFirst() }
        while rest.first == 32 { rest = rest.dropFirst() }
      } else {
        guard rest.first == byte else { return false }
        rest = rest.dropFirst()
        wanted = wanted.dropFirst()
      }
    }
    return true
  }

  private mutating func readClock(_ part: GoLayout.Part) -> Bool {
    func set(_ value: Int?, _ into: inout Int) -> Bool {
      guard let value else { return false }
      into = value
      return true
    }
    switch part {
    case .hour: return set(number(2...2, 0...23), &hour)
    case .hour12, .paddedHour12: return set(number(part == .hour12 ? 1...2 : 2...2, 0...12), &hour)
    case .minute, .paddedMinute: return set(number(part == .minute ? 1...2 : 2...2, 0...59), &minute)
    case .second, .paddedSecond: return set(number(part == .second ? 1...2 : 2...2, 0...59), &second)
    case .upperHalf, .lowerHalf:
      let (am, pm) = part == .upperHalf ? ("AM", "PM") : ("am", "pm")
      if take(pm) { isAfternoon = true } else if take(am) { isAfternoon = false } else { return false }
      return true
    case .fraction(let digits, let isTrimmed, let separator): return fraction(digits, isTrimmed, separator)
    case .zone(let isZ, let fields, let hasColons): return readOffset(isZ, fields, hasColons)
    case .zoneName: return readZoneName()
    default: return false
    }
  }

  private mutating func fraction(_ digits: Int, _ isTrimmed: Bool, _ separator: String) -> Bool {
    if isTrimmed {
      guard let first = rest.first, first == 46 || first == 44, let next = rest.dropFirst().first,
        (48...57).contains(next)
      else { return true }
      return readExtraFraction()
    }
    guard take(separator) else { return false }
    let found = rest.prefix(digits)
    guard found.count == digits, found.allSatisfy({ (48...57).contains($0) }) else { return false }
    setNanoseconds(found)
    rest = rest.dropFirst(digits)
    return true
  }

  mutating func readExtraFraction() -> Bool {
    guard let first = rest.first, first == 46 || first == 44 else { return true }
    let digits = rest.dropFirst().prefix { (48...57).contains($0) }
    if digits.isEmpty { return true }
    setNanoseconds(digits)
    rest = rest.dropFirst(1 + digits.count)
    return true
  }

  private mutating func setNanoseconds(_ digits: ArraySlice<UInt8>) {
    nanoseconds = 0
    for index in 0..<9 {
      nanoseconds = nanoseconds * 10 + (index < digits.count ? Int(digits[digits.startIndex + index] - 48) : 0)
    }
  }

  private mutating func readOffset(_ isZ: Bool, _ fields: Int, _ hasColons: Bool) -> Bool {
    if isZ, take("Z") {
      offset = 0
      return true
    }
    let isNegative = rest.first == 45
    guard isNegative || rest.first == 43 else { return false }
    rest = rest.dropFirst()
    var seconds = 0
    for (index, unit) in [3600, 60, 1].prefix(fields).enumerated() {
      if index > 0 && hasColons && !take(":") { return false }
      guard let value = number(2...2, index == 0 ? 0...24 : 0...60) else { return false }
      seconds += value * unit
    }
    offset = isNegative ? -seconds : seconds
    return true
  }

  /// Three or four letters, of which only UTC says an offset.
  private mutating func readZoneName() -> Bool {
    let letters = rest.prefix { (65...90).contains($0) }
    guard (3...5).contains(letters.count) else { return false }
    zone = String(decoding: letters, as: UTF8.self)
    rest = rest.dropFirst(letters.count)
    return true
  }

  func time(offset standard: Int, zone standardZone: String) -> GoTime? {
    var hour = hour
    if isAfternoon == true && hour < 12 { hour += 12 }
    if isAfternoon == false && hour == 12 { hour = 0 }
    let year = year ?? 0
    var days: Int
    if let yearDay {
      if yearDay > (CivilDate.isLeap(year) ? 366 : 365) { return nil }
      days = CivilDate.daysSinceEpoch(year, 1, 1) + yearDay - 1
      let (_, foundMonth, foundDay) = CivilDate.date(daysSinceEpoch: days)
      if let month, month != foundMonth { return nil }
      if let day, day != foundDay { return nil }
    } else {
      let (month, day) = (month ?? 1, day ?? 1)
      guard day >= 1, day <= CivilDate.days(of: month, year) else { return nil }
      days = CivilDate.daysSinceEpoch(year, month, day)
    }
    let isNamed = zone != nil && offset == nil
    let shift = offset ?? (isNamed ? 0 : standard)
    let seconds = Int64(days) * 86_400 + Int64(hour * 3600 + minute * 60 + second - shift)
    let name = zone ?? (offset == nil ? standardZone : shift == 0 ? "UTC" : "")
    return GoTime(seconds: seconds, nanoseconds: nanoseconds, offset: shift, zone: name)
  }
}
