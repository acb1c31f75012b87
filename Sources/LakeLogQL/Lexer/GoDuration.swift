import LakeModel

/// Durations as Prometheus (`1d12h`) and Go (`1.5h`, `-3us`) write them.
package enum GoDuration {
  package struct Malformed: Error, Hashable, Sendable {
    package let message: String
  }

  private static let prometheusUnits: [(name: String, rank: Int, nanoseconds: UInt64)] = [
    ("ms", 7, 1_000_000), ("s", 6, 1_000_000_000), ("m", 5, 60_000_000_000), ("h", 4, 3_600_000_000_000),
    ("d", 3, 86_400_000_000_000), ("w", 2, 604_800_000_000_000), ("y", 1, 31_536_000_000_000_000),
  ]

  /// Whole numbers with units from years to milliseconds, biggest first, each once; or a bare `0`.
  package static func parsePrometheus(_ text: String) -> Result<Duration, Malformed> {
    if text == "0" { return .success(.zero) }
    if text.isEmpty { return .failure(Malformed(message: "empty duration string")) }
    let invalid = Malformed(message: "not a valid duration string: \(GoString.quote(text))")
    let tooLong = Malformed(message: "duration out of range")
    var rest = Substring(text)
    var sum: UInt64 = 0
    var rank = 0
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isASCII && $0.isNumber }
      guard let value = UInt64(digits) else { return .failure(invalid) }
      rest = rest.dropFirst(digits.count)
      let name = rest.prefix { !($0.isASCII && $0.isNumber) }
      if name.isEmpty { return .failure(invalid) }
      rest = rest.dropFirst(name.count)
      guard let unit = prometheusUnits.first(where: { $0.name == name }) else {
        let unit = GoString.quote(String(name))
        return .failure(Malformed(message: "unknown unit \(unit) in duration \(GoString.quote(text))"))
      }
      guard unit.rank > rank else { return .failure(invalid) }
      rank = unit.rank
      let (product, overflow) = value.multipliedReportingOverflow(by: unit.nanoseconds)
      if overflow || product > UInt64(Int64.max) - sum { return .failure(tooLong) }
      sum += product
    }
    return .success(.nanoseconds(Int64(sum)))
  }

  /// Fractions with units from hours to nanoseconds, with a sign.
  package static func parseGo(_ text: String) -> Duration? {
    if case .success(let duration) = readGo(text) { return duration }
    return nil
  }

  /// As `parseGo`, with Go's message.
  package static func readGo(_ text: String) -> Result<Duration, Malformed> {
    func malformed(_ what: String) -> Result<Duration, Malformed> {
      .failure(Malformed(message: "time: \(what) duration \(quoted(text))"))
    }
    var rest = Array(text.utf8)[...]
    let isNegative = rest.first == UInt8(ascii: "-")
    if isNegative || rest.first == UInt8(ascii: "+") { rest = rest.dropFirst() }
    if rest.elementsEqual("0".utf8) { return .success(.zero) }
    if rest.isEmpty { return malformed("invalid") }
    var sum: UInt64 = 0
    while !rest.isEmpty {
      switch takePart(&rest) {
      case .invalid: return malformed("invalid")
      case .missingUnit: return malformed("missing unit in")
      case .unknownUnit(let unit): return malformed("unknown unit \(quoted(unit)) in")
      case .nanoseconds(let part):
        let (next, overflow) = sum.addingReportingOverflow(part)
        if overflow || next > 1 << 63 { return malformed("invalid") }
        sum = next
      }
    }
    if isNegative { return .success(.nanoseconds(sum == 1 << 63 ? Int64.min : -Int64(sum))) }
    return sum > UInt64(Int64.max) ? malformed("invalid") : .success(.nanoseconds(Int64(sum)))
  }

  /// The package time quotes bytes where strconv quotes characters.
  private static func quoted(_ text: String) -> String {
    var out = "\""
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"): out += "\\" + String(Unicode.Scalar(byte))
      case 0x20..<0x80: out.unicodeScalars.append(Unicode.Scalar(byte))
      default: out += "\\x" + Hex.text([byte])
      }
    }
    return out + "\""
  }

  private enum Part {
    case nanoseconds(UInt64)
    case invalid
    case missingUnit
    case unknownUnit(String)
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  /// One number with its unit.
  private static func takePart(_ rest: inout ArraySlice<UInt8>) -> Part {
    let whole = rest.prefix(while: isDigit)
    rest = rest.dropFirst(whole.count)
    var fraction = rest.prefix(0)
    if rest.first == UInt8(ascii: ".") {
      rest = rest.dropFirst()
      fraction = rest.prefix(while: isDigit)
      rest = rest.dropFirst(fraction.count)
    }
    if whole.isEmpty && fraction.isEmpty { return .invalid }
    var count: UInt64 = 0
    for digit in whole {
      if count > (1 << 63) / 10 { return .invalid }
      count = count * 10 + UInt64(digit - 48)
      if count > 1 << 63 { return .invalid }
    }
    let unit = String(decoding: rest.prefix { $0 != UInt8(ascii: ".") && !isDigit($0) }, as: UTF8.self)
    rest = rest.dropFirst(unit.utf8.count)
    let scale: UInt64
    switch unit {
    case "": return .missingUnit
    case "ns": scale = 1
    case "us", "\u{B5}s", "\u{3BC}s": scale = 1000
    case "ms": scale = 1_000_000
    case "s": scale = 1_000_000_000
    case "m": scale = 60_000_000_000
    case "h": scale = 3_600_000_000_000
    default: return .unknownUnit(unit)
    }
    if count > (1 << 63) / scale { return .invalid }
    // Digits of the fraction beyond what 63 bits hold change nothing.
    var numerator: UInt64 = 0
    var denominator = 1.0
    for digit in fraction {
      if numerator > UInt64(Int64.max) / 10 { break }
      numerator = numerator * 10 + UInt64(digit - 48)
      denominator *= 10
    }
    let extra = UInt64(Double(numerator) * (Double(scale) / denominator))
    let (sum, overflow) = (count * scale).addingReportingOverflow(extra)
    return overflow || sum > 1 << 63 ? .invalid : .nanoseconds(sum)
  }

  /// Either form.
  package static func parseLenient(_ text: String) -> Duration? {
    if case .success(let duration) = parsePrometheus(text) { return duration }
    return parseGo(text)
  }

  /// `1h30m0s`, `1.5ms`, `0s`: Go's `time.Duration.String`.
  package static func goText(_ duration: Duration) -> String {
    let nanoseconds = duration.nanoseconds
    if nanoseconds == 0 { return "0s" }
    let magnitude = nanoseconds.magnitude
    let sign = nanoseconds < 0 ? "-" : ""
    func decimal(_ value: UInt64, _ digits: Int) -> String {
      var fraction = String(value % power10(digits))
      fraction = String(repeating: "0", count: digits - fraction.count) + fraction
      while fraction.last == "0" { fraction.removeLast() }
      let whole = String(value / power10(digits))
      return fraction.isEmpty ? whole : whole + "." + fraction
    }
    if magnitude < 1000 { return "\(sign)\(magnitude)ns" }
    if magnitude < 1_000_000 { return sign + decimal(magnitude, 3) + "\u{B5}s" }
    if magnitude < 1_000_000_000 { return sign + decimal(magnitude, 6) + "ms" }
    let minute: UInt64 = 60_000_000_000
    var out = decimal(magnitude % minute, 9) + "s"
    let minutes = magnitude / minute
    if minutes > 0 { out = "\(minutes % 60)m" + out }
    if minutes >= 60 { out = "\(minutes / 60)h" + out }
    return sign + out
  }

  private static func power10(_ exponent: Int) -> UInt64 { (0..<exponent).reduce(1) { value, _ in value * 10 } }

  /// `1w`, `1d12h`, `30s`: as Prometheus writes durations, down to milliseconds.
  package static func prometheusText(_ duration: Duration) -> String {
    var left = duration.nanoseconds / 1_000_000
    if left == 0 { return "0s" }
    var out = left < 0 ? "-" : ""
    left = Int64(clamping: left.magnitude)
    let units: [(String, Int64, Bool)] = [
      ("y", 31_536_000_000, true), ("w", 604_800_000, true), ("d", 86_400_000, false), ("h", 3_600_000, false),
      ("m", 60_000, false), ("s", 1000, false), ("ms", 1, false),
    ]
    for (name, size, isExact) in units {
      if isExact && left % size != 0 { continue }
      let count = left / size
      if count > 0 {
        out += "\(count)\(name)"
        left -= count * size
      }
    }
    return out
  }
}
