import Foundation
import LakeModel
import LakeQuery
import LakeShift
import Testing

@testable import LakeAPI

/// Requests that nobody in his right mind sends: every one is answered, none traps, and errors are the manual's JSON.
@Suite struct RandomRequestTests {
  static let base: UInt64 = 1_768_473_600_000_000_000

  private static let paths = [
    "query_range", "query", "labels", "label/level/values", "label//values", "label/%FF/values", "series",
    "index/stats",
    "index/volume", "index/volume_range", "detected_labels", "detected_fields", "detected_field/msg/values", "patterns",
    "format_query", "explain", "tail", "status/buildinfo", "nosuch", "",
  ]
  private static let queries = [
    #"{service_name="web"}"#, #"{service_name=~"w.*"} |= "a" | json | status >= 400"#, "{}", "", "{", "vector(1)",
    #"sum by (level) (rate({service_name="web"}[1m]))"#, #"topk(2, count_over_time({level=~".+"}[5m])) > 0"#,
    #"quantile_over_time(0.9, {level="info"} | logfmt | unwrap took [1m]) by (level)"#,
    #"{service_name="web"} | logfmt | line_format "{{.msg | ToUpper}}{{.x}}""#, #"{a="b"} |~ "((((((a+)+)+)+)+)+$""#,
    #"{service_name="web"} | pattern "<_> <x> <_>""#, #"absent_over_time({a="z"}[1h])"#, "1/0", #"{a="\xff"}"#,
  ]
  /// Those, and every query that was recorded, damaged ones too.
  private static let allQueries: [String] = {
    let recorded = (try? RecordedCase.load("loki-3.7.6/answers.json")) ?? []
    let asked = recorded.flatMap { $0.parameters.filter { $0.0 == "query" }.map(\.1) }
    let parsed = try? JSONSerialization.jsonObject(
      with: Data(contentsOf: RecordedCase.root.appendingPathComponent("loki-3.7.6/parser.json")))
    return queries + asked + (parsed as? [[String: String]] ?? []).compactMap { $0["query"] }
  }()

  /// Words and signs of the language.
  private static let tokens: [String] = {
    let words = """
      { } ( ) [ ] , | |= != |~ !~ |> !> = == > >= < <= =~ + - * / % ^ and or unless bool on ignoring group_left group_right
      by without json logfmt regexp pattern unpack line_format label_format decolorize drop keep unwrap ip offset __error__
      --strict --keep-empty sum rate topk sort_desc quantile_over_time count_over_time absent_over_time label_replace vector
      variants of first_over_time rate_counter duration(took) bytes [5m] [1y] [1ns] 5m 1e400 -1 9999999999999999999 NaN 1KB
      "a" `b` "(a|b)*" "<x> <_>" "{{.a}}" service_name level took @ # \u{0} 日本 \\ '
      """
    return words.split { $0 == " " || $0 == "\n" }.map(String.init)
  }()

  private static let names = [
    "query", "start", "end", "since", "step", "interval", "limit", "direction", "time", "match[]", "match",
    "line_limit",
    "field_limit", "targetLabels", "aggregateBy", "delay_for", "unknown",
  ]
  private static let values = [
    "", "0", "-1", "1", "1e400", "NaN", "-Inf", "1768473600", "1768473600000000000", "99999999999999999999",
    "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1768473600.5", "2026-01-15T10:40:00Z",
    "9999-12-31T23:59:59.999999999Z", "0000-01-01T00:00:00Z", "1h", "300000h", "1ns", "0s", "-5m", "1y", "forward",
    "BACKWARD", "{a=\"b\"}", "{}", "a,b,,c", "labels", "series", "\u{0}", "%", "ÿ",
  ]

  private struct Chance {
    let random: SeededRandomness
    func below(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
    func pick<T>(_ list: [T]) -> T { list[below(list.count)] }

    /// The text with some of its words exchanged, left out, doubled or new ones among them.
    func reworded(_ text: String) -> String {
      var words = text.split(separator: " ", omittingEmptySubsequences: false).map(String.init)
      for _ in 0..<1 + below(4) where !words.isEmpty {
        let at = below(words.count)
        switch below(4) {
        case 0: words[at] = pick(tokens)
        case 1: words.remove(at: at)
        case 2: words.insert(pick(tokens), at: at)
        default: words.insert(contentsOf: words[at..<min(words.count, at + 1 + below(6))], at: below(words.count))
        }
      }
      return words.joined(separator: " ")
    }

    /// The text with some of its bytes changed, cut out, or doubled.
    func mutated(_ text: String) -> String {
      var bytes = Array(text.utf8)
      for _ in 0..<below(4) where !bytes.isEmpty {
        let at = below(bytes.count)
        switch below(4) {
        case 0: bytes[at] = UInt8(truncatingIfNeeded: random.next())
        case 1: bytes.remove(at: at)
        case 2: bytes.insert(pick(Array(#"{}()[]"|=~!<>,.`\ 0aμ"#.utf8)), at: at)
        default: bytes.insert(contentsOf: bytes[at..<min(bytes.count, at + 8)], at: at)
        }
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  private static func parameters(_ chance: Chance) -> String {
    var pairs: [(String, String)] = []
    if chance.below(10) > 0 {
      let query = chance.pick(allQueries)
      let changed = [query, chance.mutated(query), chance.reworded(query)][chance.below(3)]
      pairs.append(("query", chance.below(20) == 0 ? changed + " " + chance.mutated(chance.pick(allQueries)) : changed))
    }
    if chance.below(3) > 0 {
      pairs += [("start", String(base - 60_000_000_000)), ("end", String(base + 60_000_000_000))]
    }
    for _ in 0..<max(0, chance.below(6) - 2) {
      let value = chance.pick(values)
      pairs.append((chance.pick(names), chance.below(3) == 0 ? chance.mutated(value) : value))
    }
    let text = pairs.map { name, value in
      let encoded = value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      return "\(name)=\(encoded)"
    }.joined(separator: "&")
    return chance.below(8) == 0 ? chance.mutated(text) : text
  }

  private static func request(_ chance: Chance) -> HTTPRequest {
    let path = chance.pick(paths)
    var headers: HTTPHeaders = ["X-Scope-OrgID": "t"]
    switch chance.below(30) {
    case 0: headers = ["X-Scope-OrgID": chance.pick(["", "a|b", "..", "ü", String(repeating: "x", count: 151)])]
    case 1:
      headers.add("X-Loki-Response-Encoding-Flags", chance.pick(["categorize-labels", "x, categorize-labels", ","]))
    case 2: headers = [:]
    default: break
    }
    let isForm = chance.below(4) == 0
    if isForm { headers.add("Content-Type", chance.pick(["application/x-www-form-urlencoded", "text/plain", "x"])) }
    let parameters = parameters(chance)
    return HTTPRequest(
      method: isForm ? "POST" : chance.below(20) == 0 ? chance.pick(["HEAD", "PUT", "DELETE", "x"]) : "GET",
      path: "/loki/api/v1/" + path, query: isForm ? "" : parameters, headers: headers,
      body: isForm ? Bytes(parameters) : Bytes())
  }

  private static func check(_ answer: HTTPResponse, _ request: HTTPRequest) {
    let asked = "\(request.method) \(request.path)?\(request.query.prefix(600))\(request.body.text.prefix(600))"
    if case .upgrade = answer.body {
      Issue.record("upgraded: \(asked)")
      return
    }
    if answer.status == 204 { return }
    guard let json = answer.json else {
      Issue.record("status \(answer.status) without JSON: \(asked): \(answer.text.prefix(200))")
      return
    }
    if answer.status == 200 { return }
    let known = [400, 404, 405, 413, 415, 422, 429, 501]
    #expect(known.contains(answer.status), "status \(answer.status): \(asked): \(answer.text.prefix(200))")
    let error = json as? [String: Any]
    #expect(error?["status"] as? String == "error" && error?["errorType"] is String, "\(asked)")
    #expect((error?["error"] as? String)?.isEmpty == false, "\(asked)")
  }

  private static func fill(_ stack: TestStack) async throws {
    for level in ["info", "error"] {
      try await stack.push(
        (0..<30).map { index in
          (
            base - 30_000_000_000 + UInt64(index) * 1_000_000_000,
            index % 2 == 0 ? #"{"status":\#(index * 20),"msg":"a \#(index)"}"# : "msg=\"b \(index)\" took=\(index)ms"
          )
        }, stream: ["service_name": "web", "level": level])
      if level == "info" { try await stack.shift.flush() }
    }
  }

  @Test("random and mutated reads are answered or refused", arguments: 1...8) func reads(seed: UInt64) async throws {
    try await TestStack.with { stack in
      try await Self.fill(stack)
      let chance = Chance(random: SeededRandomness(seed: seed))
      for _ in 0..<150 {
        let request = Self.request(chance)
        Self.check(await stack.handler.handle(request), request)
      }
    }
  }

  private static func number(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap { Int($0) } }

  /// Highest memory of this process so far, in bytes.
  private static var peakMemory: Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
  }

  @Test("as many reads as ICEGATE_REQUESTS says", .enabled(if: number("ICEGATE_REQUESTS") != nil))
  func many() async throws {
    let count = Self.number("ICEGATE_REQUESTS") ?? 0
    let first = UInt64(Self.number("ICEGATE_REQUESTS_SEED") ?? 1000)
    var settings = QuerySettings()
    settings.memoryMax = 64 << 20
    settings.timeout = .seconds(20)
    let before = Self.peakMemory
    let tally = Tally()
    try await TestStack.with(query: settings) { stack in
      try await Self.fill(stack)
      await withTaskGroup(of: Void.self) { group in
        for lane in 0..<2 {
          group.addTask {
            for index in stride(from: lane, to: count, by: 2) {
              let request = Self.request(Chance(random: SeededRandomness(seed: first &+ UInt64(index) &* 7919)))
              let start = ContinuousClock.now
              let answer = await stack.handler.handle(request)
              Self.check(answer, request)
              await tally.count(answer.status, ContinuousClock.now - start, request)
            }
          }
        }
      }
    }
    let peak = Self.peakMemory
    #expect(peak < before + 1 << 30, "\(peak) bytes at the peak")
    print(
      "requests: \(count) from seed \(first): \(await tally.text), slowest \(await tally.slowest) "
        + "\(await tally.slowestQuery.prefix(300)), memory \(before >> 20) MiB before and \(peak >> 20) MiB at the peak"
    )
  }

  private actor Tally {
    private var byStatus: [Int: Int] = [:]
    private(set) var slowest = Duration.zero
    private(set) var slowestQuery = ""

    func count(_ status: Int, _ elapsed: Duration, _ request: HTTPRequest) {
      byStatus[status, default: 0] += 1
      if elapsed > slowest {
        slowest = elapsed
        slowestQuery = "\(request.path)?\(request.query)\(request.body.text.prefix(300))"
      }
    }

    var text: String {
      byStatus.sorted { $0.key < $1.key }.map { "\($0.value) with \($0.key)" }.joined(separator: ", ")
    }
  }

  @Test(
    "what nobody can evaluate in reasonable memory is refused",
    arguments: [
      String(repeating: "(", count: 100_000),
      String(repeating: "(", count: 60_000) + "1" + String(repeating: ")", count: 60_000),
      "vector(1)" + String(repeating: " + vector(1)", count: 9_000),
      #"rate({service_name="web"}[1m])"# + String(repeating: " or vector(1)", count: 9_000),
      #"{service_name="web"} | x="1""# + String(repeating: #" or x="2""#, count: 10_000),
      #"{service_name="web"} | "# + String(repeating: "(", count: 10_000) + #"x="1""#
        + String(repeating: ")", count: 10_000),
      #"{service_name="web"} |~ "(((a{1000}){1000}){1000})""#, #"{service_name=~"(((a{1000}){1000}){1000})"}"#,
      #"{service_name="web"} | regexp "(?P<x>((a{1000}){1000}){1000})""#,
      #"label_replace(rate({service_name="web"}[1m]), "a", "b", "c", "((a{1000}){1000})")"#,
      #"{service_name="web"} | x =~ "((a{1000}){1000})""#, #"{service_name="web"} | drop x=~"((a{1000}){1000})""#,
      #"{service_name="web"} |~ "\#(String(repeating: "ab|c", count: 262_144))""#,
      #"{service_name="web"} |~ "\#(String(repeating: "(", count: 5000))a\#(String(repeating: ")", count: 5000))""#,
      #"{service_name="web"} |~ "\#(String(repeating: "[a-zа-я日-本]{900}", count: 1000))""#,
    ])
  func refused(query: String) async throws {
    try await TestStack.with { stack in
      try await Self.fill(stack)
      for path in ["query_range", "query", "explain", "index/volume", "patterns", "detected_fields"] {
        let encoded = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        let request = HTTPRequest(
          method: "POST", path: "/loki/api/v1/" + path,
          headers: ["X-Scope-OrgID": "t", "Content-Type": "application/x-www-form-urlencoded"],
          body: Bytes("query=\(encoded)&start=\(Self.base - 60_000_000_000)&end=\(Self.base)&time=\(Self.base)"))
        let answer = await stack.handler.handle(request)
        #expect(answer.status == 400, "\(path) \(query.prefix(60)): \(answer.text.prefix(200))")
      }
    }
  }

  @Test(
    "queries that are deep, long or greedy are answered or refused, soon",
    arguments: [
      String(repeating: "(", count: 100_000),
      String(repeating: "(", count: 5000) + "1" + String(repeating: ")", count: 5000),
      "1" + String(repeating: "+1", count: 20_000), "1" + String(repeating: "^1", count: 20_000),
      String(repeating: "sum(", count: 3000) + "vector(1)" + String(repeating: ")", count: 3000),
      #"{service_name="web"}"# + String(repeating: #" |= "a""#, count: 10_000),
      #"{service_name="web"}"# + String(repeating: " | json", count: 2000),
      #"{service_name="web"} | x="1""# + String(repeating: #" or x="2""#, count: 10_000),
      #"{service_name="web"} | "# + String(repeating: "(", count: 5000) + #"x="1""#
        + String(repeating: ")", count: 5000),
      "{" + (0..<5000).map { "a\($0)=\"b\"" }.joined(separator: ",") + "}",
      #"{service_name="web"} |~ "((a{1,100}){1,100}){1,100}""#, #"{service_name=~"(x+x+)+y"} |~ "(a*)*b""#,
      #"{service_name="web"} |~ "\#(String(repeating: "(a|", count: 3000))b\#(String(repeating: ")", count: 3000))""#,
      #"{service_name="web"} | line_format "\#(String(repeating: "{{if .a}}", count: 2000))\#(String(repeating: "{{end}}", count: 2000))""#,
      #"{service_name="web"} | line_format "{{ repeat 1000000000 \"x\" }}""#,
      #"{service_name="web"} | line_format "{{range until 1000000000}}x{{end}}""#,
      #"{service_name="web"} | pattern "\#(String(repeating: "<_> ", count: 3000))<a>""#,
      #"count_over_time({service_name="web"}[999999999y])"#,
      #"topk(9223372036854775807, rate({service_name="web"}[1m]))"#,
      #"quantile_over_time(1e308, {service_name="web"} | logfmt | unwrap took [1m])"#,
      #"rate({service_name="web"}[1m] offset -9999999h)"#,
      #"{service_name="\#(String(repeating: "a", count: 1_000_000))"}"#,
    ])
  func extremes(query: String) async throws {
    try await TestStack.with { stack in
      try await Self.fill(stack)
      for path in ["query_range", "query", "format_query", "patterns", "index/volume"] {
        let encoded = query.addingPercentEncoding(withAllowedCharacters: .alphanumerics)!
        let times = "&start=\(Self.base - 60_000_000_000)&end=\(Self.base)&time=\(Self.base)"
        let request = HTTPRequest(
          method: "GET", path: "/loki/api/v1/" + path, query: "query=" + encoded + times,
          headers: ["X-Scope-OrgID": "t"])
        Self.check(await stack.handler.handle(request), request)
      }
    }
  }

  @Test("random and mutated pushes are taken or refused", arguments: 1...6) func pushes(seed: UInt64) async throws {
    try await TestStack.with { stack in
      let chance = Chance(random: SeededRandomness(seed: seed))
      let good = #"{"streams":[{"stream":{"service_name":"web"},"values":[["1768473600000000000","line",{"a":"b"}]]}]}"#
      for _ in 0..<150 {
        var body = Bytes(chance.below(3) == 0 ? chance.mutated(good) : good)
        if chance.below(5) == 0 {
          body = Bytes((0..<chance.below(80)).map { _ in UInt8(truncatingIfNeeded: chance.random.next()) })
        }
        var headers: HTTPHeaders = ["X-Scope-OrgID": "t"]
        headers.add(
          "Content-Type",
          chance.pick(["application/json", "application/x-protobuf", "", "a/b;", "application/json; x"]))
        if chance.below(4) == 0 {
          headers.add("Content-Encoding", chance.pick(["gzip", "deflate", "snappy", "zstd", "br", "identity", "?"]))
        }
        let request = HTTPRequest(method: "POST", path: "/loki/api/v1/push", headers: headers, body: body)
        Self.check(await stack.handler.handle(request), request)
      }
    }
  }
}
