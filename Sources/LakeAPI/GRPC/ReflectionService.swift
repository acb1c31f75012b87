package import LakeModel

/// `grpc.reflection.v1.ServerReflection`, and `v1alpha`, which is the same under its older name: what lets `grpcurl list` and
/// `describe` work without the .proto files.
package struct ReflectionService: Sendable {
  package static let names = ["grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"]

  private let services: [String]
  private let index: DescriptorIndex

  /// - Parameters:
  ///   - services: the full names of what the server answers, besides reflection itself.
  ///   - descriptors: serialized `FileDescriptorProto`s that define them, imports included.
  /// - Precondition: the descriptors are well formed; they are part of the program.
  package init(services: [String], descriptors: [Bytes]) {
    self.services = (services + ReflectionService.names).sorted()
    do {
      index = try DescriptorIndex(descriptors)
    } catch {
      preconditionFailure("a descriptor of the program is malformed")
    }
  }

  package var methods: [String: GRPCMethod] {
    var methods: [String: GRPCMethod] = [:]
    for name in ReflectionService.names {
      methods["/\(name)/ServerReflectionInfo"] = .conversation { conversation in await converse(conversation) }
    }
    return methods
  }

  private func converse(_ conversation: GRPCConversation) async -> GRPCStatus {
    do {
      while let request = try await conversation.receive() { try await conversation.send(try answer(request)) }
      return .ok
    } catch let status as GRPCStatus {
      return status
    } catch {
      return GRPCStatus(.cancelled)
    }
  }

  /// ServerReflectionResponse: valid_host 1, original_request 2, and one of file_descriptor_response 4,
  /// all_extension_numbers_response 5, list_services_response 6, error_response 7.
  func answer(_ bytes: Bytes) throws(GRPCStatus) -> Bytes {
    guard let request = try? ProtoMessage(bytes) else {
      throw GRPCStatus(.invalidArgument, "malformed ServerReflectionRequest")
    }
    var response = ProtoMessageWriter()
    response.add(1, request.text(1) ?? "")
    response.add(2, bytes)
    if request.bytes(7) != nil {
      response.add(6) { list in for service in services { list.add(1) { $0.add(1, service) } } }
    } else if let name = request.text(3) {
      add(index.files(named: name), to: &response, "file not found: \(name)")
    } else if let symbol = request.text(4) {
      add(index.files(defining: symbol), to: &response, "symbol not found: \(symbol)")
    } else if let type = request.text(6), index.isMessage(type) {
      response.add(5) { $0.add(1, type) }  // no file of ours extends a message
    } else if request.bytes(5) != nil || request.bytes(6) != nil {
      addError(.notFound, "extension not found", to: &response)
    } else {
      addError(.invalidArgument, "unknown request", to: &response)
    }
    return Bytes(response.bytes)
  }

  private func add(_ files: [Bytes]?, to response: inout ProtoMessageWriter, _ otherwise: String) {
    guard let files else { return addError(.notFound, otherwise, to: &response) }
    response.add(4) { for file in files { $0.add(1, file) } }
  }

  private func addError(_ code: GRPCCode, _ message: String, to response: inout ProtoMessageWriter) {
    response.add(7) { error in
      error.add(1, code.rawValue)
      error.add(2, message)
    }
  }
}
