import LakeCompression
import LakeModel

/// Answers compressed for who asked for it, as Loki does: gzip, from 1,400 bytes on.
enum ResponseCoding {
  private static let bytesMin = 1400
  /// zlib's scale: the fastest, for JSON still a tenth of the size.
  private static let level = 1

  /// The response as the client of `request` wants it. Streams and what is compressed already stay as they are.
  static func applied(to response: HTTPResponse, for request: HTTPRequest) -> HTTPResponse {
    var response = response
    response.headers.add("Vary", "Accept-Encoding")
    guard case .bytes(let body) = response.body, body.count >= bytesMin, request.method != "HEAD",
      response.headers["Content-Encoding"] == nil, accepts(request.headers.all("Accept-Encoding")),
      let packed = try? ContentEncoding.gzip.encode(body, level: level)
    else { return response }
    response.body = .bytes(packed)
    response.headers.set("Content-Encoding", "gzip")
    return response
  }

  /// Whether gzip is named with a weight above 0; `*` does not name it.
  static func accepts(_ values: [String]) -> Bool {
    for value in values {
      for item in value.split(separator: ",") {
        let parts = item.split(separator: ";", omittingEmptySubsequences: false).map {
          $0.filter { $0 != " " }.lowercased()
        }
        guard parts[0] == "gzip" else { continue }
        let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) }
        if weight ?? 1 > 0 { return true }
      }
    }
    return false
  }
}
