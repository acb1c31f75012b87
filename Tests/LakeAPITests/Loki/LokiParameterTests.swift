import LakeModel
import LakeQuery
import Testing

@testable import LakeAPI

struct LokiParameterTests {
  private let now = Timestamp(nanoseconds: 1_700_000_000_000_000_000)

  private func parameters(_ query: String, form: String? = nil) throws -> LokiParameters {
    var request = HTTPRequest(method: "GET", path: "/", query: query)
    if let form {
      request.method = "POST"
      request.headers.set("Content-Type", "application/x-www-form-urlencoded")
      request.body = Bytes(form)
    }
    return try LokiParameters(request, now: now)
  }

  private func message<T>(_ body: () throws -> T) -> String {
    do {
      _ = try body()
      return "none"
    } catch let refusal as LokiRefusal {
      #expect(refusal.status == 400)
      return refusal.message
    } catch {
      return "\(error)"
    }
  }

  @Test(
    "times are seconds, seconds with a fraction, nanoseconds or RFC 3339",
    arguments: [
      ("1700000000", 1_700_000_000_000_000_000), ("0", 0), ("9999999999", 9_999_999_999_000_000_000),
      ("10000000000", 10_000_000_000), ("1768471200000000001", 1_768_471_200_000_000_001),
      ("1768473600.75", 1_768_473_600_750_000_000), ("1768473600.1239", 1_768_473_600_124_000_000),
      ("1.", 1_000_000_000),
      ("2026-01-15T10:40:00Z", 1_768_473_600_000_000_000), ("2026-01-15T11:40:00.5+01:00", 1_768_473_600_500_000_000),
      ("2024-02-29T00:00:00.000000001Z", 1_709_164_800_000_000_001), ("1970-01-01T00:00:00Z", 0), ("-5", 0),
    ] as [(String, UInt64)])
  func times(text: String, nanoseconds: UInt64) {
    #expect(LokiTime.parse(text) == .success(Timestamp(nanoseconds: nanoseconds)))
  }

  @Test(
    "anything else is no time",
    arguments: [
      "garbage", "", "1e9", "12x", "2026-01-15", "2026-13-15T10:40:00Z", "2023-02-29T00:00:00Z", "2026-01-15T24:00:00Z",
      "2026-01-15T10:40:00", "2026-01-15t10:40:00Z", "2026-01-15T10:40:00.Z", "2026-01-15T10:40:00Zx",
    ])
  func badTimes(text: String) {
    #expect(
      LokiTime.parse(text)
        == .failure(LokiTime.Malformed(message: "strconv.ParseInt: parsing \"\(text)\": invalid syntax")))
  }

  @Test("a number of more than 64 bits says so")
  func hugeTime() {
    #expect(
      LokiTime.parse("99999999999999999999")
        == .failure(
          LokiTime.Malformed(
            message: "strconv.ParseInt: parsing \"99999999999999999999\": value out of range")))
  }

  @Test("without times the last hour is meant; since counts back from the end or from now")
  func bounds() throws {
    let hour: UInt64 = 3_600_000_000_000
    let n = now.nanoseconds
    #expect(try parameters("").bounds() == .init(start: Timestamp(nanoseconds: n - hour), end: now))
    #expect(try parameters("since=30m").bounds().start.nanoseconds == n - hour / 2)
    #expect(try parameters("end=1699990000&since=1h").bounds().start.nanoseconds == 1_699_986_400_000_000_000)
    #expect(try parameters("end=1800000000&since=1h").bounds().start.nanoseconds == n - hour)
    #expect(try parameters("start=5&since=1h").bounds().start.nanoseconds == 5_000_000_000)
    #expect(
      try parameters("end=10").bounds()
        == .init(start: Timestamp(nanoseconds: 0), end: Timestamp(nanoseconds: 10_000_000_000)))
  }

  @Test("what is wrong with a parameter is said in Loki's words")
  func messages() throws {
    #expect(
      message { try parameters("start=x").bounds() }
        == "could not parse 'start' parameter: strconv.ParseInt: parsing \"x\": invalid syntax")
    #expect(
      message { try parameters("end=x").bounds() }
        == "could not parse 'end' parameter: strconv.ParseInt: parsing \"x\": invalid syntax")
    #expect(
      message { try parameters("since=1x").bounds() }
        == "could not parse 'since' parameter: unknown unit \"x\" in duration \"1x\"")
    #expect(message { try parameters("time=x").time() } == "strconv.ParseInt: parsing \"x\": invalid syntax")
    #expect(
      message { try parameters("start=2&end=1").orderedBounds() }
        == "end timestamp must not be before or equal to start time")
    #expect(message { try parameters("limit=0").limit() } == "limit must be a positive value")
    #expect(message { try parameters("limit=-1").limit() } == "limit must be a positive value")
    #expect(message { try parameters("limit=abc").limit() } == "strconv.Atoi: parsing \"abc\": invalid syntax")
    #expect(message { try parameters("direction=up").direction() } == "invalid direction 'up'")
    #expect(message { try parameters("interval=-1").interval() } == "interval must be >= 0")
    #expect(message { try parameters("interval=x").interval() } == "cannot parse \"x\" to a valid duration")
    #expect(
      message { try parameters("interval=1e300").interval() }
        == "cannot parse \"1e300\" to a valid duration. It overflows int64")
    #expect(message { try parameters("interval=NaN").interval() } == "interval must be >= 0")
    #expect(message { try parameters("a=%zz") } == "invalid URL escape \"%zz\"")
  }

  @Test("steps are seconds or durations, a 250th of the range by default, and bounded")
  func steps() throws {
    let day = try parameters("start=0&end=86400").bounds()
    #expect(try parameters("").step(day) == .seconds(345))
    #expect(try parameters("").step(try parameters("start=0&end=10").bounds()) == .seconds(1))
    #expect(try parameters("step=300.5").step(day) == .milliseconds(300_500))
    #expect(try parameters("step=1m").step(day) == .seconds(60))
    #expect(
      message { try parameters("step=0").step(day) }
        == "zero or negative query resolution step widths are not accepted. Try a positive integer")
    let eleven = try parameters("start=0&end=11000").bounds()
    #expect(try parameters("step=1").step(eleven) == .seconds(1))
    #expect(
      message { try parameters("step=1").step(try parameters("start=0&end=11001").bounds()) }
        == "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter"
    )
  }

  @Test("a form's values come before the query's; an empty value counts as absent")
  func forms() throws {
    #expect(try parameters("query=a&limit=5", form: "query=%7Bx%3D%22y%22%7D+z").query == "{x=\"y\"} z")
    #expect(try parameters("limit=7", form: "limit=9").limit() == 9)
    #expect(try parameters("limit=&direction=").limit() == 100)
    #expect(try parameters("match=a&match=b", form: "match=c").all("match") == ["c", "a", "b"])
  }

  @Test("directions have no case", arguments: [("forward", true), ("FORWARD", true), ("Backward", false), ("", false)])
  func directions(text: String, isForward: Bool) throws {
    #expect(try parameters("direction=\(text)").direction() == (isForward ? .forward : .backward))
  }
}
