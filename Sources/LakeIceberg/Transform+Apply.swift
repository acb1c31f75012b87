package import LakeSchema

// Source: Iceberg table specification, "Partition Transforms".

extension Transform {
  /// The partition value of a column value (null in, null out).
  ///
  /// - Parameter type: of the column.
  /// - Throws: `.invalid` when the transform does not take the value; `.unsupported` for a transform we do not know.
  package func apply(_ value: Datum?, type: FieldType) throws(IcebergError) -> Datum? {
    if case .unknown(let text) = self { throw .unsupported("partition transform \(text)") }
    guard let value, self != .void else { return nil }
    guard accepts(type), let value = value.converted(to: type) else {
      throw .invalid("\(text) does not take \(value) of type \(type)")
    }
    switch self {
    case .identity: return value
    case .void, .unknown: return nil
    case .bucket(let count): return value.bucketHash.map { .int(($0 & .max) % Int32(clamping: count)) }
    case .truncate(let width): return value.truncated(width: width)
    case .year, .month, .day, .hour:
      guard let part = timePart(of: value, type: type) else { throw .invalid("\(text) of \(value) is out of range") }
      return .int(part)
    }
  }

  private static let microsecondsPerDay: Int64 = 86_400_000_000

  private func timePart(of value: Datum, type: FieldType) -> Int32? {
    let days: Int64
    switch (value, type) {
    case (.int(let date), .date): days = Int64(date)
    case (.long(let time), _):
      if self == .hour { return Int32(exactly: Self.floorDivide(time, 3_600_000_000)) }
      days = Self.floorDivide(time, Self.microsecondsPerDay)
    default: return nil
    }
    let civil = CivilDate(daysSinceEpoch: days)
    return switch self {
    case .year: Int32(exactly: civil.year - 1970)
    case .month: Int32(exactly: (civil.year - 1970) * 12 + Int64(civil.month) - 1)
    default: Int32(exactly: days)
    }
  }

  static func floorDivide(_ value: Int64, _ by: Int64) -> Int64 {
    let quotient = value / by
    return value % by < 0 ? quotient - 1 : quotient
  }
}

extension Datum {
  /// - Parameter width: digits' multiple for numbers, characters of text, bytes. Numbers wrap around below the least one, as
  ///   the reference implementation does.
  func truncated(width: Int) -> Datum {
    switch self {
    case .int(let value):
      let width = Int32(clamping: width)
      let rest = value % width
      return .int(value &- (rest < 0 ? rest + width : rest))
    case .long(let value):
      let rest = value % Int64(width)
      return .long(value &- (rest < 0 ? rest + Int64(width) : rest))
    case .decimal(let value):
      let rest = value % Int128(width)
      return .decimal(value &- (rest < 0 ? rest + Int128(width) : rest))
    case .string(let value): return .string(String(String.UnicodeScalarView(value.unicodeScalars.prefix(width))))
    case .binary(let value): return .binary(Array(value.prefix(width)))
    default: return self
    }
  }
}

/// A day of the proleptic Gregorian calendar.
struct CivilDate {
  let year: Int64
  /// 1 to 12.
  let month: Int
  /// 1 to 31.
  let day: Int

  /// Eras of 400 years that begin on 1 March make every month but the last a fixed pattern.
  init(daysSinceEpoch: Int64) {
    let shifted = daysSinceEpoch + 719_468
    let era = Transform.floorDivide(shifted, 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = Int(dayOfYear - (153 * monthFromMarch + 2) / 5 + 1)
    month = Int(monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9)
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }
}
