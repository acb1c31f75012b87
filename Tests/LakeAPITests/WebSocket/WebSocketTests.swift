import LakeModel
import LakePorts
import Testing

@testable import LakeAPI

@Suite struct WebSocketTests {
  // MARK: - Handshake

  @Test("the key of RFC 6455 is answered as it says") func accept() {
    #expect(WebSocketHandshake.accept(key: "dGhlIHNhbXBsZSBub25jZQ==") == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  private static let good: [(name: String, value: String)] = [
    ("Connection", "keep-alive, Upgrade"), ("Upgrade", "WebSocket"), ("Sec-WebSocket-Version", "13"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
  ]

  @Test("a handshake that lacks something is refused with its status") func refusals() throws {
    func accept(_ method: String = "GET", without: String = "", adding: [(name: String, value: String)] = []) throws {
      let headers = HTTPHeaders(Self.good.filter { $0.name != without } + adding)
      _ = try WebSocketHandshake.accept(HTTPRequest(method: method, path: "/", headers: headers))
    }
    try accept()
    func status(_ body: () throws -> Void) -> Int {
      do { try body() } catch let refused as WebSocketHandshake.Refused { return refused.status } catch {}
      return 0
    }
    #expect(status { try accept("POST") } == 405)
    #expect(status { try accept(without: "Connection") } == 400)
    #expect(status { try accept(without: "Upgrade") } == 400)
    #expect(status { try accept(without: "Sec-WebSocket-Version") } == 426)
    #expect(status { try accept(without: "Sec-WebSocket-Key") } == 400)
    #expect(status { try accept(without: "Sec-WebSocket-Key", adding: [("Sec-WebSocket-Key", "short==")]) } == 400)
  }

  // MARK: - Frames

  @Test("frames have the bytes of RFC 6455, section 5.7") func examples() throws {
    #expect(WebSocketFrame.encode(.text, Bytes("Hello")).array == [0x81, 0x05, 0x48, 0x65, 0x6C, 0x6C, 0x6F])
    let masked = WebSocketFrame.encode(.text, Bytes("Hello"), mask: 0x37FA_213D)
    #expect(masked.array == [0x81, 0x85, 0x37, 0xFA, 0x21, 0x3D, 0x7F, 0x9F, 0x4D, 0x51, 0x58])
    #expect(
      WebSocketFrame.encode(.binary, Bytes([UInt8](repeating: 0, count: 256))).array.prefix(4) == [0x82, 0x7E, 1, 0])
    let large = WebSocketFrame.encode(.binary, Bytes([UInt8](repeating: 0, count: 65536)))
    #expect(large.array.prefix(10) == [0x82, 0x7F, 0, 0, 0, 0, 0, 1, 0, 0])
  }

  private static func read(_ bytes: [UInt8], fromClient: Bool = true, piece: Int, max: Int = 1 << 20) throws
    -> [WebSocketReader.Event]
  {
    var reader = WebSocketReader(fromClient: fromClient, messageBytesMax: max)
    var events: [WebSocketReader.Event] = []
    var at = 0
    while at < bytes.count {
      let end = min(bytes.count, at + piece)
      reader.append(Bytes(Array(bytes[at..<end])))
      while let event = try reader.next() { events.append(event) }
      at = end
    }
    return events
  }

  @Test("messages come whole however their bytes are cut, control frames between the parts of one")
  func cuts() throws {
    var bytes: [UInt8] = []
    bytes += [0x01, 0x83, 0, 0, 0, 0] + Array("one".utf8)  // text, not final
    bytes += WebSocketFrame.encode(.ping, Bytes("p"), mask: 7).array
    bytes += [0x80, 0x83, 0, 0, 0, 0] + Array("two".utf8)  // its end
    bytes += WebSocketFrame.encode(.binary, Bytes([UInt8](repeating: 5, count: 70_000)), mask: 0xDEAD_BEEF).array
    bytes += WebSocketFrame.close(WebSocketClose(1000, "bye"), mask: 1).array
    let expected: [WebSocketReader.Event] = [
      .ping(Bytes("p")), .text(Bytes("onetwo")), .binary(Bytes([UInt8](repeating: 5, count: 70_000))),
      .close(WebSocketClose(1000, "bye")),
    ]
    for piece in [1, 2, 3, 7, 100, 70_000, bytes.count] {
      #expect(try Self.read(bytes, piece: piece) == expected)
    }
  }

  static let broken: [(bytes: [UInt8], code: UInt16)] = [
    ([0x81, 0x05, 0x48], 1002),  // a client's frame without mask
    ([0xC1, 0x80, 0, 0, 0, 0], 1002),  // an extension nobody agreed on
    ([0x83, 0x80, 0, 0, 0, 0], 1002),  // an unknown opcode
    ([0x80, 0x80, 0, 0, 0, 0], 1002),  // nothing to continue
    ([0x01, 0x80, 0, 0, 0, 0, 0x81, 0x80, 0, 0, 0, 0], 1002),  // a message inside a message
    ([0x09, 0x80, 0, 0, 0, 0], 1002),  // a ping in parts
    ([0x89, 0xFE, 0, 126], 1002),  // a long ping
    ([0x88, 0x81, 0, 0, 0, 0, 3], 1002),  // half a close code
    ([0x88, 0x82, 0, 0, 0, 0, 0x03, 0xED], 1002),  // 1005 is never sent
    ([0x81, 0x81, 0, 0, 0, 0, 0xFF], 1007),
    ([0x82, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0], 1009),
    ([0x82, 0xFE, 0x04, 0x01, 0, 0, 0, 0], 1009),  // more than the limit, before it came
  ]

  @Test("broken frames are told with their code", arguments: 0..<12) func refusesFrames(index: Int) throws {
    let (bytes, code) = Self.broken[index]
    let failure = #expect(throws: WebSocketReader.Failure.self) { try Self.read(bytes, piece: 1, max: 1024) }
    #expect(failure?.close.code == code)
  }

  @Test("random bytes are read or refused, never more than the limit held", arguments: 1...50)
  func random(seed: UInt64) {
    let random = SeededRandomness(seed: seed)
    for _ in 0..<200 {
      let bytes = (0..<(random.next() % 40)).map { _ in
        random.next() % 3 == 0 ? UInt8(0x81) : UInt8(truncatingIfNeeded: random.next())
      }
      _ = try? Self.read(bytes, piece: Int(1 + random.next() % 9), max: 512)
    }
  }

  // MARK: - Conversations

  @Test("pings are answered, a close is echoed and ends the body") func conversation() async throws {
    let pipe = MemoryPipe()
    pipe.give(WebSocketFrame.encode(.ping, Bytes("are you there"), mask: 3))
    async let over: Void = WebSocketConversation(pipe, clock: PatientClock()).run { sender in
      try await sender.send(text: Bytes("hello"))
      try await PatientClock().sleep(for: .seconds(60))
      return WebSocketClose(1000)
    }
    _ = await pipe.sent(2)
    pipe.give(WebSocketFrame.close(WebSocketClose(1001), mask: 9))
    await over
    let events = try pipe.events()
    #expect(Set(events.prefix(2)) == [.pong(Bytes("are you there")), .text(Bytes("hello"))])
    #expect(events.dropFirst(2) == [.close(WebSocketClose(1001))])
  }

  @Test("the body's end closes, and waits for the client's close only so long") func ourClose() async throws {
    let pipe = MemoryPipe()
    async let over: Void = WebSocketConversation(pipe, clock: PatientClock()).run { _ in WebSocketClose(1000, "done") }
    _ = await pipe.sent(1)
    pipe.give(WebSocketFrame.encode(.text, Bytes("late"), mask: 0))
    pipe.give(WebSocketFrame.close(WebSocketClose(1000), mask: 9))
    await over
    #expect(try pipe.events() == [.close(WebSocketClose(1000, "done"))])
  }

  @Test("a broken frame is closed with its code; a stop of the server says so") func failures() async throws {
    let pipe = MemoryPipe()
    pipe.give(Bytes([0x81, 0x05]))
    pipe.give(nil)
    await WebSocketConversation(pipe, clock: PatientClock()).run { _ in
      try await PatientClock().sleep(for: .seconds(60))
      return WebSocketClose(1000)
    }
    #expect(try pipe.events() == [.close(WebSocketClose(1002, "frame is not masked"))])

    let other = MemoryPipe()
    let task = Task {
      await WebSocketConversation(other, clock: PatientClock()).run { sender in
        try await sender.send(text: Bytes("x"))
        try await PatientClock().sleep(for: .seconds(60))
        return WebSocketClose(1000)
      }
    }
    _ = await other.sent(1)
    task.cancel()
    await task.value
    #expect(try other.events() == [.text(Bytes("x")), .close(WebSocketClose(1001, "the server is stopping"))])
  }
}
