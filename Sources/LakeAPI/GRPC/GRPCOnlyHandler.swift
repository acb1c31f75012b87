import LakeModel

/// What a gRPC port answers to requests that are none.
package struct GRPCOnlyHandler: HTTPHandler {
  package init() {}

  package func handle(_ request: HTTPRequest) async -> HTTPResponse {
    HTTPResponse(
      status: 415, headers: ["Content-Type": "text/plain; charset=utf-8"],
      body: .bytes(Bytes("this port speaks gRPC: HTTP/2 with content-type application/grpc\n")))
  }
}
