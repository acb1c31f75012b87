package import LakeModel
package import LakeSchema

/// Why a push was refused, with Loki's own message: a 400 for the whole request.
package struct LokiPushError: Error, Hashable, Sendable, CustomStringConvertible {
  package let message: String
  package init(_ message: String) { self.message = message }
  package var description: String { message }
}

/// Bodies of `/loki/api/v1/push` -> rows of the logs table. The mapping is in README.md.
package enum LokiPushDecoder {
  /// - Parameter body: JSON text, or the protobuf `logproto.PushRequest` after snappy decompression.
  package static func decode(
    _ body: Bytes, encoding: OTLPEncoding, context: DecodeContext
  ) throws(LokiPushError) -> DecodedLogs {
    preconditionFailure("landing next")
  }
}
