import LakeModel

/// An instant with the offset that it is shown in, as Go's `time.Time`.
struct GoTime: Equatable, CustomStringConvertible {
  /// Since 1970-01-01T00:00:00Z; may be negative.
  var seconds: Int64
  var nanoseconds: Int = 0
  /// Seconds east of Greenwich.
  var offset = 0
  var zone = "UTC"

  init(seconds: Int64, nanoseconds: Int = 0, offset: Int = 0, zone: String = "UTC") {
    self.seconds = seconds
    self.nanoseconds = nanoseconds
    self.offset = offset
    self.zone = zone
  }

  init(_ timestamp: Timestamp) {
    seconds = Int64(timestamp.nanoseconds / 1_000_000_000)
    nanoseconds = Int(timestamp.nanoseconds % 1_000_000_000)
  }

  /// 0001-01-01T00:00:00Z, which is what Go has for "no time".
  static let zero = GoTime(seconds: -62_135_596_800)

  static func == (a: GoTime, b: GoTime) -> Bool { a.seconds == b.seconds && a.nanoseconds == b.nanoseconds }

  var description: String { format("2006-01-02 15:04:05.999999999 -0700 MST") }

  /// Nanoseconds since the epoch, wrapped as Go's are.
  var unixNanoseconds: Int64 { seconds &* 1_000_000_000 &+ Int64(nanoseconds) }

  struct Civil {
    var year: Int
    var month: Int
    var day: Int
    var hour: Int
    var minute: Int
    var second: Int
    /// 0 is Sunday.
    var weekday: Int
    /// 1 is the first of January.
    var yearDay: Int
  }

  var civil: Civil {
    let local = seconds + Int64(offset)
    let days = Int((local >= 0 ? local : local - 86_399) / 86_400)
    let rest = Int(local - Int64(days) * 86_400)
    let (year, month, day) = CivilDate.date(daysSinceEpoch: days)
    return Civil(
      year: year, month: month, day: day, hour: rest / 3600, minute: rest / 60 % 60, second: rest % 60,
      weekday: ((days % 7) + 11) % 7, yearDay: days - CivilDate.daysSinceEpoch(year, 1, 1) + 1)
  }
}

/// The proleptic Gregorian calendar, counted in eras of 400 years that begin in March.
enum CivilDate {
  static func daysSinceEpoch(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month <= 2 ? year - 1 : year
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  static func date(daysSinceEpoch: Int) -> (year: Int, month: Int, day: Int) {
    let shifted = daysSinceEpoch + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let index = (5 * dayOfYear + 2) / 153
    let month = index < 10 ? index + 3 : index - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * index + 2) / 5 + 1)
  }

  static func isLeap(_ year: Int) -> Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

  static func days(of month: Int, _ year: Int) -> Int {
    month == 2 ? (isLeap(year) ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }
}

extension GoTime {
  /// Methods that templates may call on a time.
  func method(_ name: String, _ arguments: [TemplateValue]) throws(LogQL.Template.Failure) -> TemplateValue {
    if name == "Format" {
      guard arguments.count == 1, case .string(let layout) = arguments[0] else {
        throw LogQL.Template.Failure("wrong number of args for Format: want 1 got \(arguments.count)")
      }
      return .string(format(layout))
    }
    guard arguments.isEmpty else {
      throw LogQL.Template.Failure("wrong number of args for \(name): want 0 got \(arguments.count)")
    }
    let civil = civil
    switch name {
    case "Unix": return .int64(seconds)
    case "UnixMilli": return .int64(seconds &* 1000 &+ Int64(nanoseconds / 1_000_000))
    case "UnixMicro": return .int64(seconds &* 1_000_000 &+ Int64(nanoseconds / 1000))
    case "UnixNano": return .int64(unixNanoseconds)
    case "Nanosecond": return .int(Int64(nanoseconds))
    case "Second": return .int(Int64(civil.second))
    case "Minute": return .int(Int64(civil.minute))
    case "Hour": return .int(Int64(civil.hour))
    case "Day": return .int(Int64(civil.day))
    case "Year": return .int(Int64(civil.year))
    case "YearDay": return .int(Int64(civil.yearDay))
    case "Month": return .string(GoLayout.months[civil.month - 1])
    case "Weekday": return .string(GoLayout.days[civil.weekday])
    case "String": return .string(description)
    case "UTC": return .time(GoTime(seconds: seconds, nanoseconds: nanoseconds))
    case "IsZero": return .bool(self == .zero)
    default: throw LogQL.Template.Failure("can't evaluate field \(name) in type time.Time")
    }
  }
}
