import LakeModel
import Synchronization
import Testing

@testable import LakeAPI

/// A conversation whose client is a list of messages, and then silence or an end.
private final class Script: Sendable {
  private let incoming: Mutex<[Bytes]>
  private let outgoing = Mutex<[Bytes]>([])
  private let ends: Bool
  var sent: [Bytes] { outgoing.withLock { $0 } }

  init(_ messages: [[UInt8]], ends: Bool = true) {
    incoming = Mutex(messages.map { Bytes($0) })
    self.ends = ends
  }

  var conversation: GRPCConversation {
    GRPCConversation(
      request: GRPCRequest(path: ""),
      receive: { [self] in
        let next = incoming.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if next == nil, !ends { try await Task.sleep(for: .seconds(600)) }
        return next
      }, send: { [self] message in outgoing.withLock { $0.append(message) } })
  }

  func reach(_ count: Int) async throws {
    for _ in 0..<6000 where sent.count < count { try await Task.sleep(for: .milliseconds(10)) }
    #expect(sent.count >= count)
  }
}

private func conversation(_ method: GRPCMethod?) throws -> @Sendable (GRPCConversation) async -> GRPCStatus {
  guard case .conversation(let body)? = method else { throw GRPCStatus(.unimplemented) }
  return body
}

private func unary(_ method: GRPCMethod?) throws -> @Sendable (GRPCRequest) async -> GRPCResponse {
  guard case .unary(let body)? = method else { throw GRPCStatus(.unimplemented) }
  return body
}

@Suite struct HealthServiceTests {
  let status = HealthStatus(serving: ["", "a.B"])
  var services: GRPCServices { GRPCServices([HealthService.methods(status)]) }

  @Test("Check answers by service, and knows what it does not know") func check() async throws {
    let check = try unary(services.method("/grpc.health.v1.Health/Check"))
    let whole = await check(GRPCRequest(path: ""))
    #expect(whole.message == Bytes([8, 1]))
    status.set("a.B", .notServing)
    let named = await check(GRPCRequest(path: "", message: Bytes([10, 3] + "a.B".utf8)))
    #expect(named.message == Bytes([8, 2]))
    let unknown = await check(GRPCRequest(path: "", message: Bytes([10, 1, 120])))
    #expect(unknown.status.code == .notFound)
    let malformed = await check(GRPCRequest(path: "", message: Bytes([10, 9, 120])))
    #expect(malformed.status.code == .invalidArgument)
  }

  @Test("Watch tells the state, every change of it, and ends with its task") func watch() async throws {
    let watch = try conversation(services.method("/grpc.health.v1.Health/Watch"))
    let script = Script([[10, 1, 120]], ends: false)
    try await withThrowingTaskGroup(of: GRPCStatus.self) { group in
      group.addTask { await watch(script.conversation) }
      try await script.reach(1)
      status.set("x", .serving)
      try await script.reach(2)
      status.set("other", .serving)
      status.setAll(.notServing)
      try await script.reach(3)
      group.cancelAll()
      #expect(try await group.next()?.code == .cancelled)
    }
    #expect(script.sent == [Bytes([8, 3]), Bytes([8, 1]), Bytes([8, 2])])
  }
}

@Suite struct ReflectionServiceTests {
  let reflection = ReflectionService(
    services: ["grpc.health.v1.Health", "opentelemetry.proto.collector.logs.v1.LogsService"],
    descriptors: ServiceDescriptors.files)

  /// One request with one text field, and the answer's fields.
  func ask(_ field: Int, _ text: String) throws -> ProtoMessage {
    var request = ProtoMessageWriter()
    request.add(field, text)
    let answer = try ProtoMessage(try reflection.answer(Bytes(request.bytes)))
    #expect(answer.bytes(2) == Bytes(request.bytes))
    return answer
  }

  func fileNames(_ answer: ProtoMessage) throws -> [String] {
    guard let response = answer.bytes(4) else { return [] }
    return try ProtoMessage(response).all(1).map { try ProtoMessage($0).text(1) ?? "?" }
  }

  @Test("services are listed by name") func list() throws {
    let list = try ProtoMessage(try #require(try ask(7, "*").bytes(6)))
    #expect(
      try list.all(1).map { try ProtoMessage($0).text(1) } == [
        "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection",
        "opentelemetry.proto.collector.logs.v1.LogsService",
      ])
  }

  @Test("symbols and files bring their file and what it imports") func files() throws {
    let logs = "opentelemetry/proto/collector/logs/v1/logs_service.proto"
    let imports = [
      "opentelemetry/proto/logs/v1/logs.proto", "opentelemetry/proto/common/v1/common.proto",
      "opentelemetry/proto/resource/v1/resource.proto",
    ]
    for symbol in ["LogsService", "LogsService.Export", "ExportLogsServiceRequest"] {
      #expect(try fileNames(ask(4, "opentelemetry.proto.collector.logs.v1." + symbol)) == [logs] + imports)
    }
    #expect(try fileNames(ask(3, logs)) == [logs] + imports)
    #expect(
      try fileNames(ask(4, "grpc.health.v1.HealthCheckResponse.ServingStatus")) == ["grpc/health/v1/health.proto"])
    #expect(
      try fileNames(ask(4, "grpc.reflection.v1.ServerReflection")) == ["grpc/reflection/v1/reflection.proto"])
  }

  @Test("what is not there is an answer with NOT_FOUND, a malformed request ends the conversation") func errors()
    async throws
  {
    for (field, text) in [(4, "no.Such"), (3, "no.proto"), (6, "no.Such"), (5, "")] {
      let error = try ProtoMessage(try #require(try ask(field, text).bytes(7)))
      #expect(error.bytes(2) != nil)
    }
    #expect(try ask(6, "grpc.health.v1.HealthCheckRequest").bytes(5) != nil)
    let converse = try conversation(reflection.methods["/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"])
    let script = Script([[58, 1, 42], [58, 1, 42], [255]])
    #expect(await converse(script.conversation).code == .invalidArgument)
    #expect(script.sent.count == 2)
    #expect(await converse(Script([[58, 1, 42]]).conversation).code == .ok)
  }

  @Test("messages cut anywhere are refused, never trapped on") func truncation() throws {
    let file = ServiceDescriptors.files[0]
    for end in 0..<file.count { _ = try? DescriptorIndex([file[0..<end]]) }
    for bytes: [UInt8] in [
      [8], [8, 0x80], [10, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1], [0, 0], [11], [9, 1],
    ] {
      #expect(throws: ProtoMessage.Malformed.self) { try ProtoMessage(Bytes(bytes)) }
    }
    #expect(throws: ProtoMessage.Malformed.self) {
      try ProtoMessage(Bytes([8] + [UInt8](repeating: 0xFF, count: 9) + [2]))
    }
    #expect(throws: Never.self) { try ProtoMessage(Bytes([8] + [UInt8](repeating: 0xFF, count: 9) + [1])) }
  }
}
