import LakeAPI
import LakeCompression
import LakeModel

/// How the messages of a call are compressed.
struct GRPCCompression {
  /// What `grpc-accept-encoding` offers.
  static let accepted = "identity,gzip,deflate,zstd,snappy"

  private let encoding: ContentEncoding

  /// - Parameter name: of `grpc-encoding`; nil: none was sent.
  init(_ name: String?) throws(GRPCStatus) {
    switch name {
    case nil, "", "identity": encoding = .identity
    case "gzip": encoding = .gzip
    case "deflate": encoding = .deflate
    case "zstd": encoding = .zstd
    // What OpenTelemetry Collectors send by this name.
    case "snappy": encoding = .snappyFramed
    default: throw GRPCStatus(.unimplemented, "grpc-encoding \(name!.prefix(40)) is not supported")
    }
  }

  /// - Parameter isCompressed: the message's own flag.
  func decode(_ message: Bytes, isCompressed: Bool, bytesMax: Int) throws(GRPCStatus) -> Bytes {
    guard isCompressed else { return message }
    guard encoding != .identity else {
      throw GRPCStatus(.internalError, "compressed message without grpc-encoding")
    }
    do throws(CompressionError) {
      return try encoding.decode(message, limit: bytesMax)
    } catch {
      switch error {
      case .limitExceeded:
        throw GRPCStatus(.resourceExhausted, "message larger than \(bytesMax) bytes after decompression")
      default: throw GRPCStatus(.internalError, "message does not decompress")
      }
    }
  }
}
