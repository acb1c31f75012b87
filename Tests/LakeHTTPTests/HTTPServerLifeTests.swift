import Glibc
import LakeAPI
import LakeModel
import Synchronization
import Testing

@testable import LakeHTTP

/// Time, overload, clients that go away, starting and draining.
@Suite struct HTTPServerLifeTests {
  @Test("a client that goes away cancels its handler", arguments: [HandlerExecution.loop, .pool])
  func clientGone(execution: HandlerExecution) async throws {
    let started = Counter()
    let cancelled = Counter()
    let handler = ClosureHandler { _ in
      started.add()
      do { try await Task.sleep(for: .seconds(30)) } catch { cancelled.add() }
      return text("late")
    }
    try await withServer(handler, execution: execution) { server in
      try await server.talk { client in
        try client.send(HTTPServerTests.get("/"))
        while started.count == 0 { usleep(1000) }
      }
      try await cancelled.reach(1)
      #expect(server.server.statistics.clientsGone == 1)
    }
  }

  @Test("a client that closes only its side still gets its answer") func halfClose() async throws {
    try await withServer(echoHandler) { server in
      let all = try await server.talk { client in
        try client.send(HTTPServerTests.get("/a") + HTTPServerTests.get("/b"))
        client.finishSending()
        return try client.readToEnd()
      }
      #expect(all.contains("GET /a? 0"))
      #expect(all.hasSuffix("GET /b? 0"))
    }
  }

  @Test("a client that sends its header slowly is answered 408; one that says nothing is closed") func slowHeader()
    async throws
  {
    try await withServer(
      echoHandler,
      configure: {
        $0.timeouts.header = .seconds(1)
        $0.timeouts.idle = .seconds(2)
      }
    ) { server in
      async let trickle = server.talk { client in
        for byte in "GET / HTTP".utf8 {
          try client.send([byte])
          usleep(30_000)
        }
        return try client.readToEnd()
      }
      async let silent = server.exchange("")
      async let idle = server.talk { client in
        try client.send(HTTPServerTests.get("/"))
        _ = try client.readResponse()
        return try client.readToEnd()
      }
      let answer1 = try await trickle
      #expect(answer1.hasPrefix("HTTP/1.1 408 Request Timeout\r\n"))
      let answer2 = try await silent
      #expect(answer2 == "")
      let answer3 = try await idle
      #expect(answer3 == "")
      #expect(server.server.statistics.refusals == [.headerTimeout: 1])
    }
  }

  @Test("a body that makes no progress is answered 408") func slowBody() async throws {
    try await withServer(echoHandler, configure: { $0.timeouts.bodyProgress = .milliseconds(150) }) { server in
      let answer = try await server.exchange("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nabc")
      #expect(answer.hasPrefix("HTTP/1.1 408 "))
    }
  }

  @Test("one connection too many is told so") func connectionsMax() async throws {
    try await withServer(echoHandler, configure: { $0.limits.connectionsMax = 2 }) { server in
      try await server.talk { first in
        try first.send(HTTPServerTests.get("/"))
        _ = try first.readResponse()
        var second: RawClient? = try RawClient(port: server.port)
        try second?.send(HTTPServerTests.get("/"))
        _ = try second?.readResponse()
        let refused = try RawClient(port: server.port)
        let answer = try refused.readToEnd()
        #expect(answer.hasPrefix("HTTP/1.1 503 Service Unavailable\r\n"))
        #expect(answer.contains("\r\nRetry-After: 1\r\n"))
        second = nil
        while server.server.statistics.connectionsOpen > 1 { usleep(1000) }
        let third = try RawClient(port: server.port)
        try third.send(HTTPServerTests.get("/"))
        #expect(try third.readResponse().status == 200)
      }
    }
  }

  @Test("a drain finishes what is in flight, closes what is idle and accepts no more") func drain() async throws {
    let started = Counter()
    let release = Counter()
    let handler = ClosureHandler { request in
      guard request.path == "/slow" else { return text("fast") }
      started.add()
      while release.count == 0 { try? await Task.sleep(for: .milliseconds(5)) }
      return text("slow")
    }
    try await withServer(handler) { server in
      async let slow = server.exchange(HTTPServerTests.get("/slow"))
      async let idle = server.talk { client in
        try client.send(HTTPServerTests.get("/fast"))
        let first = try client.readResponse().body
        started.add()
        return try first + client.readToEnd()
      }
      try await started.reach(2)
      async let cut = server.server.drain(deadline: .seconds(300))
      let answer4 = try await idle
      #expect(answer4 == "fast")
      await #expect(throws: RawClient.Failure.connect(ECONNREFUSED)) { _ = try await server.exchange("") }
      release.add()
      let answer = try await slow
      #expect(answer.contains("Connection: close\r\n"))
      #expect(answer.hasSuffix("slow"))
      #expect(await cut == 0)
      #expect(server.server.statistics.connectionsOpen == 0)
    }
  }

  @Test("the deadline of a drain cuts and cancels what is left") func drainDeadline() async throws {
    let cancelled = Counter()
    let started = Counter()
    let handler = ClosureHandler { _ in
      started.add()
      do { try await Task.sleep(for: .seconds(30)) } catch { cancelled.add() }
      return text("never")
    }
    try await withServer(handler) { server in
      async let request = server.exchange(HTTPServerTests.get("/"))
      try await started.reach(1)
      #expect(await server.server.drain(deadline: .milliseconds(50)) == 1)
      do {
        _ = try await request
        Issue.record("the connection was not cut")
      } catch {
        #expect(error as? RawClient.Failure == .receive(ECONNRESET))
      }
      try await cancelled.reach(1)
    }
  }

  @Test("a port that is taken is an error, also by a server that shares ports") func portTaken() async throws {
    try await withServer(echoHandler) { server in
      let loops = LoopGroup(count: 1)
      let second = HTTPServer(
        configuration: HTTPServerConfiguration(port: server.port), loops: loops, handler: echoHandler)
      #expect(throws: HTTPServerError.addressInUse(host: "127.0.0.1", port: server.port)) { try second.start() }
      #expect(throws: HTTPServerError.alreadyStarted) { try server.server.start() }
      let nowhere = HTTPServer(
        configuration: HTTPServerConfiguration(host: "example.org", port: 1), loops: loops, handler: echoHandler)
      #expect(throws: HTTPServerError.addressInvalid(host: "example.org", port: 1)) { try nowhere.start() }
      await loops.shutdown()
    }
  }

  @Test("servers share loops, and a drained port can be opened again") func sharedLoops() async throws {
    let loops = LoopGroup(count: 2)
    let servers = (0..<3).map { index in
      HTTPServer(
        configuration: HTTPServerConfiguration(host: index == 2 ? "::1" : "localhost", port: 0), loops: loops,
        handler: ClosureHandler { _ in text("server \(index)") })
    }
    let ports = try servers.map { try $0.start() }
    #expect(Set(ports).count == 3)
    for index in 0..<2 {
      let answer = try await TestServer(server: servers[index], port: ports[index])
        .exchange(HTTPServerTests.get("/", "Connection: close\r\n"))
      #expect(answer.hasSuffix("server \(index)"))
    }
    for server in servers { await server.drain(deadline: .seconds(1)) }
    let again = HTTPServer(configuration: HTTPServerConfiguration(port: ports[0]), loops: loops, handler: echoHandler)
    #expect(try again.start() == ports[0])
    await again.drain(deadline: .zero)
    await loops.shutdown()
  }

  @Test("connections spread evenly over the loops") func balance() async throws {
    try await withServer(echoHandler) { server in
      try await server.talk { _ in
        let clients = try (0..<8).map { _ in try RawClient(port: server.port) }
        for client in clients {
          try client.send(HTTPServerTests.get("/"))
          _ = try client.readResponse()
        }
        let counts = server.server.loops.loops.map { $0.connectionCount.load(ordering: .relaxed) }
        #expect(counts.reduce(0, +) == 9)
        #expect(counts.max()! - counts.min()! <= 2)
      }
    }
  }
}
