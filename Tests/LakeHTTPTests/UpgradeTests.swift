import Glibc
import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct UpgradeTests {
  static let request = "GET /up HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n"

  static func handler(_ conversation: @escaping @Sendable (any UpgradedConnection) async -> Void) -> ClosureHandler {
    ClosureHandler { _ in
      HTTPResponse(status: 101, headers: ["Upgrade": "echo"], body: .upgrade(conversation))
    }
  }

  /// Sends everything back until the client ends, then says bye.
  static let echo: @Sendable (any UpgradedConnection) async -> Void = { connection in
    while let piece = try? await connection.receive() { try? await connection.send(piece) }
    try? await connection.send(Bytes("bye"))
  }

  @Test("bytes go both ways after 101, what was sent ahead first", arguments: [HandlerExecution.loop, .pool])
  func bothWays(execution: HandlerExecution) async throws {
    try await withServer(Self.handler(Self.echo), execution: execution) { server in
      let (head, rest) = try await server.talk { client in
        try client.send(Self.request + "ahead ")
        let head = try client.read(through: "\r\n\r\n")
        let first = try client.read(through: "ahead ")
        try client.send("and more")
        let second = try client.read(through: "more")
        client.finishSending()
        return (head, first + second + (try client.readToEnd()))
      }
      #expect(head.hasPrefix("HTTP/1.1 101 Switching Protocols\r\n"))
      #expect(head.contains("\r\nUpgrade: echo\r\n") && head.contains("\r\nConnection: Upgrade\r\n"))
      #expect(!head.contains("Content-Length") && !head.contains("Transfer-Encoding"))
      #expect(rest == "ahead and morebye")
    }
  }

  @Test("HTTP/1.0 and HEAD get no upgrade") func refused() async throws {
    try await withServer(Self.handler(Self.echo)) { server in
      let old = try await server.exchange("GET / HTTP/1.0\r\nHost: a\r\n\r\n")
      #expect(old.hasPrefix("HTTP/1.1 400 "))
      let head = try await server.exchange("HEAD / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
      #expect(head.hasPrefix("HTTP/1.1 400 "))
    }
  }

  @Test("a reader that takes nothing holds the sender back, and nothing is lost") func backpressure() async throws {
    let sent = Counter()
    let handler = Self.handler { connection in
      for index in 0..<200 {
        try? await connection.send(Bytes([UInt8](repeating: UInt8(97 + index % 26), count: 100_000)))
        sent.add()
      }
    }
    try await withServer(handler, execution: .pool) { server in
      let (before, count) = try await server.talk { _ in
        let client = try RawClient(port: server.port, receiveBuffer: 4096)
        try client.send(Self.request)
        usleep(300_000)
        let before = sent.count
        _ = try client.read(through: "\r\n\r\n")
        return (before, try client.readToEnd().utf8.count)
      }
      #expect(before < 150)
      #expect(count == 20_000_000)
    }
  }

  @Test("a conversation ends when its client goes away, and when the server drains") func ends() async throws {
    let ended = Counter()
    let handler = Self.handler { connection in
      do { while try await connection.receive() != nil {} } catch {}
      ended.add()
    }
    try await withServer(handler) { server in
      try await server.talk { client in
        try client.send(Self.request)
        _ = try client.read(through: "\r\n\r\n")
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(client.socket, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
      }
      try await ended.reach(1)
      let started = Counter()
      async let rest = server.talk { client in
        try client.send(Self.request)
        _ = try client.read(through: "\r\n\r\n")
        started.add()
        return try client.readToEnd()
      }
      try await started.reach(1)
      let cut = await server.server.drain(deadline: .seconds(300))
      #expect(cut == 0)
      #expect(try await rest == "")
      #expect(ended.count == 2)
    }
  }
}
