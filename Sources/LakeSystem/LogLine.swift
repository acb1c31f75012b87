package import LakeModel
package import LakePorts

/// One journal entry as one line of `name=value` pairs: `ts=2026-11-20T10:00:00.000000Z level=info event=shift.committed rows=12`.
package enum LogLine {
  package static func render(
    _ time: Timestamp, _ level: JournalLevel, _ event: StaticString, _ facts: [(StaticString, String)]
  ) -> String {
    var line = "ts=\(date(time)) level=\(name(level)) event=\(event)"
    for (name, value) in facts { line += " \(name)=\(quoted(value))" }
    return line + "\n"
  }

  private static func name(_ level: JournalLevel) -> String {
    switch level {
    case .trace: "trace"
    case .debug: "debug"
    case .info: "info"
    case .warning: "warn"
    case .error: "error"
    }
  }

  /// RFC 3339 in UTC, with microseconds.
  static func date(_ time: Timestamp) -> String {
    let seconds = Int(time.nanoseconds / 1_000_000_000)
    let (year, month, day) = civil(daysSinceEpoch: seconds / 86_400)
    let clock = seconds % 86_400
    let microseconds = Int(time.nanoseconds / 1000 % 1_000_000)
    return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))T\(padded(clock / 3600, 2))"
      + ":\(padded(clock / 60 % 60, 2)):\(padded(clock % 60, 2)).\(padded(microseconds, 6))Z"
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// The Gregorian date of a day on or after 1970-01-01, counted in years that begin in March.
  private static func civil(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
    let days = daysSinceEpoch + 719_468
    let era = days / 146_097
    let dayOfEra = days % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shiftedMonth = (5 * dayOfYear + 2) / 153
    let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
  }

  /// As it is, or in quotes when it is empty or holds a space, a quote, `=`, `\` or a control character: a line stays a line.
  static func quoted(_ value: String) -> String {
    let needsQuotes =
      value.isEmpty
      || value.unicodeScalars.contains { $0.value <= 0x20 || $0 == "\"" || $0 == "=" || $0 == "\\" || $0.value == 0x7F }
    guard needsQuotes else { return value }
    var out = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case "\r": out += "\\r"
      case "\t": out += "\\t"
      default:
        if scalar.value < 0x20 || scalar.value == 0x7F {
          out += "\\u" + padded(0, 2) + Hex.text([UInt8(scalar.value)])
        } else {
          out.unicodeScalars.append(scalar)
        }
      }
    }
    return out + "\""
  }
}
