import LakeModel

extension TemplateFunction {
  static let timeFunctions: [String: TemplateFunction] = [
    // The server's own zone is UTC.
    "date": TemplateFunction(.string, .any) { arguments, environment in
      let time: GoTime
      switch arguments[1] {
      case .time(let value): time = value
      case .int(let seconds), .int64(let seconds): time = GoTime(seconds: seconds)
      default: time = environment.now
      }
      return .string(GoTime(seconds: time.seconds, nanoseconds: time.nanoseconds).format(arguments.string(0)))
    },
    "toDate": TemplateFunction(.string, .string) { arguments, _ in
      .time(GoTime(arguments.string(1), layout: arguments.string(0)) ?? .zero)
    },
    "toDateInZone": TemplateFunction(.string, .string, .string) { arguments, _ throws(Failure) in
      let zone = arguments.string(1)
      guard ["", "UTC", "Local", "Etc/UTC", "GMT"].contains(zone) else {
        throw Failure("time zone \(GoString.quote(zone)) is not known here")
      }
      return .time(GoTime(arguments.string(2), layout: arguments.string(0)) ?? .zero)
    },
    "unixEpoch": TemplateFunction(.time) { arguments, _ in .string(String(arguments.time(0).seconds)) },
    "unixEpochMillis": TemplateFunction(.time) { arguments, _ in
      let time = arguments.time(0)
      return .string(String(time.seconds &* 1000 &+ Int64(time.nanoseconds / 1_000_000)))
    },
    "unixEpochNanos": TemplateFunction(.time) { arguments, _ in
      .string(String(arguments.time(0).unixNanoseconds))
    },
    "unixToTime": TemplateFunction(.string) { arguments, _ throws(Failure) in
      .time(try unixTime(arguments.string(0)))
    },
  ]

  /// Days, seconds, milliseconds, microseconds or nanoseconds, told apart by the number of digits.
  private static func unixTime(_ text: String) throws(Failure) -> GoTime {
    guard let value = Int64(text) else {
      let digits = text.utf8.dropFirst(text.hasPrefix("-") || text.hasPrefix("+") ? 1 : 0)
      let isNumber = !digits.isEmpty && digits.allSatisfy { (48...57).contains($0) }
      let problem = isNumber ? "value out of range" : "invalid syntax"
      throw Failure(
        "unable to parse time '\(text)': strconv.ParseInt: parsing \(GoString.quote(text)): \(problem)")
    }
    switch text.utf8.count {
    case 5: return GoTime(seconds: value * 86_400)
    case 10: return GoTime(seconds: value)
    case 13: return time(value, perSecond: 1000)
    case 16: return time(value, perSecond: 1_000_000)
    case 19: return time(value, perSecond: 1_000_000_000)
    default: throw Failure("unable to parse time '\(text)': %!w(<nil>)")
    }
  }

  private static func time(_ value: Int64, perSecond: Int64) -> GoTime {
    var (seconds, rest) = value.quotientAndRemainder(dividingBy: perSecond)
    if rest < 0 {
      seconds -= 1
      rest += perSecond
    }
    return GoTime(seconds: seconds, nanoseconds: Int(rest * (1_000_000_000 / perSecond)))
  }
}
