package import LakeModel
import LakeOTLP

/// How a gRPC call ended, on the wire `grpc-status`.
package enum GRPCCode: Int, Hashable, Sendable {
  case ok = 0
  case cancelled, unknown, invalidArgument, deadlineExceeded, notFound, alreadyExists, permissionDenied
  case resourceExhausted, failedPrecondition, aborted, outOfRange, unimplemented, internalError, unavailable
  case dataLoss, unauthenticated
}

package struct GRPCStatus: Error, Hashable, Sendable {
  package var code: GRPCCode
  /// For people; empty for `ok`.
  package var message: String
  /// A serialized `google.rpc.Status` with details, sent as `grpc-status-details-bin`.
  package var details: Bytes?

  package static let ok = GRPCStatus(.ok)

  /// - Parameter retryDelay: adds a `google.rpc.RetryInfo`, without which clients do not repeat RESOURCE_EXHAUSTED.
  package init(_ code: GRPCCode, _ message: String = "", retryDelay: Duration? = nil) {
    self.code = code
    self.message = message
    details = retryDelay.map {
      StatusResponse.encode(code: code.rawValue, message: message, retryDelay: $0, encoding: .protobuf)
    }
  }
}
