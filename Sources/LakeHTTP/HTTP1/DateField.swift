/// `Date: Sun, 06 Nov 1994 08:49:37 GMT` rendered once per second.
struct DateField {
  private var second = Int64.min
  private var text = ""
  private var line: [UInt8] = []

  /// The field with its line end. - Parameter seconds: since the epoch.
  mutating func line(at seconds: Int64) -> [UInt8] {
    render(seconds)
    return line
  }

  /// The field's value.
  mutating func text(at seconds: Int64) -> String {
    render(seconds)
    return text
  }

  private mutating func render(_ seconds: Int64) {
    guard seconds != second else { return }
    second = seconds
    text = DateField.text(max(0, seconds))
    line = Array("Date: \(text)\r\n".utf8)
  }

  /// IMF-fixdate (RFC 9110, section 5.6.7) of an instant on or after the epoch.
  static func text(_ seconds: Int64) -> String {
    let days = Int(seconds / 86_400)
    let clock = Int(seconds % 86_400)
    let names = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
    let (year, month, day) = civil(daysSinceEpoch: days)
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    return "\(names[days % 7]), \(padded(day)) \(months[month - 1]) \(year) "
      + "\(padded(clock / 3600)):\(padded(clock / 60 % 60)):\(padded(clock % 60)) GMT"
  }

  private static func padded(_ value: Int) -> String { value < 10 ? "0\(value)" : "\(value)" }

  /// The Gregorian date, in years that begin in March.
  private static func civil(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSinceEpoch + 719_468
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (
      yearOfEra + days / 146_097 * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
    )
  }
}
