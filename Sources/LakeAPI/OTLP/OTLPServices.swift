package import LakeIngest
import LakeModel
import LakeOTLP
package import LakePorts

/// The OTLP/gRPC door (4317): the collector services, as methods by path.
package struct OTLPServices: Sendable {
  private let export: OTLPExport

  package init(
    ports: Ports, ingestor: Ingestor, settings: OTLPHandler.Settings = OTLPHandler.Settings(), gate: IngestGate? = nil
  ) {
    export = OTLPExport(ports: ports, ingestor: ingestor, settings: settings, gate: gate)
  }

  /// Their full names, for health and reflection.
  package static let names = OTLPSignal.all.map(\.serviceName)

  package var methods: [String: GRPCMethod] {
    var methods: [String: GRPCMethod] = [:]
    for signal in OTLPSignal.all {
      methods["/\(signal.serviceName)/Export"] = .unary { await export.call($0, signal: signal) }
    }
    return methods
  }
}

extension OTLPExport {
  /// One export call: the same as a protobuf request over HTTP, with gRPC's statuses.
  func call(_ call: GRPCRequest, signal: OTLPSignal) async -> GRPCResponse {
    let began = ports.clock.now
    instruments.countBytes(call.message.count, signal, .grpc)
    let response = await answer(call, signal: signal)
    instruments.countAnswer(
      "\(response.status.code)", after: began.duration(to: ports.clock.now), signal, .grpc)
    return response
  }

  private func answer(_ call: GRPCRequest, signal: OTLPSignal) async -> GRPCResponse {
    let request = HTTPRequest(
      method: "POST", path: call.path, headers: call.metadata, body: call.message, peer: call.peer)
    do throws(OTLPRefusal) {
      let tenancy = try tenancy(request)
      try admit(call.message, of: tenancy)
      let decoded = try decode(call.message, encoding: .protobuf, signal: signal, tenancy: tenancy)
      let receipt = try await store(decoded, signal: signal, request: request, body: call.message, tenancy: tenancy)
      let message = ExportResponse.encode(
        signal, rejected: decoded.rejectedCount, message: decoded.rejectionReasons.joined(separator: "; "),
        encoding: .protobuf)
      return GRPCResponse(
        message: message, metadata: receipt.isDeduplicated ? ["x-icegate-deduplicated": "true"] : HTTPHeaders())
    } catch {
      let code = GRPCCode(rawValue: error.rpcCode) ?? .unknown
      return GRPCResponse(
        GRPCStatus(code, error.message, retryDelay: error.isRetryable ? error.retryAfter ?? settings.retryAfter : nil))
    }
  }
}
