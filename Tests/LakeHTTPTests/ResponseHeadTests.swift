import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct ResponseHeadTests {
  static let keep = Exchange(isHead: false, isVersion10: false, isPersistent: true)

  func render(_ response: HTTPResponse, to exchange: Exchange = keep, isClosing: Bool = false) -> String {
    var writer = ByteWriter(capacity: 8)
    ResponseHead(response, to: exchange, isClosing: isClosing)
      .write(response, to: exchange, date: Array("Date: now\r\n".utf8), into: &writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  static func stream() -> HTTPResponse { HTTPResponse(status: 200, body: .stream { nil }) }

  @Test("framing follows body, method and version") func framing() {
    let bytes = HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(Bytes("hello")))
    #expect(render(bytes) == "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nDate: now\r\nContent-Length: 5\r\n\r\n")
    #expect(render(bytes, isClosing: true).hasSuffix("Content-Length: 5\r\nConnection: close\r\n\r\n"))
    let head = Exchange(isHead: true, isVersion10: false, isPersistent: true)
    #expect(render(bytes, to: head).hasSuffix("Content-Length: 5\r\n\r\n"))
    #expect(ResponseHead(bytes, to: head, isClosing: false).framing == .absent)
    #expect(render(Self.stream()) == "HTTP/1.1 200 OK\r\nDate: now\r\nTransfer-Encoding: chunked\r\n\r\n")
    let old = Exchange(isHead: false, isVersion10: true, isPersistent: true)
    #expect(render(bytes, to: old).hasSuffix("Content-Length: 5\r\nConnection: keep-alive\r\n\r\n"))
    #expect(render(Self.stream(), to: old) == "HTTP/1.1 200 OK\r\nDate: now\r\nConnection: close\r\n\r\n")
    #expect(render(HTTPResponse(status: 204)) == "HTTP/1.1 204 No Content\r\nDate: now\r\n\r\n")
    #expect(
      render(HTTPResponse(status: 304, body: .bytes(Bytes("x")))) == "HTTP/1.1 304 Not Modified\r\nDate: now\r\n\r\n")
    #expect(render(HTTPResponse(status: 599)).hasPrefix("HTTP/1.1 599 \r\n"))
  }

  @Test("a handler cannot decide framing, nor smuggle in fields or responses") func untrustedFields() {
    let response = HTTPResponse(
      status: 200,
      headers: [
        "content-length": "99", "Transfer-Encoding": "chunked", "connection": "keep-alive", "Date": "never",
        "X-Echo": "a\r\nSet-Cookie: b\n\r\n\u{0}HTTP/1.1 200",
      ], body: .bytes(Bytes("hello")))
    #expect(
      render(response)
        == "HTTP/1.1 200 OK\r\nX-Echo: a  Set-Cookie: b    HTTP/1.1 200\r\nDate: now\r\nContent-Length: 5\r\n\r\n")
    let closing = HTTPResponse(status: 200, headers: ["Connection": "close"])
    #expect(render(closing).hasSuffix("Content-Length: 0\r\nConnection: close\r\n\r\n"))
  }

  @Test(
    "dates are written as RFC 9110 wants them",
    arguments: [
      (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    ] as [(Int64, String)])
  func dates(seconds: Int64, text: String) { #expect(DateField.text(seconds) == text) }

  @Test("numbers are written in decimal and hexadecimal") func numbers() {
    for number in [0, 1, 9, 10, 15, 16, 255, 4096, 65_535, 1_000_000, Int.max] {
      var writer = ByteWriter(capacity: 1)
      writer.append(number: number)
      writer.append(" ")
      writer.append(hexadecimal: number)
      #expect(String(decoding: writer.bytes, as: UTF8.self) == "\(number) \(String(number, radix: 16))")
    }
  }
}
