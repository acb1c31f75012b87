import LakeAPI
import LakeModel

/// A port whose protocol is not served yet: it says that it is alive, and of everything else that it is not here.
struct ReadinessHandler: HTTPHandler {
  let paths: [String]

  func handle(_ request: HTTPRequest) async -> HTTPResponse {
    if paths.contains(request.path), request.method == "GET" || request.method == "HEAD" {
      return HTTPResponse(status: 200, headers: ["Content-Type": "text/plain"], body: .bytes(Bytes("ready\n")))
    }
    let text = #"{"status":"error","errorType":"not_implemented","error":"this version does not serve this protocol"}"#
    return HTTPResponse(status: 501, headers: ["Content-Type": "application/json"], body: .bytes(Bytes(text)))
  }
}
