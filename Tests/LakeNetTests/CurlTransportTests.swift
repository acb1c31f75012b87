import Foundation
import Glibc
import LakeModel
import LakeNet
import Testing

@Suite("exchanges over libcurl")
struct CurlTransportTests {
  static let transport = CurlTransport()

  func exchange(_ server: ScriptedServer, _ method: String, timeout: Duration = .seconds(300)) -> HTTPExchange {
    HTTPExchange(
      method: method, url: "http://127.0.0.1:\(server.port)/x", body: method == "GET" ? nil : Bytes("body"),
      timeout: timeout)
  }

  @Test("a change whose kept connection ends without an answer is reported, not sent again; a read is")
  func keptConnection() async throws {
    for (method, isRepeated) in [("PUT", false), ("POST", false), ("DELETE", false), ("GET", true)] {
      // The first connection answers once and hears one more request; the second answers.
      let server = try ScriptedServer([[.answer, .close], [.answer]])
      #expect(try await Self.transport.send(exchange(server, "GET")).status == 200)
      do throws(TransportError) {
        let status = try await Self.transport.send(exchange(server, method)).status
        #expect(isRepeated && status == 200, "\(method)")
      } catch {
        guard case .broken = error else {
          Issue.record("\(method): \(error)")
          continue
        }
        #expect(!isRepeated, "\(method)")
      }
      #expect(server.heard == (isRepeated ? 3 : 2), "\(method)")
    }
  }

  @Test("what was cut, reset or never answered may have been carried out; what found nobody was not")
  func endings() async throws {
    for step in [ScriptedServer.Step.close, .cut, .cutHeader, .silence] {
      let server = try ScriptedServer([[step]])
      do throws(TransportError) {
        _ = try await Self.transport.send(exchange(server, "PUT", timeout: .milliseconds(300)))
        Issue.record("\(step) is no answer")
      } catch {
        switch (step, error) {
        case (.silence, .timedOut), (.close, .broken), (.cut, .broken), (.cutHeader, .broken): break
        default: Issue.record("\(step): \(error)")
        }
      }
    }
    let nobody = HTTPExchange(method: "PUT", url: "http://127.0.0.1:1/", body: Bytes("x"))
    do throws(TransportError) {
      _ = try await Self.transport.send(nobody)
      Issue.record("nobody answered")
    } catch {
      guard case .notSent = error else {
        Issue.record("\(error)")
        return
      }
    }
  }
}

/// Takes connections one after another and does what it is told with each request on them.
final class ScriptedServer: @unchecked Sendable {  // `count` is guarded by `lock`
  enum Step: Sendable {
    case answer
    /// Reads the request and closes.
    case close
    /// Promises more than it sends.
    case cut
    /// Stops in the middle of a header line.
    case cutHeader
    /// Reads the request and says nothing for a second.
    case silence
  }

  let port: Int
  private let listener: Int32
  private let script: [[Step]]
  private let lock = NSLock()
  private var count = 0

  var heard: Int {
    lock.lock()
    defer { lock.unlock() }
    return count
  }

  init(_ script: [[Step]]) throws {
    self.script = script
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let fd = listener
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { plain in
        bind(fd, plain, length) == 0 && listen(fd, 8) == 0 && getsockname(fd, plain, &length) == 0
      }
    }
    try #require(status)
    port = Int(UInt16(bigEndian: address.sin_port))
    Thread.detachNewThread { [self] in serve() }
  }

  private func serve() {
    for steps in script {
      let connection = accept(listener, nil, nil)
      if connection < 0 { break }
      for step in steps {
        guard read(connection) else { break }
        lock.lock()
        count += 1
        lock.unlock()
        switch step {
        case .answer: send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        case .close: break
        case .cut: send(connection, "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok")
        case .cutHeader: send(connection, "HTTP/1.1 200 OK\r\nContent-Le")
        case .silence: Thread.sleep(forTimeInterval: 1)
        }
      }
      if steps.last == .answer { Thread.sleep(forTimeInterval: 0.5) }
      close(connection)
    }
    close(listener)
  }

  /// One request, header and body of known length.
  private func read(_ connection: Int32) -> Bool {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while true {
      if let end = text.range(of: "\r\n\r\n") {
        let length = text.lowercased().components(separatedBy: "content-length: ").dropFirst().first
          .flatMap { Int($0.prefix { $0.isNumber }) }
        if text[end.upperBound...].utf8.count >= length ?? 0 { return true }
      }
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return false }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
  }

  private func send(_ connection: Int32, _ text: String) {
    let bytes = Array(text.utf8)
    _ = Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
  }
}
