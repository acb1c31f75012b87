import Foundation
import LakeIngest
import LakeModel
import LakePorts
import LakeWAL
import Testing

@testable import LakeAPI

/// What the OpenTelemetry Collector's receiver answered (`Fixtures/recorded/otlp-collector/receiver.origin`).
@Suite struct RecordedReceiverTests {
  private struct Case {
    let id: String
    let request: HTTPRequest
    let status: Int
    let type: String
    let location: String?
    /// `code` of the google.rpc.Status.
    let code: Int?
    let body: Any?

    init(_ item: [String: Any]) {
      id = item["id"] as! String
      let path = (item["path"] as! String).split(separator: "?", maxSplits: 1).map(String.init)
      let encoded = (item["body_b64"] as? String).map { Array(Data(base64Encoded: $0)!) }
      var headers: HTTPHeaders = ["X-Scope-OrgID": "otlp"]
      for (name, value) in (item["headers"] as! [String: String]).sorted(by: { $0.key < $1.key }) {
        headers.set(name, value.trimmingCharacters(in: .whitespaces))
      }
      request = HTTPRequest(
        method: item["method"] as! String, path: path[0], query: path.count > 1 ? path[1] : "", headers: headers,
        body: Bytes(encoded ?? Array((item["text"] as? String ?? "").utf8)))
      status = item["status"] as! Int
      type = item["content_type"] as! String
      location = item["location"] as? String
      code = item["code"] as? Int
      body = item["body"]
    }

    /// What is not as recorded; nil when all is. Words of errors are free.
    func difference(_ response: HTTPResponse) -> String? {
      let type = response.headers["Content-Type"] ?? ""
      // A redirection's page is for people.
      if status == 307 {
        let found = response.headers["Location"] ?? ""
        return response.status == 307 && found == location ? nil : "\(response.status) to \(found), not to \(location!)"
      }
      // The receiver's words for a fault held bytes that its encoder refuses.
      let (status, code) = status == 500 ? (400, 3) : (status, code)
      guard response.status == status, type == self.type || self.status == 500 else {
        return "\(response.status) \(type), not \(status) \(self.type): \(response.text.prefix(200))"
      }
      if let code {
        let found =
          type == "application/json" ? (response.json as? [String: Any])?["code"] as? Int : Int(response.bytes[1])
        return found == code ? nil : "code \(found ?? -1), not \(code)"
      }
      guard status < 300, request.method != "HEAD" else { return nil }
      let found: Any? =
        type == "application/json" ? response.json : ["base64": Data(response.bytes.array).base64EncodedString()]
      return (found as? NSObject) == (body as? NSObject) ? nil : "body \(response.text.prefix(200))"
    }
  }

  /// Where we differ on purpose, and why.
  private static let here: [String: String] = {
    var here: [String: String] = [
      "json-empty-key-then-37": "a member without a name does not end its object",
      "json-rec-body-stringvaluestrindex-x-147": "a field of profiles is passed over",
      "json-res-deprecated-scope-logs-5-195": "a field that OTLP no longer has is passed over",
      "value-bytesValue-567": "line ends in base64 are passed over",
      "value-bytesValue-568": "line ends in base64 are passed over",
      "value-bytesValue-571": "base64 may have escapes, as any text",
      "value-doubleValue-199": "no hexadecimal numbers",
      "value-doubleValue-200": "no underscores in numbers",
    ]
    for method in ["get", "head", "options", "post", "put"] {
      here["path-\(method)-6"] = "only paths that exist are redirected to"
    }
    for (number, why) in [
      (13, "reserved flags of gzip are refused, as RFC 1952 asks"), (23, "deflate without zlib's header is taken"),
      (24, "what follows a deflated body is not dropped in silence"),
      (26, "what follows a deflated body is not dropped in silence"), (28, "deflate without zlib's header is taken"),
      (39, "identity is taken"), (46, "GZIP is taken"), (47, "Gzip is taken"), (48, "ZSTD is taken"),
      (49, "Deflate is taken"), (50, "Snappy is taken"), (53, "x-gzip is taken"),
    ] {
      for encoding in ["json", "pb"] { here["coding-\(encoding)-\(number)"] = why }
    }
    return here
  }()

  @Test("every request is answered as recorded, but for what is named here")
  func answers() async throws {
    let file = RecordedCase.root.appendingPathComponent("otlp-collector/receiver.json")
    let cases = (try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as! [[String: Any]]).map(Case.init)
    #expect(cases.count == 1087)
    let ports = TestPorts.make()
    var settings = QueueSettings()
    settings.ackDelayMax = .seconds(600)
    settings.flushDelayMax = .milliseconds(1)
    let ingestor = Ingestor(ports: ports, settings: settings)
    let handler = OTLPHandler(ports: ports, ingestor: ingestor)
    var different: [String: String] = [:]
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      for one in cases {
        if let difference = one.difference(await handler.handle(one.request)) { different[one.id] = difference }
        await Task.yield()
      }
      await ingestor.drain()
    }
    for (id, difference) in different.sorted(by: { $0.key < $1.key }) where Self.here[id] == nil {
      Issue.record("\(id): \(difference)")
    }
    #expect(Set(Self.here.keys).subtracting(different.keys) == [])
  }
}
