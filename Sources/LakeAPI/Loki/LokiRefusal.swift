import LakeIngest
import LakeJSON
import LakeLogQL
import LakeModel
import LakeOTLP
import LakeQuery

/// Why a request on the Loki port gets no answer: Loki's status and message, in the manual's JSON.
struct LokiRefusal: Error, Sendable, Hashable {
  let status: Int
  /// Safe to show: nothing of the server's insides.
  let message: String

  init(_ status: Int, _ message: String) {
    self.status = status
    self.message = message
  }

  static func badRequest(_ message: String) -> LokiRefusal { LokiRefusal(400, message) }

  init(_ error: LogQL.SyntaxError) { self.init(400, error.description) }

  /// Where only a selector is wanted: what is another query Loki does not call a parse error.
  init(selector error: LogQL.SyntaxError) {
    self.init(400, error.message == LogQL.onlySelectors ? error.message : error.description)
  }

  init(_ error: QueryError) {
    switch error {
    case .invalid(let message), .limitExceeded(let message): self.init(400, message)
    case .memoryExceeded(let message): self.init(422, message)
    case .timeout: self.init(504, LokiRefusal.timedOut)
    case .cancelled: self.init(499, "the request was cancelled by the client")
    case .unavailable, .vanished: self.init(503, "the storage cannot answer now")
    case .corrupt: self.init(500, "stored data cannot be read")
    }
  }

  private static let timedOut =
    "request timed out, decrease the duration of the request or add more label matchers (prefer exact match over "
    + "regex match) to reduce the amount of data processed"

  init(_ error: IngestError) {
    let refusal = OTLPRefusal(error)
    self.init(refusal.status, refusal.message)
  }

  init(_ error: RequestBody.Refused) {
    switch error {
    case .unknownCoding(let name): self.init(400, "Content-Encoding \(GoString.quote(name)) not supported")
    case .malformed(let what): self.init(400, what)
    case .tooLarge(let limit): self.init(413, "the body has more than \(limit) bytes when decompressed")
    }
  }

  /// The manual's names, and Prometheus's for what the manual does not list.
  private var kind: String {
    switch status {
    case 404: "not_found"
    case 422: "execution"
    case 499: "canceled"
    case 500: "internal"
    case 503, 429: "unavailable"
    case 504: "timeout"
    default: "bad_data"
    }
  }

  var response: HTTPResponse {
    var json = JSONWriter()
    json.object { json in
      json.member("status", "error")
      json.member("errorType", kind)
      json.member("error", message)
    }
    var response = HTTPResponse.json(status, json.finish())
    if status == 503 || status == 429 { response.headers.set("Retry-After", "1") }
    return response
  }
}
