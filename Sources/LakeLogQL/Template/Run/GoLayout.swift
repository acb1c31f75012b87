/// Go's way to say how a time looks: an example of the second of January 2006, 15:04:05, seven hours west.
enum GoLayout {
  enum Part: Equatable {
    case text(String)
    case year, shortYear
    case month, paddedMonth, monthName, shortMonthName
    case day, blankDay, paddedDay, blankYearDay, paddedYearDay
    case dayName, shortDayName
    case hour, hour12, paddedHour12, minute, paddedMinute, second, paddedSecond
    case upperHalf, lowerHalf
    case zoneName
    /// `Z` for no offset when `isZ`; hours, minutes and seconds to the given number of fields.
    case zone(isZ: Bool, fields: Int, hasColons: Bool)
    /// Digits behind the separator; trailing zeros are dropped when `isTrimmed`.
    case fraction(digits: Int, isTrimmed: Bool, separator: String)
  }

  static let months = [
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
  ]
  static let days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]

  /// Longest first where one begins another.
  private static let fixed: [(String, Part)] = [
    ("January", .monthName), ("Monday", .dayName), ("MST", .zoneName), ("2006", .year), ("__2", .blankYearDay),
    ("002", .paddedYearDay), ("01", .paddedMonth), ("02", .paddedDay), ("03", .paddedHour12), ("04", .paddedMinute),
    ("05", .paddedSecond), ("06", .shortYear), ("15", .hour), ("PM", .upperHalf), ("pm", .lowerHalf),
    ("-07:00:00", .zone(isZ: false, fields: 3, hasColons: true)),
    ("-070000", .zone(isZ: false, fields: 3, hasColons: false)),
    ("-07:00", .zone(isZ: false, fields: 2, hasColons: true)),
    ("-0700", .zone(isZ: false, fields: 2, hasColons: false)), ("-07", .zone(isZ: false, fields: 1, hasColons: false)),
    ("Z07:00:00", .zone(isZ: true, fields: 3, hasColons: true)),
    ("Z070000", .zone(isZ: true, fields: 3, hasColons: false)),
    ("Z07:00", .zone(isZ: true, fields: 2, hasColons: true)), ("Z0700", .zone(isZ: true, fields: 2, hasColons: false)),
    ("Z07", .zone(isZ: true, fields: 1, hasColons: false)), ("_2006", .text("_")), ("_2", .blankDay), ("1", .month),
    ("2", .day), ("3", .hour12), ("4", .minute), ("5", .second),
  ]

  static func parts(_ layout: String) -> [Part] {
    var parts: [Part] = []
    var text = ""
    var rest = Array(layout.unicodeScalars)[...]
    func flush() {
      if !text.isEmpty { parts.append(.text(text)) }
      text = ""
    }
    while let first = rest.first {
      if let (part, count) = part(at: rest) {
        flush()
        parts.append(part)
        rest = rest.dropFirst(count)
      } else {
        text.unicodeScalars.append(first)
        rest = rest.dropFirst()
      }
    }
    flush()
    return parts
  }

  private static func part(at rest: ArraySlice<Unicode.Scalar>) -> (Part, Int)? {
    func isLower(_ index: Int) -> Bool {
      index < rest.endIndex && ("a"..."z").contains(rest[index])
    }
    if let fraction = fraction(at: rest) { return fraction }
    for (example, part) in fixed where rest.starts(with: example.unicodeScalars) {
      // The blank belongs to the text there; the year comes next.
      return (part, part == .text("_") ? 1 : example.unicodeScalars.count)
    }
    for (example, part) in [("Jan", Part.shortMonthName), ("Mon", .shortDayName)]
    where rest.starts(with: example.unicodeScalars) && !isLower(rest.startIndex + 3) {
      return (part, 3)
    }
    return nil
  }

  private static func fraction(at rest: ArraySlice<Unicode.Scalar>) -> (Part, Int)? {
    guard let separator = rest.first, separator == "." || separator == ",", let digit = rest.dropFirst().first,
      digit == "0" || digit == "9"
    else { return nil }
    let run = rest.dropFirst().prefix { $0 == digit }
    if let after = rest.dropFirst(1 + run.count).first, ("0"..."9").contains(after) { return nil }
    return (
      .fraction(digits: run.count, isTrimmed: digit == "9", separator: String(separator)), 1 + run.count
    )
  }
}

extension GoTime {
  func format(_ layout: String) -> String {
    let civil = civil
    var out = ""
    for part in GoLayout.parts(layout) { out += text(of: part, civil) }
    return out
  }

  private func padded(_ value: Int, _ width: Int, _ pad: Character = "0") -> String {
    let text = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: pad, count: max(0, width - text.count)) + text
  }

  private func text(of part: GoLayout.Part, _ civil: Civil) -> String {
    switch part {
    case .text(let text): text
    case .year: padded(civil.year, 4)
    case .shortYear: padded(((civil.year % 100) + 100) % 100, 2)
    case .month: String(civil.month)
    case .paddedMonth: padded(civil.month, 2)
    case .monthName: GoLayout.months[civil.month - 1]
    case .shortMonthName: String(GoLayout.months[civil.month - 1].prefix(3))
    case .day: String(civil.day)
    case .blankDay: padded(civil.day, 2, " ")
    case .paddedDay: padded(civil.day, 2)
    case .blankYearDay: padded(civil.yearDay, 3, " ")
    case .paddedYearDay: padded(civil.yearDay, 3)
    case .dayName: GoLayout.days[civil.weekday]
    case .shortDayName: String(GoLayout.days[civil.weekday].prefix(3))
    case .hour: padded(civil.hour, 2)
    case .hour12: String((civil.hour + 11) % 12 + 1)
    case .paddedHour12: padded((civil.hour + 11) % 12 + 1, 2)
    case .minute: String(civil.minute)
    case .paddedMinute: padded(civil.minute, 2)
    case .second: String(civil.second)
    case .paddedSecond: padded(civil.second, 2)
    case .upperHalf: civil.hour >= 12 ? "PM" : "AM"
    case .lowerHalf: civil.hour >= 12 ? "pm" : "am"
    case .zoneName: zone.isEmpty ? offsetText(fields: 2, hasColons: false) : zone
    case .zone(let isZ, let fields, let hasColons):
      isZ && offset == 0 ? "Z" : offsetText(fields: fields, hasColons: hasColons)
    case .fraction(let digits, let isTrimmed, let separator): fraction(digits, isTrimmed, separator)
    }
  }

  private func offsetText(fields: Int, hasColons: Bool) -> String {
    let magnitude = abs(offset)
    let parts = [magnitude / 3600, magnitude / 60 % 60, magnitude % 60].prefix(fields).map { padded($0, 2) }
    return (offset < 0 ? "-" : "+") + parts.joined(separator: hasColons ? ":" : "")
  }

  private func fraction(_ digits: Int, _ isTrimmed: Bool, _ separator: String) -> String {
    var text = String(padded(nanoseconds, 9).prefix(min(digits, 9)))
    if digits > 9 { text += String(repeating: "0", count: digits - 9) }
    if isTrimmed {
      while text.last == "0" { text.removeLast() }
      if text.isEmpty { return "" }
    }
    return separator + text
  }
}
