import CNghttp2
import Testing

/// HTTP/2 frames by hand, over a `RawClient`. Header blocks are written without compression and read through nghttp2's inflater.
final class HTTP2Client {
  struct Frame: Equatable {
    var type: UInt8
    var flags: UInt8
    var stream: UInt32
    var payload: [UInt8]
  }

  struct Answer: Equatable {
    var fields: [String: String] = [:]
    var body: [UInt8] = []
    var trailers: [String: String] = [:]
    /// Of RST_STREAM.
    var resetCode: UInt32?
    var hasEnded = false

    var status: String? { fields[":status"] }
    var text: String { String(decoding: body, as: UTF8.self) }
    /// gRPC: wherever the status is.
    var grpcStatus: String? { trailers["grpc-status"] ?? fields["grpc-status"] }
    var grpcMessage: String? { trailers["grpc-message"] ?? fields["grpc-message"] }
  }

  let client: RawClient
  private var inflater: OpaquePointer?
  private var unread: [UInt8] = []
  private(set) var answers: [UInt32: Answer] = [:]
  /// Streams in the order in which they ended.
  private(set) var ended: [UInt32] = []
  private(set) var goAwayCode: UInt32?
  private(set) var pingAcks = 0
  /// Sum of WINDOW_UPDATE by stream.
  private(set) var windowUpdates: [UInt32: Int] = [:]
  /// Of the server's SETTINGS.
  private(set) var initialWindow: Int?
  /// Whether DATA is credited as it comes.
  var opensWindows = true

  static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

  init(_ client: RawClient, settings: [(UInt16, UInt32)] = [], connects: Bool = true) throws {
    self.client = client
    nghttp2_hd_inflate_new(&inflater)
    if connects { try client.send(HTTP2Client.preface + HTTP2Client.settings(settings)) }
  }

  deinit { nghttp2_hd_inflate_del(inflater) }

  // MARK: Frames out

  static func frame(_ type: UInt8, flags: UInt8 = 0, stream: UInt32 = 0, _ payload: [UInt8] = []) -> [UInt8] {
    let count = payload.count
    return [UInt8(count >> 16 & 255), UInt8(count >> 8 & 255), UInt8(count & 255), type, flags] + word(stream) + payload
  }

  static func settings(_ entries: [(UInt16, UInt32)]) -> [UInt8] {
    frame(4, entries.flatMap { [UInt8($0.0 >> 8), UInt8($0.0 & 255)] + word($0.1) })
  }

  static func word(_ value: UInt32) -> [UInt8] {
    [UInt8(value >> 24), UInt8(value >> 16 & 255), UInt8(value >> 8 & 255), UInt8(value & 255)]
  }

  static func block(_ fields: [(String, String)]) -> [UInt8] {
    fields.flatMap { [0] + text($0.0) + text($0.1) }
  }

  private static func text(_ text: String) -> [UInt8] {
    let count = text.utf8.count
    if count < 127 { return [UInt8(count)] + text.utf8 }
    var rest = count - 127
    var length: [UInt8] = [127]
    while rest >= 128 {
      length.append(UInt8(rest & 127) | 128)
      rest >>= 7
    }
    return length + [UInt8(rest)] + text.utf8
  }

  static func request(_ method: String, _ path: String, _ fields: [(String, String)] = []) -> [(String, String)] {
    [(":method", method), (":scheme", "http"), (":path", path), (":authority", "a")] + fields
  }

  static func headers(_ stream: UInt32, _ fields: [(String, String)], end: Bool) -> [UInt8] {
    frame(1, flags: end ? 5 : 4, stream: stream, block(fields))
  }

  static func data(_ stream: UInt32, _ bytes: [UInt8], end: Bool) -> [UInt8] {
    frame(0, flags: end ? 1 : 0, stream: stream, bytes)
  }

  static func get(_ stream: UInt32, _ path: String) -> [UInt8] { headers(stream, request("GET", path), end: true) }

  static func grpc(_ stream: UInt32, _ path: String, _ fields: [(String, String)] = [], end: Bool = false) -> [UInt8] {
    headers(
      stream, request("POST", path, [("content-type", "application/grpc"), ("te", "trailers")] + fields), end: end)
  }

  static func message(_ bytes: [UInt8], compressed: UInt8 = 0) -> [UInt8] {
    [compressed] + word(UInt32(bytes.count)) + bytes
  }

  func send(_ frames: [UInt8]...) throws { for frame in frames { try client.send(frame) } }

  // MARK: Frames in

  /// - Returns: nil at the end of the connection.
  func readFrame() throws -> Frame? {
    while unread.count < 9 || unread.count < 9 + length {
      let some = try client.readSome()
      if some.isEmpty { return nil }
      unread += some
    }
    let count = length
    let stream = unread[5..<9].reduce(UInt32(0)) { $0 << 8 | UInt32($1) } & 0x7FFF_FFFF
    let frame = Frame(type: unread[3], flags: unread[4], stream: stream, payload: Array(unread[9..<(9 + count)]))
    unread.removeFirst(9 + count)
    try note(frame)
    return frame
  }

  private var length: Int { Int(unread[0]) << 16 | Int(unread[1]) << 8 | Int(unread[2]) }

  private func note(_ frame: Frame) throws {
    switch frame.type {
    case 0:
      answers[frame.stream, default: Answer()].body += frame.payload
      if opensWindows, !frame.payload.isEmpty {
        let credit = HTTP2Client.word(UInt32(frame.payload.count))
        // Not to a stream that is over.
        if frame.flags & 1 == 0 { try client.send(HTTP2Client.frame(8, stream: frame.stream, credit)) }
        try client.send(HTTP2Client.frame(8, credit))
      }
    case 1:
      let fields = inflate(frame.payload)
      if answers[frame.stream]?.fields.isEmpty ?? true {
        answers[frame.stream, default: Answer()].fields = fields
      } else {
        answers[frame.stream]!.trailers = fields
      }
    case 3:
      answers[frame.stream, default: Answer()].resetCode = frame.payload.reduce(0) { $0 << 8 | UInt32($1) }
      if !ended.contains(frame.stream) { ended.append(frame.stream) }
    case 4 where frame.flags & 1 == 0:
      for start in stride(from: 0, to: frame.payload.count, by: 6) where frame.payload[start + 1] == 4 {
        initialWindow = frame.payload[(start + 2)..<(start + 6)].reduce(0) { $0 << 8 | Int($1) }
      }
      try client.send(HTTP2Client.frame(4, flags: 1))
    case 6:
      if frame.flags & 1 == 1 { pingAcks += 1 } else { try client.send(HTTP2Client.frame(6, flags: 1, frame.payload)) }
    case 7: goAwayCode = frame.payload[4..<8].reduce(0) { $0 << 8 | UInt32($1) }
    case 8: windowUpdates[frame.stream, default: 0] += frame.payload.reduce(0) { $0 << 8 | Int($1) }
    default: break
    }
    if frame.type <= 1, frame.flags & 1 == 1 {
      answers[frame.stream]?.hasEnded = true
      ended.append(frame.stream)
    }
  }

  private func inflate(_ block: [UInt8]) -> [String: String] {
    var fields: [String: String] = [:]
    var position = 0
    while position < block.count {
      var field = nghttp2_nv()
      var flags: Int32 = 0
      let used = block[position...].withUnsafeBufferPointer {
        nghttp2_hd_inflate_hd2(inflater, &field, &flags, $0.baseAddress, $0.count, 1)
      }
      guard used >= 0 else { break }
      position += used
      if flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) != 0 {
        let name = String(decoding: UnsafeBufferPointer(start: field.name, count: field.namelen), as: UTF8.self)
        fields[name] = String(decoding: UnsafeBufferPointer(start: field.value, count: field.valuelen), as: UTF8.self)
      }
      if used == 0 && flags & Int32(NGHTTP2_HD_INFLATE_EMIT.rawValue) == 0 { break }
    }
    nghttp2_hd_inflate_end_headers(inflater)
    return fields
  }

  /// Reads until the stream is over, or the connection.
  func answer(_ stream: UInt32) throws -> Answer {
    while !ended.contains(stream) { if try readFrame() == nil { break } }
    return answers[stream] ?? Answer()
  }

  /// Reads until the server closes. - Returns: the code of its GOAWAY.
  func readToEnd() -> UInt32? {
    while (try? readFrame()) != nil {}
    return goAwayCode
  }
}

extension TestServer {
  func talkHTTP2<R: Sendable>(
    settings: [(UInt16, UInt32)] = [], _ conversation: @escaping @Sendable (HTTP2Client) throws -> R
  ) async throws -> R {
    try await talk { try conversation(try HTTP2Client($0, settings: settings)) }
  }
}
