package import LakeAPI
import LakeModel
import LakeNet
package import LakePorts

/// The client's side of `tail`. Calls block.
package final class TailClient {
  private let tunnel: CurlTunnel
  private let random: any Randomness
  private var reader = WebSocketReader(fromClient: false, messageBytesMax: 256 << 20)
  private var quiet = Duration.zero

  private static let lookInterval = Duration.seconds(1)
  private static let pingAfter = Duration.seconds(20)
  private static let goneAfter = Duration.seconds(60)

  package enum Event: Sendable {
    case entries([LogEntry])
    /// Nothing came for a while.
    case quiet
    case closed(WebSocketClose?)
  }

  /// Opens the conversation.
  /// - Throws: `LokiClient.Failure`.
  package init(
    _ address: ServerAddress, _ parameters: [(name: String, value: String)],
    headers: [(name: String, value: String)], random: any Randomness
  ) throws {
    self.random = random
    let target = address.target("/loki/api/v1/tail", parameters)
    do throws(TransportError) {
      tunnel = try CurlTunnel(url: "\(address.scheme)://\(address.authority)/")
    } catch {
      throw LokiClient.Failure(error)
    }
    let key = WebSocketHandshake.key(random)
    var request =
      "GET \(target) HTTP/1.1\r\nHost: \(address.authority)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    request += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: \(key)\r\n"
    for (name, value) in headers { request += "\(name): \(value)\r\n" }
    try tunnel.send(Bytes(request + "\r\n"))
    let answer = try TailClient.readHead(tunnel)
    guard answer.head.status == 101, answer.head["sec-websocket-accept"] == WebSocketHandshake.accept(key: key) else {
      let message = try TailClient.message(answer.head, answer.rest, tunnel)
      throw LokiClient.Failure(answered: answer.head.status, message, address)
    }
    if !answer.rest.isEmpty { reader.append(Bytes(answer.rest)) }
  }

  /// Waits for something to happen.
  package func next() throws -> Event {
    while true {
      if let event = try reader.next() {
        switch event {
        case .text(let text), .binary(let text): return .entries(try LokiAnswer.tailed(text))
        case .ping(let payload): try send(.pong, payload)
        case .pong: continue
        case .close(let close):
          try? send(.close, Bytes())
          return .closed(close)
        }
        continue
      }
      guard let bytes = try tunnel.receive(within: TailClient.lookInterval) else { return .closed(nil) }
      if bytes.isEmpty {
        quiet += TailClient.lookInterval
        if quiet >= TailClient.goneAfter { return .closed(nil) }
        if quiet == TailClient.pingAfter { try send(.ping, Bytes()) }
        return .quiet
      }
      quiet = .zero
      reader.append(bytes)
    }
  }

  private func send(_ opcode: WebSocketFrame.Opcode, _ payload: Bytes) throws {
    try tunnel.send(WebSocketFrame.encode(opcode, payload, mask: UInt32(truncatingIfNeeded: random.next())))
  }

  // MARK: - The answer to the handshake

  private static let headBytesMax = 64 << 10
  private static let answerTimeout = Duration.seconds(30)

  private static func readHead(_ tunnel: CurlTunnel) throws -> (head: ResponseHead, rest: [UInt8]) {
    var bytes: [UInt8] = []
    while bytes.count < headBytesMax {
      guard let more = try tunnel.receive(within: answerTimeout), !more.isEmpty else { break }
      bytes += more.array
      if let found = ResponseHead.parse(bytes) { return found }
    }
    throw LokiClient.Failure(status: nil, message: "the server did not answer the handshake")
  }

  private static func message(_ head: ResponseHead, _ rest: [UInt8], _ tunnel: CurlTunnel) throws -> String {
    var body = rest
    let length = min(head["content-length"].flatMap { Int($0) } ?? 0, headBytesMax)
    while body.count < length, let more = try tunnel.receive(within: .seconds(5)), !more.isEmpty { body += more.array }
    return LokiAnswer.message(Bytes(body))
  }
}

/// Status line and fields of a response.
struct ResponseHead: Hashable {
  let status: Int
  /// Names in lower case.
  let fields: [String: String]

  subscript(_ name: String) -> String? { fields[name] }

  /// - Returns: nil while the head is not whole; else it and the bytes behind it.
  static func parse(_ bytes: [UInt8]) -> (head: ResponseHead, rest: [UInt8])? {
    let end: [UInt8] = [13, 10, 13, 10]
    guard bytes.count >= 4,
      let at = (0...(bytes.count - 4)).first(where: { bytes[$0..<($0 + 4)].elementsEqual(end) })
    else { return nil }
    let lines = String(decoding: bytes[..<at], as: UTF8.self).split(separator: "\r\n")
    let words = lines.first?.split(separator: " ") ?? []
    var fields: [String: String] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      let value = line[line.index(after: colon)...].drop { $0 == " " }
      fields[line[..<colon].lowercased()] = String(value)
    }
    let status = words.count > 1 ? Int(words[1]) ?? 0 : 0
    return (ResponseHead(status: status, fields: fields), Array(bytes[(at + 4)...]))
  }
}
