import LakeModel

extension TemplateFunction {
  private static func integers(
    _ body: @escaping @Sendable (Int64, Int64) throws(Failure) -> Int64
  ) -> TemplateFunction {
    TemplateFunction(.any, .any) { arguments, _ throws(Failure) in
      .int64(try body(arguments[0].castInteger, arguments[1].castInteger))
    }
  }

  /// Over the first argument and all further ones.
  private static func folded(_ body: @escaping @Sendable (Int64, Int64) -> Int64) -> TemplateFunction {
    TemplateFunction(.any, rest: .any) { arguments, _ in
      .int64(arguments.dropFirst().reduce(arguments[0].castInteger) { body($0, $1.castInteger) })
    }
  }

  private static func decimals(
    _ body: @escaping @Sendable (DecimalNumber, DecimalNumber) -> DecimalNumber?,
    _ fallback: @escaping @Sendable (Double, Double) throws(Failure) -> Double
  ) -> TemplateFunction {
    TemplateFunction(.any, rest: .any) { arguments, _ throws(Failure) in
      let numbers = arguments.map(\.castFloat)
      for number in numbers where !number.isFinite { throw Failure("Cannot create a Decimal from \(number)") }
      var exact = DecimalNumber(numbers[0])
      for number in numbers.dropFirst() {
        exact = exact.flatMap { value in DecimalNumber(number).flatMap { body(value, $0) } }
      }
      if let exact { return .float(exact.double) }
      var value = numbers[0]
      for number in numbers.dropFirst() { value = try fallback(value, number) }
      return .float(value)
    }
  }

  private static func float(_ body: @escaping @Sendable (Double) -> Double) -> TemplateFunction {
    TemplateFunction(.any) { arguments, _ in .float(body(arguments[0].castFloat)) }
  }

  static let numberFunctions: [String: TemplateFunction] = [
    "int": TemplateFunction(.any) { arguments, _ in .int(arguments[0].castInteger) },
    "float64": float { $0 },
    "add": TemplateFunction(rest: .any) { arguments, _ in
      .int64(arguments.reduce(0) { $0 &+ $1.castInteger })
    },
    "sub": integers { $0 &- $1 },
    "mul": folded { $0 &* $1 },
    "div": integers { a, b throws(Failure) in
      if b == 0 { throw Failure("runtime error: integer divide by zero") }
      return a.dividedReportingOverflow(by: b).partialValue
    },
    "mod": integers { a, b throws(Failure) in
      if b == 0 { throw Failure("runtime error: integer divide by zero") }
      return a.remainderReportingOverflow(dividingBy: b).partialValue
    },
    "max": folded { max($0, $1) },
    "min": folded { min($0, $1) },
    "addf": TemplateFunction(rest: .any) { arguments, _ throws(Failure) in
      try sumOfDecimals.run([.float(0)] + arguments, TemplateEnvironment(now: GoTime(seconds: 0), labels: { [] }))
    },
    "subf": decimals({ $0.adding($1.negated) }) { $0 - $1 },
    "mulf": decimals({ $0.multiplied(by: $1) }) { $0 * $1 },
    "divf": decimals({ $0.divided(by: $1) }) { a, b throws(Failure) in
      if b == 0 { throw Failure("decimal division by 0") }
      return a / b
    },
    "maxf": TemplateFunction(.any, rest: .any) { arguments, _ in
      .float(arguments.dropFirst().reduce(arguments[0].castFloat) { max($0, $1.castFloat) })
    },
    "minf": TemplateFunction(.any, rest: .any) { arguments, _ in
      .float(arguments.dropFirst().reduce(arguments[0].castFloat) { min($0, $1.castFloat) })
    },
    "ceil": float { $0.rounded(.up) },
    "floor": float { $0.rounded(.down) },
    "round": TemplateFunction(.any, .int, rest: .float) { arguments, _ in
      var threshold = 0.5
      if arguments.count > 2, case .float(let value) = arguments[2] { threshold = value }
      return .float(rounded(arguments[0].castFloat, places: arguments.int(1), threshold: threshold))
    },
    "bytes": TemplateFunction(.string) { arguments, _ throws(Failure) in
      switch ByteSize.read(arguments.string(0)) {
      case .success(let size): .float(Double(size))
      case .failure(let problem): throw Failure(problem.message)
      }
    },
    "duration": seconds, "duration_seconds": seconds,
  ]

  private static let sumOfDecimals = decimals({ $0.adding($1) }) { $0 + $1 }

  private static let seconds = TemplateFunction(.string) { arguments, _ throws(Failure) in
    switch GoDuration.readGo(arguments.string(0)) {
    case .success(let duration):
      let nanoseconds = duration.nanoseconds
      return .float(Double(nanoseconds / 1_000_000_000) + Double(nanoseconds % 1_000_000_000) / 1e9)
    case .failure(let problem): throw Failure(problem.message)
    }
  }

  private static func rounded(_ value: Double, places: Int, threshold: Double) -> Double {
    let scale = FloatText.power(10, Double(places))
    let scaled = scale * value
    let fraction = scaled - scaled.rounded(.towardZero)
    return (fraction >= threshold ? scaled.rounded(.up) : scaled.rounded(.down)) / scale
  }
}

/// Decimal arithmetic as exact as sprig's, within 38 digits; beyond that the caller falls back to doubles.
struct DecimalNumber {
  private let digits: Int128
  private let exponent: Int

  private init(_ digits: Int128, _ exponent: Int) {
    self.digits = digits
    self.exponent = exponent
  }

  /// The shortest decimal that reads as this number.
  init?(_ value: Double) {
    guard value.isFinite, abs(value) < 1e30, value == 0 || abs(value) > 1e-30 else { return nil }
    let text = FloatText.fixed(value)
    let fraction = text.split(separator: ".").dropFirst().first?.count ?? 0
    guard let digits = Int128(text.filter { $0 != "." }) else { return nil }
    self.init(digits, -fraction)
  }

  var double: Double { Double("\(digits)e\(exponent)") ?? .nan }
  var negated: DecimalNumber { DecimalNumber(0 &- digits, exponent) }

  private func scaled(to target: Int) -> Int128? {
    var value = digits
    for _ in 0..<(exponent - target) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
    }
    return value
  }

  func adding(_ other: DecimalNumber) -> DecimalNumber? {
    let target = min(exponent, other.exponent)
    guard let a = scaled(to: target), let b = other.scaled(to: target) else { return nil }
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? nil : DecimalNumber(sum, target)
  }

  func multiplied(by other: DecimalNumber) -> DecimalNumber? {
    let (product, overflow) = digits.multipliedReportingOverflow(by: other.digits)
    return overflow ? nil : DecimalNumber(product, exponent + other.exponent)
  }

  /// To 16 decimals, halves away from zero.
  func divided(by other: DecimalNumber) -> DecimalNumber? {
    if other.digits == 0 { return nil }
    // digits * 10^(exponent - other.exponent + 16) / other.digits, in units of 10^-16.
    let shift = exponent - other.exponent + 16
    let numerator = shift >= 0 ? scaled(to: exponent - shift) : digits
    let denominator = shift < 0 ? DecimalNumber(other.digits, -shift).scaled(to: 0) : other.digits
    guard let numerator, let denominator else { return nil }
    let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
    let isHalf = remainder.magnitude >= denominator.magnitude - remainder.magnitude
    let away: Int128 = (numerator < 0) == (denominator < 0) ? 1 : -1
    return DecimalNumber(isHalf ? quotient + away : quotient, -16)
  }
}
