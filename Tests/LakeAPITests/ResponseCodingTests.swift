import LakeCompression
import LakeModel
import Testing

@testable import LakeAPI

struct ResponseCodingTests {
  private static let long = String(repeating: "{\"a\":1}", count: 400)

  private func answer(_ text: String, accepts: String?, method: String = "GET") -> HTTPResponse {
    let headers: HTTPHeaders = accepts.map { ["Accept-Encoding": $0] } ?? [:]
    return ResponseCoding.applied(
      to: HTTPResponse(status: 200, body: .bytes(Bytes(text))),
      for: HTTPRequest(method: method, path: "/", headers: headers))
  }

  @Test("long answers are packed for who names gzip", arguments: ["gzip", "deflate, gzip;q=0.5", "br,GZIP ; q=1.0"])
  func packed(accepts: String) throws {
    let response = answer(ResponseCodingTests.long, accepts: accepts)
    #expect(response.headers["Content-Encoding"] == "gzip" && response.headers["Vary"] == "Accept-Encoding")
    guard case .bytes(let body) = response.body else { Issue.record("no body"); return }
    #expect(body.count < 200)
    #expect(try ContentEncoding.gzip.decode(body, limit: 1 << 20).text == ResponseCodingTests.long)
  }

  @Test("others get them plain", arguments: [nil, "", "*", "gzip;q=0", "br", "gzippy", ";"])
  func plain(accepts: String?) {
    let response = answer(ResponseCodingTests.long, accepts: accepts)
    #expect(response.headers["Content-Encoding"] == nil)
    #expect(response.headers["Vary"] == "Accept-Encoding")
  }

  @Test("short answers, and those without a body, stay as they are")
  func short() {
    #expect(answer("{}", accepts: "gzip").headers["Content-Encoding"] == nil)
    #expect(answer(String(repeating: "a", count: 1399), accepts: "gzip").headers["Content-Encoding"] == nil)
    #expect(answer(ResponseCodingTests.long, accepts: "gzip", method: "HEAD").headers["Content-Encoding"] == nil)
  }
}
