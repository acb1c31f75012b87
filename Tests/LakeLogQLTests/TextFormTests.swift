import Testing

@testable import LakeLogQL
@testable import LakeModel

struct TextFormTests {
  @Test(
    "Prometheus durations",
    arguments: [
      ("0", 0), ("5m", 300_000), ("1h30m", 5_400_000), ("1y2w3d4h5m6s7ms", 33_019_506_007), ("15ms", 15),
    ])
  func prometheusDurations(text: String, milliseconds: Int) {
    #expect(GoDuration.parsePrometheus(text) == .success(.milliseconds(milliseconds)))
  }

  @Test(
    "what is no Prometheus duration, and why",
    arguments: [
      ("", "empty duration string"), ("5", "not a valid duration string: \"5\""),
      ("m", "not a valid duration string: \"m\""), ("1m1h", "not a valid duration string: \"1m1h\""),
      ("1m1m", "not a valid duration string: \"1m1m\""), ("1x", "unknown unit \"x\" in duration \"1x\""),
      ("1.5h", "unknown unit \".\" in duration \"1.5h\""), ("300y", "duration out of range"),
      ("-1m", "not a valid duration string: \"-1m\""),
      ("99999999999999999999s", "not a valid duration string: \"99999999999999999999s\""),
    ])
  func badPrometheusDurations(text: String, message: String) {
    #expect(GoDuration.parsePrometheus(text) == .failure(GoDuration.Malformed(message: message)))
  }

  @Test(
    "Go durations",
    arguments: [
      ("1.5h", 5_400_000_000_000), ("-3us", -3000), ("2\u{B5}s", 2000), ("1h2m3.5s", 3_723_500_000_000), ("0", 0),
      (".5s", 500_000_000), ("9223372036854775807ns", Int64.max), ("-9223372036854775808ns", Int64.min),
    ])
  func goDurations(text: String, nanoseconds: Int64) {
    #expect(GoDuration.parseGo(text) == .nanoseconds(nanoseconds))
  }

  @Test("what is no Go duration", arguments: ["", "1", "-", ".s", "1d", "9223372036854775808ns", "1h 2m", "1..5s"])
  func badGoDurations(text: String) { #expect(GoDuration.parseGo(text) == nil) }

  @Test(
    "durations as Go and Prometheus print them",
    arguments: [
      (0, "0s", "0s"), (1, "1ns", "0s"), (1500, "1.5\u{B5}s", "0s"), (2_000_000, "2ms", "2ms"),
      (300_000_000_000, "5m0s", "5m"), (5_400_000_000_000, "1h30m0s", "1h30m"), (86_400_000_000_000, "24h0m0s", "1d"),
      (604_800_000_000_000, "168h0m0s", "1w"), (-300_000_000_000, "-5m0s", "-5m"),
      (694_800_000_000_000, "193h0m0s", "8d1h"),
    ])
  func printed(nanoseconds: Int64, go: String, prometheus: String) {
    #expect(GoDuration.goText(.nanoseconds(nanoseconds)) == go)
    #expect(GoDuration.prometheusText(.nanoseconds(nanoseconds)) == prometheus)
  }

  @Test(
    "sizes",
    arguments: [
      ("5B", 5), ("1kB", 1000), ("1KiB", 1024), ("1.5MB", 1_500_000), ("2GiB", 2_147_483_648), ("1k", 1000),
      ("42 mib", 44_040_192), ("1,000", 1000),
    ])
  func sizes(text: String, bytes: UInt64) { #expect(ByteSize.parse(text) == bytes) }

  @Test("what is no size", arguments: ["", "x", "5XB", "1e3B", "99999999EB", "-1B"])
  func badSizes(text: String) { #expect(ByteSize.parse(text) == nil) }

  @Test(
    "sizes as printed",
    arguments: [(0, "0B"), (9, "9B"), (10, "10B"), (1536, "1.5kB"), (12_345_678, "12MB"), (5_000_000_000, "5.0GB")])
  func printedSizes(bytes: UInt64, text: String) { #expect(ByteSize.text(bytes) == text) }

  @Test(
    "numbers as Go prints them",
    arguments: [
      (0.0, "0", "0"), (-0.0, "-0", "-0"), (1, "1", "1"), (0.1, "0.1", "0.1"),
      (1e21, "1000000000000000000000", "1e+21"),
      (1e-7, "0.0000001", "1e-07"), (123456.789, "123456.789", "123456.789"), (1_234_567, "1234567", "1.234567e+06"),
      (0.30666666666666664, "0.30666666666666664", "0.30666666666666664"), (.infinity, "+Inf", "+Inf"),
      (-.infinity, "-Inf", "-Inf"), (.nan, "NaN", "NaN"),
      (.leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5", "5e-324"),
    ])
  func numbers(value: Double, fixed: String, general: String) {
    #expect(FloatText.fixed(value) == fixed)
    #expect(FloatText.general(value) == general)
  }

  @Test("numbers as Go reads them")
  func readNumbers() {
    for (text, value) in [
      ("1", 1.0), ("017", 17), ("1e3", 1000), (".5", 0.5), ("0x1p3", 8), ("+Inf", .infinity), ("-1.", -1),
      ("1_000", 1000), ("10_00.5", 1000.5), ("0x1_0p1", 32), ("1e1_0", 1e10),
    ] {
      #expect(FloatText.parse(text).value == value)
    }
    #expect(FloatText.parse("NaN").value?.isNaN == true)
    for text in ["", "x", "1x", "0x1F", "0x1_0", "1__0", "_1", "1_", "1_e5", "1_.5", "1e", " 1", "+nan", "0b1"] {
      #expect(FloatText.parse(text).problem == "strconv.ParseFloat: parsing \"\(text)\": invalid syntax")
    }
    #expect(FloatText.parse("1e400").problem == "strconv.ParseFloat: parsing \"1e400\": value out of range")
  }

  @Test("strings as Go quotes them")
  func quoted() {
    #expect(GoString.quote("a\"\\\n\t\u{1}\u{7f}é\u{200b}😀") == #""a\"\\\n\t\x01\x7fé\u200b😀""#)
  }

  @Test(
    "addresses, ranges and prefixes",
    arguments: [
      "1.2.3.4", "10.0.0.0/8", "1.2.3.4-1.2.3.9", "::1", "2001:db8::/32", "::ffff:1.2.3.4", "fe80::1%eth0", "::",
      "1:2:3:4:5:6:7:8", "2001:db8::1-2001:db8::5",
    ])
  func addresses(text: String) { #expect(IPPattern.isValid(text)) }

  @Test(
    "what is no address",
    arguments: [
      "", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4/33", "1.2.3.4/", "1.2.3.4/08", "1.2.3.9-1.2.3.4", "1.2.3.4-::1",
      "1::2::3", ":1", "1:2:3:4:5:6:7", "12345::", "::1%", "::/129", "1.2.3.4 ", "1:2:3:4:5:6:7:8:9", "1::2:",
    ])
  func notAddresses(text: String) { #expect(!IPPattern.isValid(text)) }

  @Test("line patterns split into literals, captures and gaps")
  func patterns() {
    #expect(
      LogQL.LinePattern.parser("<ip> - <_> <x y> <1>")
        == .success(LogQL.LinePattern(parts: [.capture("ip"), .literal(" - "), .skip, .literal(" <x y> <1>")])))
    #expect(LogQL.LinePattern.filter("") == .success(LogQL.LinePattern(parts: [])))
    #expect(
      LogQL.LinePattern.filter("a<b>")
        == .failure(LogQL.LinePattern.Malformed(message: "named captures are not allowed: found '<b>'")))
  }

  @Test("paths of the json parser")
  func paths() {
    #expect(
      LogQL.ExtractionPath.json("a.b[0][\"c d\"]")
        == .success(LogQL.ExtractionPath(steps: [.member("a"), .member("b"), .element(0), .member("c d")])))
    #expect(
      LogQL.ExtractionPath.json("a b")
        == .failure(LogQL.ExtractionPath.Malformed(message: "syntax error: unexpected FIELD")))
    #expect(
      LogQL.ExtractionPath.logfmt("\"a b\"") == .success(LogQL.ExtractionPath(steps: [.member("a b")])))
  }
}
