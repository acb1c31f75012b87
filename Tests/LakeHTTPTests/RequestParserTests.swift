import LakeAPI
import Testing

@testable import LakeHTTP

/// Sequences of requests that are all right, for the tests that cut and truncate.
let goodRequests: [String] = [
  "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
  "\r\nGET /a%20b/%C3%A9?q=%7Bx%3D%22y%22%7D HTTP/1.1\r\nHost: localhost:3100\r\nX-Scope-OrgID: t1\r\n\r\n",
  "POST /v1/logs HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello worldGET /next HTTP/1.1\r\nhost:a\r\n\r\n",
  "POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
    + "5;ext=\"v\"\r\nhello\r\n00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\nGET /t HTTP/1.0\r\n\r\n",
  "GET http://other:1/p?q HTTP/1.1\r\nHost: a\r\nConnection: foo, Close\r\n\r\nOPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n",
]

@Suite struct RequestParserTests {
  @Test("a request's parts come out as sent")
  func parts() {
    let first = ParserTranscript(Array(goodRequests[1].utf8))
    #expect(first.failure == nil)
    #expect(
      first.messages == [
        .init(
          head: "GET /a b/é?q=%7Bx%3D%22y%22%7D none keep [Host|localhost:3100] [X-Scope-OrgID|t1]", isComplete: true)
      ])
    let second = ParserTranscript(Array(goodRequests[2].utf8))
    #expect(
      second.messages == [
        .init(
          head: "POST /v1/logs? length(11) keep [Host|a] [Content-Length|11]", body: Array("hello world".utf8),
          isComplete: true), .init(head: "GET /next? none keep [host|a]", isComplete: true),
      ])
    let third = ParserTranscript(Array(goodRequests[3].utf8))
    #expect(
      third.messages == [
        .init(
          head: "POST /c? chunked keep expects [Host|a] [Transfer-Encoding|chunked] [Expect|100-continue]",
          body: Array("hello0123456789".utf8), isComplete: true),
        .init(head: "GET /t? none close 1.0", isComplete: true),
      ])
    let fourth = ParserTranscript(Array(goodRequests[4].utf8))
    #expect(
      fourth.messages == [
        .init(head: "GET /p?q none close [Connection|foo, Close] [Host|other:1]", isComplete: true),
        .init(head: "OPTIONS *? none keep [Host|a]", isComplete: true),
      ])
  }

  @Test("where the bytes are cut changes nothing: every cut in two, every cut in three of the short ones, byte by byte")
  func cuts() {
    for text in goodRequests + RequestRefusalTests.cases.map(\.input) {
      let input = Array(text.utf8)
      let whole = ParserTranscript(input)
      var cuts = (0...input.count).map { [$0] } + [Array(0..<input.count)]
      if input.count < 60 { for a in 0..<input.count { cuts += (a..<input.count).map { [a, $0] } } }
      // `#expect` for each of them would take longer than the parser.
      let wrong = cuts.filter { ParserTranscript(input, cuts: $0) != whole }
      #expect(wrong == [], "\(text.debugDescription)")
    }
  }

  @Test("a truncated request is never complete and never refused") func truncation() {
    for text in goodRequests {
      let input = Array(text.utf8)
      let whole = ParserTranscript(input)
      for end in 0..<input.count {
        let part = ParserTranscript(Array(input[..<end]))
        #expect(part.failure == nil)
        #expect(part.messages.filter(\.isComplete).count < whole.messages.count)
        for (got, wanted) in zip(part.messages, whole.messages) {
          #expect(got.head == wanted.head)
          #expect(wanted.body.starts(with: got.body))
        }
      }
    }
  }

  @Test("a body of known length may be read past the parser") func directBody() throws {
    var parser = RequestParser()
    let input = Array("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n".utf8)
    var consumed = 0
    let event = try input.withUnsafeBytes { try parser.next($0, consumed: &consumed) }
    guard case .head = event else {
      Issue.record("no head")
      return
    }
    #expect(parser.fixedBodyRemaining == 1000)
    let isCompleteEarly = parser.skipFixedBody(999)
    #expect(!isCompleteEarly)
    #expect(parser.fixedBodyRemaining == 1)
    let isComplete = parser.skipFixedBody(1)
    #expect(isComplete)
    #expect(parser.fixedBodyRemaining == 0)
  }

  @Test("limits hold at the byte: one less passes, one more is refused") func limits() {
    var limits = HTTPLimits()
    limits.requestLineBytesMax = 100
    limits.headerBytesMax = 200
    limits.headerCountMax = 4
    limits.bodyBytesMax = 50
    func run(_ text: String) -> RequestFailure? { ParserTranscript(Array(text.utf8), limits: limits).failure }
    func get(_ pathBytes: Int) -> String {
      "GET /\(String(repeating: "a", count: pathBytes - 1)) HTTP/1.1\r\nHost: a\r\n\r\n"
    }
    #expect(run(get(87)) == nil)
    #expect(run(get(88)) == .requestLineTooLong)
    #expect(run("GET /\(String(repeating: "a", count: 200))") == .requestLineTooLong)
    // "Host: a\r\n" is 9 bytes, "X: " and "\r\n" are 5.
    func fields(_ valueBytes: Int) -> String {
      "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: valueBytes))\r\n\r\n"
    }
    #expect(run(fields(186)) == nil)
    #expect(run(fields(187)) == .fieldsTooLarge)
    #expect(run("GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: 300))") == .fieldsTooLarge)
    #expect(run("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\n\r\n") == nil)
    #expect(run("GET / HTTP/1.1\r\nHost: a\r\nA:\r\nB:\r\nC:\r\nD:\r\n\r\n") == .fieldsTooMany)
    let chunked = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
    #expect(run(chunked + "32\r\n\(String(repeating: "b", count: 50))\r\n0\r\n\r\n") == nil)
    // Refused at the size, before the bytes.
    #expect(run(chunked + "33\r\n") == .bodyTooLarge)
    #expect(run(chunked + "30\r\n\(String(repeating: "b", count: 48))\r\n3\r\n") == .bodyTooLarge)
    #expect(run(chunked + "1;\(String(repeating: "e", count: 254))\r\nb\r\n0\r\n\r\n") == nil)
    #expect(run(chunked + "1;\(String(repeating: "e", count: 255))\r\nb\r\n0\r\n\r\n") == .chunkMalformed)
    // Trailers count with the header.
    #expect(run(chunked + "0\r\nA: \(String(repeating: "t", count: 300))") == .fieldsTooLarge)
    #expect(run(chunked + "0\r\nA:\r\nB:\r\n\r\n") == nil)
    #expect(run(chunked + "0\r\nA:\r\nB:\r\nC:\r\n\r\n") == .fieldsTooMany)
  }

  @Test("limits give the same answer however the bytes are cut") func limitCuts() {
    var limits = HTTPLimits()
    limits.requestLineBytesMax = 30
    limits.headerBytesMax = 40
    limits.headerCountMax = 3
    limits.bodyBytesMax = 20
    for length in 10...45 {
      for text in [
        "GET /\(String(repeating: "a", count: length)) HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: length))\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: \(String(repeating: "v", count: length))\n\r\n",
      ] {
        let input = Array(text.utf8)
        let whole = ParserTranscript(input, limits: limits)
        let cuts = (0...input.count).map { [$0] } + [Array(0..<input.count)]
        #expect(cuts.filter { ParserTranscript(input, cuts: $0, limits: limits) != whole } == [])
      }
    }
  }

  @Test("random mutations of good requests neither trap nor depend on the cuts", arguments: 0..<8 as Range<UInt64>)
  func mutations(seed: UInt64) {
    var random = TestRandom(seed: seed)
    let alphabet = Array("\r\n :;,%0123456789abcdefGHTP/1.\u{0}\t?#*xX\"".utf8) + [0x80, 0xFF]
    for _ in 0..<1500 {
      var input: [UInt8] = []
      for _ in 0...random.below(2) { input += Array(goodRequests[random.below(goodRequests.count)].utf8) }
      for _ in 0...random.below(3) {
        let at = random.below(input.count)
        switch random.below(5) {
        case 0: input[at] = alphabet[random.below(alphabet.count)]
        case 1: input.insert(alphabet[random.below(alphabet.count)], at: at)
        case 2: input.remove(at: at)
        case 3: input.removeSubrange(at..<min(input.count, at + random.below(20)))
        default: input.insert(contentsOf: input[random.below(at + 1)...at], at: at)
        }
        if input.isEmpty { input = [13] }
      }
      let whole = ParserTranscript(input)
      let cuts = (0..<random.below(6)).map { _ in random.below(input.count + 1) }.sorted()
      let cut = ParserTranscript(input, cuts: cuts)
      if cut != whole { Issue.record("\(String(decoding: input, as: UTF8.self).debugDescription) cut at \(cuts)") }
    }
  }
}

/// SplitMix64.
struct TestRandom {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(max(1, bound))) }
}
