import Testing

@testable import LakeHTTP

/// Shapes that servers and proxies have been known to read in different ways, and what else is wrong with requests.
@Suite struct RequestRefusalTests {
  struct Case: CustomTestStringConvertible {
    let name: String
    let input: String
    let failure: RequestFailure
    let status: Int
    init(_ name: String, _ input: String, _ failure: RequestFailure, _ status: Int) {
      (self.name, self.input, self.failure, self.status) = (name, input, failure, status)
    }
    var testDescription: String { name }
  }

  private static func get(_ line: String) -> String { "\(line)\r\nHost: a\r\n\r\n" }
  private static func with(_ fields: String, method: String = "POST") -> String {
    "\(method) / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n"
  }
  private static func chunks(_ text: String) -> String { with("Transfer-Encoding: chunked") + text }

  static let cases: [Case] = [
    // Request line
    Case("TLS hello", "\u{16}\u{3}\u{1}", .requestLineMalformed, 400),
    Case("line feed first", "\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .lineEndMalformed, 400),
    Case("two empty lines first", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", .requestLineMalformed, 400),
    Case("HTTP/0.9", "GET /\r\n\r\n", .requestLineMalformed, 400),
    Case("no target", get("GET HTTP/1.1"), .requestLineMalformed, 400),
    Case("two spaces", get("GET  / HTTP/1.1"), .requestLineMalformed, 400),
    Case("two spaces before version", get("GET /  HTTP/1.1"), .requestLineMalformed, 400),
    Case("space in target", get("GET /a b HTTP/1.1"), .requestLineMalformed, 400),
    Case("tab as separator", get("GET\t/\tHTTP/1.1"), .requestLineMalformed, 400),
    Case("trailing space", get("GET / HTTP/1.1 "), .requestLineMalformed, 400),
    Case("method no token", get("G(T / HTTP/1.1"), .requestLineMalformed, 400),
    Case("endless method", get(String(repeating: "A", count: 33) + " / HTTP/1.1"), .requestLineMalformed, 400),
    Case("lower-case protocol", get("GET / http/1.1"), .requestLineMalformed, 400),
    Case("version without minor", get("GET / HTTP/1"), .requestLineMalformed, 400),
    Case("version with letters", get("GET / HTTP/1.x"), .requestLineMalformed, 400),
    Case("HTTP/2.0", get("GET / HTTP/2.0"), .versionUnsupported, 505),
    Case("HTTP/3.0", get("GET / HTTP/3.0"), .versionUnsupported, 505),
    Case("CONNECT", get("CONNECT a:443 HTTP/1.1"), .methodUnsupported, 501),
    // Target
    Case("relative target", get("GET a/b HTTP/1.1"), .targetMalformed, 400),
    Case("star for GET", get("GET * HTTP/1.1"), .targetMalformed, 400),
    Case("fragment", get("GET /a#b HTTP/1.1"), .targetMalformed, 400),
    Case("control character in target", get("GET /a\u{1}b HTTP/1.1"), .targetMalformed, 400),
    Case("DEL in target", get("GET /a\u{7F}b HTTP/1.1"), .targetMalformed, 400),
    Case("NUL in target", get("GET /a\u{0}b HTTP/1.1"), .targetMalformed, 400),
    Case("encoded NUL", get("GET /a%00b HTTP/1.1"), .targetMalformed, 400),
    Case("encoded non-UTF-8", get("GET /a%FFb HTTP/1.1"), .targetMalformed, 400),
    Case("overlong UTF-8", get("GET /%C0%AF HTTP/1.1"), .targetMalformed, 400),
    Case("percent at the end", get("GET /a% HTTP/1.1"), .percentEncodingMalformed, 400),
    Case("percent and one digit", get("GET /a%2 HTTP/1.1"), .percentEncodingMalformed, 400),
    Case("percent and no digits", get("GET /a%zz HTTP/1.1"), .percentEncodingMalformed, 400),
    Case("percent in query", get("GET /a?b=%g0 HTTP/1.1"), .percentEncodingMalformed, 400),
    Case("other scheme", get("GET ftp://a/ HTTP/1.1"), .targetMalformed, 400),
    Case("absolute without authority", get("GET http:///a HTTP/1.1"), .targetMalformed, 400),
    Case("absolute with user", get("GET http://u@a/ HTTP/1.1"), .targetMalformed, 400),
    // Lines
    Case("bare LF after request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", .lineEndMalformed, 400),
    Case("bare LF after field", "GET / HTTP/1.1\r\nHost: a\n\r\n", .lineEndMalformed, 400),
    Case("bare LF at the end", "GET / HTTP/1.1\r\nHost: a\r\n\n", .lineEndMalformed, 400),
    Case("bare CR in request line", get("GET /\r HTTP/1.1"), .targetMalformed, 400),
    Case("bare CR in field", with("A: b\rc"), .fieldMalformed, 400),
    Case("CR CR LF", with("A: b\r"), .fieldMalformed, 400),
    // Fields
    Case("folded line", with("A: b\r\n c"), .fieldMalformed, 400),
    Case("folded by tab", with("A: b\r\n\tc"), .fieldMalformed, 400),
    Case("folded Content-Length", with("Content-Length:\r\n 5"), .contentLengthMalformed, 400),
    Case("folded first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", .fieldMalformed, 400),
    Case("space before colon", with("Content-Length : 5"), .fieldMalformed, 400),
    Case("tab before colon", with("Transfer-Encoding\t: chunked"), .fieldMalformed, 400),
    Case("no colon", with("Content-Length 5"), .fieldMalformed, 400),
    Case("no name", with(": b"), .fieldMalformed, 400),
    Case("name no token", with("A(b): c"), .fieldMalformed, 400),
    Case("name beyond ASCII", with("Ä: c"), .fieldMalformed, 400),
    Case("NUL in name", with("A\u{0}: c"), .fieldMalformed, 400),
    Case("NUL in value", with("A: b\u{0}c"), .fieldMalformed, 400),
    Case("control in value", with("A: b\u{1B}c"), .fieldMalformed, 400),
    Case("no Host", "GET / HTTP/1.1\r\n\r\n", .hostMissing, 400),
    Case("two Hosts", with("Host: a"), .hostMissing, 400),
    Case("Host with user", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", .hostMalformed, 400),
    Case("Host with path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", .hostMalformed, 400),
    Case("Host with space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", .hostMalformed, 400),
    Case("unknown expectation", with("Expect: 200-ok"), .expectationUnknown, 417),
    // Lengths
    Case(
      "both lengths", with("Content-Length: 5\r\nTransfer-Encoding: chunked"), .contentLengthWithTransferEncoding, 400),
    Case(
      "both lengths, other order", with("Transfer-Encoding: chunked\r\nContent-Length: 5"),
      .contentLengthWithTransferEncoding, 400),
    Case(
      "both lengths, length zero", with("Transfer-Encoding: chunked\r\nContent-Length: 0"),
      .contentLengthWithTransferEncoding, 400),
    Case("two lengths", with("Content-Length: 5\r\nContent-Length: 6"), .contentLengthRepeated, 400),
    Case("two equal lengths", with("Content-Length: 5\r\nContent-Length: 5"), .contentLengthRepeated, 400),
    Case("list of lengths", with("Content-Length: 5, 5"), .contentLengthMalformed, 400),
    Case("negative length", with("Content-Length: -5"), .contentLengthMalformed, 400),
    Case("signed length", with("Content-Length: +5"), .contentLengthMalformed, 400),
    Case("hexadecimal length", with("Content-Length: 0x5"), .contentLengthMalformed, 400),
    Case("fractional length", with("Content-Length: 5.0"), .contentLengthMalformed, 400),
    Case("quoted length", with("Content-Length: \"5\""), .contentLengthMalformed, 400),
    Case("spaced length", with("Content-Length: 1 2"), .contentLengthMalformed, 400),
    Case("empty length", with("Content-Length:"), .contentLengthMalformed, 400),
    Case("length beyond 64 bits", with("Content-Length: 18446744073709551621"), .bodyTooLarge, 413),
    Case("length beyond 63 bits", with("Content-Length: 9223372036854775808"), .bodyTooLarge, 413),
    // Transfer codings
    Case("unknown coding", with("Transfer-Encoding: xchunked"), .transferEncodingMalformed, 400),
    Case("identity", with("Transfer-Encoding: identity"), .transferEncodingMalformed, 400),
    Case("chunked not last", with("Transfer-Encoding: chunked, gzip"), .transferEncodingMalformed, 400),
    Case("chunked twice", with("Transfer-Encoding: chunked, chunked"), .transferEncodingMalformed, 400),
    Case("two codings", with("Transfer-Encoding: gzip, chunked"), .transferEncodingUnsupported, 501),
    Case(
      "two coding fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked"), .transferEncodingMalformed,
      400),
    Case(
      "coding and identity fields", with("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"),
      .transferEncodingMalformed, 400),
    Case("empty coding", with("Transfer-Encoding:"), .transferEncodingMalformed, 400),
    Case("coding with parameter", with("Transfer-Encoding: chunked;q=1"), .transferEncodingMalformed, 400),
    Case("coding behind vertical tab", with("Transfer-Encoding: \u{B}chunked"), .fieldMalformed, 400),
    Case("coding with stray comma", with("Transfer-Encoding: chunked,"), .transferEncodingUnsupported, 501),
    Case("quoted coding", with("Transfer-Encoding: \"chunked\""), .transferEncodingMalformed, 400),
    Case(
      "chunked in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", .transferEncodingMalformed, 400),
    // Chunks
    Case("no size", chunks("\r\nhello"), .chunkMalformed, 400),
    Case("size no hex", chunks("g\r\n"), .chunkMalformed, 400),
    Case("negative size", chunks("-1\r\n"), .chunkMalformed, 400),
    Case("prefixed size", chunks("0x5\r\nhello\r\n"), .chunkMalformed, 400),
    Case("space after size", chunks("5 \r\nhello\r\n"), .chunkMalformed, 400),
    Case("space before size", chunks(" 5\r\nhello\r\n"), .chunkMalformed, 400),
    Case("size beyond 64 bits", chunks("10000000000000005\r\nhello\r\n"), .chunkMalformed, 400),
    Case("endless zeros", chunks("0000000000000005\r\nhello\r\n"), .chunkMalformed, 400),
    Case("size beyond the limit", chunks("FFFFFFF\r\n"), .bodyTooLarge, 413),
    Case("bare LF after size", chunks("5\nhello\r\n"), .lineEndMalformed, 400),
    Case("LF in extension", chunks("5;a\nhello\r\n0\r\n\r\n"), .lineEndMalformed, 400),
    Case("CR in extension", chunks("5;a\rb\r\nhello\r\n"), .chunkMalformed, 400),
    Case("extension without semicolon", chunks("5 a=b\r\nhello\r\n"), .chunkMalformed, 400),
    Case("data too long", chunks("5\r\nhello!\r\n"), .chunkMalformed, 400),
    Case("data ends in LF", chunks("5\r\nhello\n0\r\n\r\n"), .chunkMalformed, 400),
    Case("data ends in CR only", chunks("5\r\nhello\r0\r\n\r\n"), .chunkMalformed, 400),
    Case("trailer folded", chunks("0\r\nA: b\r\n c\r\n\r\n"), .fieldMalformed, 400),
    Case("trailer no field", chunks("0\r\nGET / HTTP/1.1\r\n\r\n"), .fieldMalformed, 400),
    Case("trailer with bare LF", chunks("0\r\nA: b\n\r\n"), .lineEndMalformed, 400),
  ]

  @Test("is refused with the right status", arguments: cases) func refusal(of refused: Case) {
    let transcript = ParserTranscript(Array(refused.input.utf8))
    #expect(transcript.failure == refused.failure)
    #expect(transcript.failure?.status == refused.status)
    // Nothing before the error may count as a request.
    #expect(transcript.messages.filter(\.isComplete).isEmpty)
  }
}
