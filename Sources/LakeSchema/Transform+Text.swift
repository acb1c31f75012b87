extension Transform {
  /// As metadata spells it: `identity`, `bucket[16]`, `truncate[4]`, `day`.
  package var text: String {
    switch self {
    case .identity: "identity"
    case .year: "year"
    case .month: "month"
    case .day: "day"
    case .hour: "hour"
    case .void: "void"
    case .bucket(let count): "bucket[\(count)]"
    case .truncate(let width): "truncate[\(width)]"
    case .unknown(let text): text
    }
  }

  /// Anything this version does not know becomes `.unknown`, as the specification asks of readers.
  package init(_ text: String) {
    switch text {
    case "identity": self = .identity
    case "year": self = .year
    case "month": self = .month
    case "day": self = .day
    case "hour": self = .hour
    case "void": self = .void
    default:
      if let count = Transform.argument(of: text, name: "bucket") {
        self = .bucket(count)
      } else if let width = Transform.argument(of: text, name: "truncate") {
        self = .truncate(width)
      } else {
        self = .unknown(text)
      }
    }
  }

  /// The positive 32-bit number between the brackets.
  private static func argument(of text: String, name: String) -> Int? {
    guard text.hasPrefix("\(name)["), text.hasSuffix("]") else { return nil }
    let digits = text.dropFirst(name.count + 1).dropLast()
    guard let value = Int32(digits), value > 0 else { return nil }
    return Int(value)
  }

  /// Whether values of `type` may go in.
  package func accepts(_ type: FieldType) -> Bool {
    switch self {
    case .identity, .void, .unknown: return type.isPrimitive
    case .year, .month, .day:
      switch type {
      case .date, .timestamp, .timestamptz: return true
      default: return false
      }
    case .hour:
      switch type {
      case .timestamp, .timestamptz: return true
      default: return false
      }
    case .bucket:
      switch type {
      case .int, .long, .decimal, .date, .time, .timestamp, .timestamptz, .string, .uuid, .fixed, .binary: return true
      default: return false
      }
    case .truncate:
      switch type {
      case .int, .long, .decimal, .string, .binary: return true
      default: return false
      }
    }
  }

  /// The type of the values that come out; `day` gives a date (stored as an int), the other time parts an int.
  package func resultType(of source: FieldType) -> FieldType {
    switch self {
    case .identity, .truncate, .void: source
    case .bucket, .year, .month, .hour: .int
    case .day: .date
    case .unknown: .string
    }
  }
}
