import Glibc
import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

/// Floods end their own connection, are counted, and leave the server serving.
@Suite struct HTTP2AbuseTests {
  typealias H2 = HTTP2Client

  static let calm: UInt32 = 11

  /// Sends until the server has had enough, and reads what it says.
  static func flood(
    _ server: TestServer, settings: [(UInt16, UInt32)] = [], _ frames: @escaping @Sendable (Int) -> [UInt8]
  ) async throws -> UInt32? {
    let code: UInt32? = try await server.talk { raw in
      let client = try H2(raw, settings: settings)
      client.opensWindows = false
      for round in 0..<400 { guard (try? client.send(frames(round))) != nil else { break } }
      return client.readToEnd()
    }
    let alive = try await server.talkHTTP2 { client in
      try client.send(H2.get(1, "/alive"))
      return try client.answer(1).text
    }
    #expect(alive == "GET /alive? 0")
    return code
  }

  @Test("rapid reset") func rapidReset() async throws {
    let running = Counter()
    let most = Counter()
    let handler = ClosureHandler { request in
      guard request.path != "/alive" else { return text("GET /alive? 0") }
      running.add()
      if running.count > most.count { most.add(running.count - most.count) }
      try? await Task.sleep(for: .seconds(60))
      running.add(-1)
      return text("")
    }
    try await withServer(handler) { server in
      let code = try await Self.flood(server) { round in
        (0..<50).flatMap { index -> [UInt8] in
          let stream = UInt32(round * 100 + index * 2 + 1)
          return H2.get(stream, "/") + H2.frame(3, stream: stream, [0, 0, 0, 8])
        }
      }
      #expect(code == Self.calm || code == nil)
      #expect(server.server.statistics.abuses == [.resets: 1])
      #expect(most.count <= 201)
    }
  }

  @Test("SETTINGS, PING, PRIORITY and WINDOW_UPDATE floods", arguments: [4, 6, 2, 8] as [UInt8])
  func controlFlood(type: UInt8) async throws {
    let payload: [UInt8] = [4: [], 6: [0, 0, 0, 0, 0, 0, 0, 0], 2: [0, 0, 0, 0, 1], 8: [0, 0, 0, 1]][type]!
    let frames = (0..<100).flatMap { _ in H2.frame(type, stream: type == 2 ? 1 : 0, payload) }
    try await withServer(echoHandler) { server in
      _ = try await Self.flood(server) { _ in frames }
      #expect(server.server.statistics.abuses.values.reduce(0, +) <= 1)
      // SETTINGS and PING also make answers, and nghttp2 may lose patience with those first.
      if type == 2 || type == 8 { #expect(server.server.statistics.abuses == [.controlFrames: 1]) }
    }
  }

  @Test("a CONTINUATION flood, of bytes and of empty frames", arguments: [0, 1000]) func continuation(size: Int)
    async throws
  {
    let piece = H2.frame(9, stream: 1, [UInt8](repeating: 0, count: size))
    try await withServer(echoHandler) { server in
      let code = try await Self.flood(server) { round in
        round == 0 ? H2.frame(1, flags: 0, stream: 1, H2.block(H2.request("GET", "/"))) : piece
      }
      #expect(code == Self.calm || code == nil)
      #expect(server.server.statistics.abuses == [.headerBlock: 1])
    }
  }

  @Test("a header bomb: one large table entry, named a thousand times") func headerBomb() async throws {
    try await withServer(echoHandler) { server in
      try await server.talkHTTP2 { client in
        // Literal with incremental indexing, then references to it.
        let value = [UInt8](repeating: 97, count: 3900)
        var block = H2.block(H2.request("GET", "/")) + [0x40, 1, 0x78]
        block += [127, 0xBD, 0x1D] + value  // 3900 - 127 = 3773
        block += [UInt8](repeating: 0xBE, count: 1000)
        try client.send(H2.frame(1, flags: 5, stream: 1, block))
        #expect(try client.answer(1).status == "431")
        try client.send(H2.get(3, "/after"))
        #expect(try client.answer(3).text == "GET /after? 0")
      }
    }
  }

  @Test("a frame larger than was agreed") func oversizedFrame() async throws {
    try await withServer(echoHandler) { server in
      let code = try await server.talkHTTP2 { client in
        try client.send(
          H2.headers(1, H2.request("POST", "/"), end: false),
          H2.data(1, [UInt8](repeating: 0, count: 16_385), end: true))
        return client.readToEnd()
      }
      #expect(code == 6)  // FRAME_SIZE_ERROR
    }
  }

  @Test("more streams than were agreed") func tooManyStreams() async throws {
    let handler = ClosureHandler { request in
      if request.path != "/alive" { try? await Task.sleep(for: .seconds(60)) }
      return text("GET /alive? 0")
    }
    try await withServer(handler, configure: { $0.limits.streamsMax = 10 }) { server in
      let code = try await Self.flood(server) { round in H2.get(UInt32(round * 2 + 1), "/") }
      #expect(code == Self.calm || code == nil)
      #expect(server.server.statistics.abuses == [.refusedStreams: 1])
      #expect(server.server.statistics.requests == 11)
    }
  }

  @Test("windows of no or one byte stall their stream, which is reset", arguments: [0, 1]) func tinyWindows(
    size: UInt32
  )
    async throws
  {
    let handler = ClosureHandler { _ in text(String(repeating: "x", count: 100_000)) }
    try await withServer(handler, configure: { $0.timeouts.writeStall = .milliseconds(300) }) { server in
      try await server.talkHTTP2(settings: [(4, size)]) { client in
        client.opensWindows = false
        try client.send(H2.get(1, "/"))
        // A byte now and then is no progress.
        while !client.ended.contains(1) {
          guard try client.readFrame() != nil else { break }
          // Not faster: a client that plays ping-pong with its windows is cut off for that before the stall is.
          usleep(10_000)
          try? client.send(H2.frame(8, stream: 1, H2.word(1)))
        }
        #expect(client.answers[1]?.resetCode == 8)
        #expect((client.answers[1]?.body.count ?? 0) < 4096)
      }
      #expect(server.server.statistics.writeStalls == 1)
    }
  }

  @Test("a request whose body does not come is answered 408") func slowBody() async throws {
    try await withServer(echoHandler, configure: { $0.timeouts.bodyProgress = .milliseconds(200) }) { server in
      try await server.talkHTTP2 { client in
        try client.send(H2.headers(1, H2.request("POST", "/"), end: false), H2.data(1, [1, 2, 3], end: false))
        #expect(try client.answer(1).status == "408")
      }
    }
  }

  @Test("a client that asks and never reads is held, then cut") func neverReads() async throws {
    let large = Bytes([UInt8](repeating: 1, count: 1_000_000))
    let handler = ClosureHandler { _ in HTTPResponse(status: 200, body: .bytes(large)) }
    try await withServer(handler, configure: { $0.timeouts.writeStall = .milliseconds(500) }) { server in
      try await server.talk { _ in
        let client = try H2(RawClient(port: server.port, receiveBuffer: 4096), settings: [(4, 0x7FFF_FFFF)])
        try client.send(H2.frame(8, H2.word(0x7FFF_0000)))
        for index in 0..<50 { try? client.send(H2.get(UInt32(index * 2 + 1), "/")) }
        server.wait { $0.writeStalls > 0 }
        // Nothing but the other client of this conversation is left.
        server.wait { $0.connectionsOpen == 1 }
        withExtendedLifetime(client) {}
      }
    }
  }

  @Test("random mutations of a conversation neither trap nor hang the server", arguments: 0..<4 as Range<UInt64>)
  func mutations(seed: UInt64) async throws {
    let grpc = GRPCServices([["/s/m": .unary { GRPCResponse(message: $0.message) }]])
    try await withServer(echoHandler, grpc: grpc, configure: { $0.timeouts.linger = .milliseconds(50) }) { server in
      try await server.talk { _ in
        var random = TestRandom(seed: seed)
        for _ in 0..<60 {
          var bytes =
            H2.settings([(3, 100), (4, 70_000)]) + H2.headers(1, H2.request("POST", "/p"), end: false)
            + H2.data(1, Array("hello".utf8), end: true) + H2.grpc(3, "/s/m")
            + H2.data(3, H2.message([1, 2, 3]), end: true) + H2.frame(8, H2.word(1000))
            + H2.frame(6, [1, 2, 3, 4, 5, 6, 7, 8]) + H2.get(5, "/g") + H2.frame(3, stream: 5, [0, 0, 0, 8])
          for _ in 0...random.below(4) {
            let at = random.below(bytes.count)
            switch random.below(4) {
            case 0: bytes[at] = UInt8(random.below(256))
            case 1: bytes.insert(UInt8(random.below(256)), at: at)
            case 2: bytes.removeSubrange(at..<min(bytes.count, at + 1 + random.below(12)))
            default: bytes[at] ^= 1 << UInt8(random.below(8))
            }
          }
          let client = try RawClient(port: server.port)
          try? client.send(H2.preface + bytes)
          client.finishSending()
          _ = try? client.readToEnd()
        }
      }
      for _ in 0..<300 where server.server.statistics.connectionsOpen > 0 {
        try await Task.sleep(for: .milliseconds(10))
      }
      #expect(server.server.statistics.connectionsOpen == 0)
      #expect(server.server.statistics.bodyBytesInMemory == 0)
    }
  }
}
