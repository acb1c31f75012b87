package import LakeCompression
package import LakeModel

/// A request's body, decompressed within a limit.
package enum RequestBody {
  package enum Refused: Error, Sendable, Hashable {
    /// 400: the coding's name as sent.
    case unknownCoding(String)
    /// 400
    case malformed(String)
    /// 413
    case tooLarge(limit: Int)
  }

  /// - Parameters:
  ///   - codings: what this door takes beside plain bodies.
  ///   - snappyByDefault: Loki's and Prometheus's protobuf bodies are snappy blocks without saying so, also inside of another coding.
  package static func decoded(
    _ request: HTTPRequest, limit: Int, codings: [ContentEncoding] = [.gzip, .deflate, .zstd],
    snappyByDefault: Bool = false
  ) throws(Refused) -> Bytes {
    let coding = request.headers["Content-Encoding"] ?? ""
    if coding.isEmpty || coding.lowercased() == "identity" {
      if snappyByDefault { return try decode(request.body, .snappy, limit) }
      guard request.body.count <= limit else { throw .tooLarge(limit: limit) }
      return request.body
    }
    guard let encoding = ContentEncoding(token: coding), codings.contains(encoding) else {
      throw .unknownCoding(coding)
    }
    if encoding == .snappy, !snappyByDefault, ContentEncoding.isSnappyFramed(request.body) {
      return try decode(request.body, .snappyFramed, limit)
    }
    let body = try decode(request.body, encoding, limit)
    guard snappyByDefault, encoding != .snappy else { return body }
    do throws(Refused) {
      return try decode(body, .snappy, limit)
    } catch {
      if case .malformed = error { return body }
      throw error
    }
  }

  private static func decode(_ body: Bytes, _ encoding: ContentEncoding, _ limit: Int) throws(Refused) -> Bytes {
    do throws(CompressionError) {
      return try encoding.decode(body, limit: limit)
    } catch .limitExceeded {
      throw .tooLarge(limit: limit)
    } catch {
      throw .malformed(encoding == .snappy ? "snappy: corrupt input" : "the body is not \(encoding.rawValue)")
    }
  }
}
