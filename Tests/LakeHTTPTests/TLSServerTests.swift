import CSSL
import Foundation
import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct TLSServerTests {
  static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/tls").path
  static let files = TLSFiles(certificates: "\(fixtures)/cert.pem", key: "\(fixtures)/key.pem")

  static func request(_ path: String, _ fields: String = "Connection: close\r\n", body: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nHost: a\r\nContent-Length: \(body.utf8.count)\r\n\(fields)\r\n\(body)"
  }

  @Test("HTTP/1.1 goes through TLS 1.2 and 1.3, with and without ALPN", arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
  func http1(version: Int32) async throws {
    try await withServer(echoHandler, configure: { $0.tls = Self.files }) { server in
      for offers in [[], ["http/1.1"], ["spdy/3", "http/1.1"]] {
        let (chosen, answer) = try await server.talk { raw in
          let client = try TLSClient(raw, offers: offers, version: version)
          try client.send(Self.request("/p", body: "hello"))
          return (client.chosen, try client.readToEnd())
        }
        #expect(chosen == (offers.isEmpty ? "" : "http/1.1"))
        #expect(answer.hasPrefix("HTTP/1.1 200 ") && answer.hasSuffix("POST /p? 5"))
      }
      #expect(server.server.statistics.tlsFailures == 0)
    }
  }

  @Test("a client that knows HTTP/2 gets it by ALPN") func http2() async throws {
    try await withServer(echoHandler, configure: { $0.tls = Self.files }) { server in
      let settings = try await server.talk { raw in
        let client = try TLSClient(raw, offers: ["h2", "http/1.1"])
        #expect(client.chosen == "h2")
        try client.send(HTTP2Client.preface + HTTP2Client.settings([]))
        return try client.readSome()
      }
      #expect(settings.count >= 9 && settings[3] == 4)  // SETTINGS
      #expect(server.server.statistics.connectionsHTTP2 == 1)
    }
  }

  @Test("large bodies go both ways, keys change on the way") func large() async throws {
    let mirror = ClosureHandler { HTTPResponse(status: 200, body: .bytes($0.body)) }
    try await withServer(mirror, configure: { $0.tls = Self.files }) { server in
      let body = String(repeating: "0123456789abcdef", count: 1 << 18)
      let answer = try await server.talk { raw in
        let client = try TLSClient(raw, version: TLS1_3_VERSION)
        let bytes = Array(Self.request("/big", body: body).utf8)
        try client.send(Array(bytes[..<1_000_000]))
        try client.updateKeys()
        try client.send(Array(bytes[1_000_000...]))
        return try client.readToEnd()
      }
      #expect(answer.hasSuffix("\r\n\r\n" + body))
    }
  }

  @Test("a slow reader gets all of it") func slowReader() async throws {
    let body = String(repeating: "x", count: 3 << 20)
    try await withServer(ClosureHandler { _ in text(body) }, configure: { $0.tls = Self.files }) { server in
      let answer = try await server.talk { raw in
        let client = try TLSClient(raw)
        try client.send(Self.request("/"))
        usleepMilliseconds(200)
        return try client.readToEnd()
      }
      #expect(answer.hasSuffix("\r\n\r\n" + body))
    }
  }

  @Test("plain HTTP, old versions, foreign protocols and garbage are ended and counted") func refusals() async throws {
    try await withServer(echoHandler, configure: { $0.tls = Self.files }) { server in
      let plain = try await server.talk { client in
        try client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        return (try? client.readSome()) ?? []
      }
      #expect(!String(decoding: plain, as: UTF8.self).contains("HTTP/1.1 200"))
      await #expect(throws: TLSClient.Failure.self) {
        try await server.talk { _ = try TLSClient($0, version: TLS1_1_VERSION) }
      }
      await #expect(throws: TLSClient.Failure.self) {
        try await server.talk { _ = try TLSClient($0, offers: ["spdy/3"]) }
      }
      try await server.talk { _ in server.wait { $0.tlsFailures == 3 && $0.connectionsOpen <= 1 } }
      #expect(server.server.statistics.requests == 0)
    }
  }

  @Test("a client that connects and says nothing is closed") func silence() async throws {
    try await withServer(
      echoHandler,
      configure: {
        $0.tls = Self.files
        $0.timeouts.header = .milliseconds(200)
      }
    ) { server in
      let end = try await server.talk { try $0.readSome() }
      #expect(end == [])
    }
  }

  @Test("clients must bring a certificate where authorities are named") func clientCertificates() async throws {
    var files = Self.files
    files.clientAuthorities = "\(Self.fixtures)/other-cert.pem"
    try await withServer(echoHandler, configure: { $0.tls = files }) { server in
      await #expect(throws: TLSClient.Failure.self) {
        _ = try await server.talk { raw in
          let client = try TLSClient(raw)
          try client.send(Self.request("/"))
          return try client.readToEnd()
        }
      }
      #expect(server.server.statistics.requests == 0)
    }
  }

  @Test("a renewed certificate is served without a restart; one that cannot be used is not") func renewal() async throws
  {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let files = TLSFiles(certificates: folder.path + "/cert.pem", key: folder.path + "/key.pem")
    func install(_ name: String) throws {
      for (from, to) in [("cert", files.certificates), ("key", files.key)] {
        try Data(contentsOf: URL(fileURLWithPath: "\(Self.fixtures)/\(name)\(from).pem"))
          .write(to: URL(fileURLWithPath: to), options: .atomic)
      }
    }
    try install("")
    try await withServer(echoHandler, configure: { $0.tls = files }) { server in
      func name(until wanted: String) async throws -> String {
        var name = ""
        for _ in 0..<600 where name != wanted {
          name = try await server.talk { try TLSClient($0).serverName }
          if name != wanted { try await Task.sleep(for: .milliseconds(100)) }
        }
        return name
      }
      #expect(try await name(until: "localhost") == "localhost")
      try install("other-")
      #expect(try await name(until: "other.localhost") == "other.localhost")
      try Data("nonsense".utf8).write(to: URL(fileURLWithPath: files.certificates), options: .atomic)
      try await Task.sleep(for: .milliseconds(1200))
      #expect(try await name(until: "other.localhost") == "other.localhost")
    }
  }

  @Test("files that cannot be used stop the start") func badFiles() async throws {
    for files in [
      TLSFiles(certificates: "/nowhere.pem", key: Self.files.key),
      TLSFiles(certificates: Self.files.certificates, key: "\(Self.fixtures)/other-key.pem"),
    ] {
      await #expect(throws: HTTPServerError.self) {
        try await withServer(echoHandler, configure: { $0.tls = files }) { _ in }
      }
    }
  }
}
