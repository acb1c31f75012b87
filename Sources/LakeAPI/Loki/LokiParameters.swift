import LakeLogQL
import LakeModel
import LakePorts
import LakeQuery

/// Parameters as Loki reads them. Source: the recorded cases `params`.
struct LokiParameters: Sendable {
  private let fields: RequestParameters
  let now: Timestamp

  static let entriesDefault = 100
  static let sinceDefault = Duration.seconds(3600)
  static let pointsMax: Int64 = 11_000

  init(_ request: HTTPRequest, now: Timestamp) throws(LokiRefusal) {
    do throws(RequestParameters.MalformedParameters) {
      fields = try RequestParameters(request)
    } catch {
      throw .badRequest(error.description)
    }
    self.now = now
  }

  /// The value; empty counts as absent.
  subscript(_ name: String) -> String? { fields[name].flatMap { $0.isEmpty ? nil : $0 } }

  func all(_ name: String) -> [String] { fields.all(name) }

  var query: String { fields["query"] ?? "" }

  struct Bounds: Sendable, Hashable {
    var start: Timestamp
    var end: Timestamp

    /// Nanoseconds between, negative when the end comes first.
    var length: Int64 { Int64(clamping: Int128(end.nanoseconds) - Int128(start.nanoseconds)) }

    /// Counted in whole milliseconds.
    func check(lengthMax: Duration) throws(LokiRefusal) {
      let milliseconds = Int128(end.nanoseconds / 1_000_000) - Int128(start.nanoseconds / 1_000_000)
      let length = Int64(clamping: milliseconds * 1_000_000)
      guard length > lengthMax.nanoseconds else { return }
      throw .badRequest(
        "the query time range exceeds the limit (query length: \(GoDuration.goText(.nanoseconds(length))), "
          + "limit: \(GoDuration.prometheusText(lengthMax)))")
    }
  }

  /// `start` and `end`; without a start, `since` (an hour) before the end or now, whichever is earlier.
  func bounds() throws(LokiRefusal) -> Bounds {
    var since = LokiParameters.sinceDefault
    if let text = self["since"] {
      switch GoDuration.parsePrometheus(text) {
      case .success(let duration): since = duration
      case .failure(let problem): throw .badRequest("could not parse 'since' parameter: \(problem.message)")
      }
    }
    let end = try time("end", prefix: true) ?? now
    let start = try time("start", prefix: true)
    let latest = min(end, now).nanoseconds
    let back = UInt64(max(0, since.nanoseconds))
    return Bounds(start: start ?? Timestamp(nanoseconds: latest >= back ? latest - back : 0), end: end)
  }

  /// As `bounds`, where the end must not come first.
  func orderedBounds() throws(LokiRefusal) -> Bounds {
    let bounds = try bounds()
    if bounds.end < bounds.start { throw .badRequest("end timestamp must not be before or equal to start time") }
    return bounds
  }

  func time() throws(LokiRefusal) -> Timestamp { try time("time", prefix: false) ?? now }

  private func time(_ name: String, prefix: Bool) throws(LokiRefusal) -> Timestamp? {
    guard let text = self[name] else { return nil }
    switch LokiTime.parse(text) {
    case .success(let time): return time
    case .failure(let problem):
      throw .badRequest(prefix ? "could not parse '\(name)' parameter: \(problem.message)" : problem.message)
    }
  }

  func limit(_ name: String = "limit", default standard: Int = entriesDefault) throws(LokiRefusal) -> Int {
    guard let text = self[name] else { return standard }
    switch LokiTime.integer(text, function: "Atoi") {
    case .failure(let problem): throw .badRequest(problem.message)
    case .success(let limit):
      if limit <= 0 { throw .badRequest("limit must be a positive value") }
      return Int(limit)
    }
  }

  func direction() throws(LokiRefusal) -> LogQueryRequest.Direction {
    guard let text = self["direction"] else { return .backward }
    switch text.uppercased() {
    case "FORWARD": return .forward
    case "BACKWARD": return .backward
    default: throw .badRequest("invalid direction '\(text)'")
    }
  }

  /// Without a step, a 250th of the range, in whole seconds.
  func step(_ bounds: Bounds) throws(LokiRefusal) -> Duration {
    let step: Duration
    if let text = self["step"] {
      step = try secondsOrDuration(text)
    } else {
      step = .seconds(max(bounds.length / 1_000_000_000 / 250, 1))
    }
    if step <= .zero {
      throw .badRequest(
        "zero or negative query resolution step widths are not accepted. Try a positive integer")
    }
    if bounds.length / step.nanoseconds > LokiParameters.pointsMax {
      throw .badRequest(
        "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter")
    }
    return step
  }

  func interval() throws(LokiRefusal) -> Duration {
    guard let text = self["interval"] else { return .zero }
    let interval = try secondsOrDuration(text)
    if interval < .zero { throw .badRequest("interval must be >= 0") }
    return interval
  }

  private func secondsOrDuration(_ text: String) throws(LokiRefusal) -> Duration {
    if let seconds = FloatText.parse(text).value {
      // Go's conversion makes the smallest number of it.
      if seconds.isNaN { return .nanoseconds(Int64.min) }
      let nanoseconds = seconds * 1e9
      guard let whole = Int64(exactly: nanoseconds.rounded(.towardZero)) else {
        throw .badRequest("cannot parse \(GoString.quote(text)) to a valid duration. It overflows int64")
      }
      return .nanoseconds(whole)
    }
    guard case .success(let duration) = GoDuration.parsePrometheus(text) else {
      throw .badRequest("cannot parse \(GoString.quote(text)) to a valid duration")
    }
    return duration
  }
}
