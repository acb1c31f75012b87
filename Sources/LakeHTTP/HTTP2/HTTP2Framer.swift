import CNghttp2
import LakeModel

/// What `HTTP2Framer` tells the session. Called while bytes are received or pulled: nothing here may close the connection.
protocol HTTP2FramerOwner: AnyObject {
  func streamOpened(_ id: Int32)
  /// - Parameter isTrailer: it came after the body.
  func streamField(_ id: Int32, _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, isTrailer: Bool)
  func streamHeadEnded(_ id: Int32)
  /// - Returns: how many of the bytes the client may send anew.
  func streamData(_ id: Int32, _ bytes: UnsafeRawBufferPointer) -> Int
  func streamRequestEnded(_ id: Int32)
  func streamClosed(_ id: Int32, code: UInt32)
  /// The peer sent a frame that costs its stream, for instance one stream too many.
  func streamRefused()
  /// Our last frame of the stream was framed.
  func streamAnswered(_ id: Int32)
  /// Asks for bytes of the response's body.
  func streamOutput(_ id: Int32, into buffer: UnsafeMutableRawBufferPointer) -> HTTP2Framer.Provided
}

/// nghttp2's side of a connection: bytes of the peer in, events to the owner, bytes for the peer out. No socket.
final class HTTP2Framer {
  enum Provided {
    /// None now; `resume` when there are.
    case later
    case bytes(Int)
    /// The last bytes, and then the trailers if there are any.
    case last(Int, trailers: [(name: String, value: String)]?)
    case failed
  }

  struct Settings {
    var streamsMax: Int
    var streamWindowBytes: Int
    var connectionWindowBytes: Int
    var headerListBytesMax: Int
  }

  private let session: OpaquePointer
  private unowned let owner: any HTTP2FramerOwner

  init(owner: any HTTP2FramerOwner, settings: Settings) {
    self.owner = owner
    var created: OpaquePointer?
    var option: OpaquePointer?
    var callbacks: OpaquePointer?
    nghttp2_option_new(&option)
    nghttp2_session_callbacks_new(&callbacks)
    defer {
      nghttp2_option_del(option)
      nghttp2_session_callbacks_del(callbacks)
    }
    // Windows open when we have taken the bytes, not when they came.
    nghttp2_option_set_no_auto_window_update(option, 1)
    nghttp2_option_set_no_closed_streams(option, 1)
    nghttp2_option_set_max_outbound_ack(option, 100)
    HTTP2Framer.setCallbacks(callbacks!)
    let box = HTTP2FramerBox()
    self.box = box
    let code = nghttp2_session_server_new2(&created, callbacks, Unmanaged.passUnretained(box).toOpaque(), option)
    precondition(code == 0, "nghttp2_session_server_new2: \(code)")
    session = created!
    box.framer = self
    submit(settings)
  }

  deinit { nghttp2_session_del(session) }

  /// nghttp2 holds on to it; it outlives the session.
  private let box: HTTP2FramerBox

  private func submit(_ settings: Settings) {
    let entries = [
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS.rawValue), value: UInt32(settings.streamsMax)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(settings.streamWindowBytes)),
      nghttp2_settings_entry(
        settings_id: Int32(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE.rawValue), value: UInt32(settings.headerListBytesMax)),
    ]
    nghttp2_submit_settings(session, HTTP2Framer.noFlags, entries, entries.count)
    nghttp2_session_set_local_window_size(
      session, HTTP2Framer.noFlags, 0, Int32(clamping: settings.connectionWindowBytes))
  }

  private static let noFlags = UInt8(NGHTTP2_FLAG_NONE.rawValue)

  // MARK: Bytes

  /// - Returns: false when the connection is past saving.
  func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    nghttp2_session_mem_recv(session, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
      == bytes.count
  }

  /// The next bytes for the peer, valid until the next call; nil when there are none.
  func pull() -> UnsafeRawBufferPointer? {
    var data: UnsafePointer<UInt8>?
    let count = nghttp2_session_mem_send(session, &data)
    return count > 0 ? UnsafeRawBufferPointer(start: data, count: count) : nil
  }

  var wantsInput: Bool { nghttp2_session_want_read(session) != 0 }
  /// Neither side has more to say.
  var isDone: Bool { nghttp2_session_want_read(session) == 0 && nghttp2_session_want_write(session) == 0 }
  /// Control frames and headers that wait to be pulled.
  var waitingFrameCount: Int { nghttp2_session_get_outbound_queue_size(session) }

  // MARK: Commands

  /// - Parameter hasBody: whether bytes or trailers follow, asked for through `streamOutput`.
  func submitHead(_ id: Int32, _ fields: [(name: String, value: String)], hasBody: Bool) {
    HTTP2Fields.withNameValues(fields) { fields in
      withUnsafePointer(to: HTTP2Framer.provider) { provider in
        _ = nghttp2_submit_response(session, id, fields.baseAddress, fields.count, hasBody ? provider : nil)
      }
    }
  }

  /// More of the body of a stream that had none to give is there.
  func resume(_ id: Int32) { nghttp2_session_resume_data(session, id) }

  func reset(_ id: Int32, _ code: nghttp2_error_code) {
    nghttp2_submit_rst_stream(session, HTTP2Framer.noFlags, id, code.rawValue)
  }

  func ping() { nghttp2_submit_ping(session, HTTP2Framer.noFlags, nil) }

  /// Lets the peer send so many bytes of a stream again.
  func credit(_ id: Int32, _ bytes: Int) { if bytes > 0 { nghttp2_session_consume(session, id, bytes) } }

  /// Takes no new streams; those that are open go on. The client knows which those are and repeats others elsewhere.
  func goAway() {
    nghttp2_submit_goaway(
      session, HTTP2Framer.noFlags, nghttp2_session_get_last_proc_stream_id(session), NGHTTP2_NO_ERROR.rawValue, nil, 0)
  }

  /// Ends the connection with an error.
  func terminate(_ code: nghttp2_error_code) { nghttp2_session_terminate_session(session, code.rawValue) }

  // MARK: Callbacks

  private static var provider: nghttp2_data_provider {
    var provider = nghttp2_data_provider()
    provider.read_callback = { session, id, buffer, length, flags, _, user in
      let target = UnsafeMutableRawBufferPointer(start: buffer, count: length)
      return HTTP2Framer.from(user).provide(id, into: target, flags!)
    }
    return provider
  }

  private func provide(
    _ id: Int32, into target: UnsafeMutableRawBufferPointer, _ flags: UnsafeMutablePointer<UInt32>
  ) -> Int {
    switch owner.streamOutput(id, into: target) {
    case .later: return Int(NGHTTP2_ERR_DEFERRED.rawValue)
    case .failed: return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
    case .bytes(let count): return count
    case .last(let count, let trailers):
      flags.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue
      if let trailers {
        flags.pointee |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue
        HTTP2Fields.withNameValues(trailers) { fields in
          _ = nghttp2_submit_trailer(session, id, fields.baseAddress, fields.count)
        }
      }
      return count
    }
  }

  private static func setCallbacks(_ callbacks: OpaquePointer) {
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, user in
      let header = frame!.pointee.hd
      if frame!.pointee.headers.cat == NGHTTP2_HCAT_REQUEST {
        HTTP2Framer.from(user).owner.streamOpened(header.stream_id)
      }
      return 0
    }
    nghttp2_session_callbacks_set_on_header_callback(callbacks) {
      _, frame, name, nameCount, value, valueCount, _, user in
      let isTrailer = frame!.pointee.headers.cat != NGHTTP2_HCAT_REQUEST
      HTTP2Framer.from(user).owner.streamField(
        frame!.pointee.hd.stream_id, UnsafeRawBufferPointer(start: name, count: nameCount),
        UnsafeRawBufferPointer(start: value, count: valueCount), isTrailer: isTrailer)
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, user in
      HTTP2Framer.from(user).received(frame!)
      return 0
    }
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) { _, _, id, data, count, user in
      let framer = HTTP2Framer.from(user)
      framer.credit(id, framer.owner.streamData(id, UnsafeRawBufferPointer(start: data, count: count)))
      return 0
    }
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, id, code, user in
      HTTP2Framer.from(user).owner.streamClosed(id, code: code)
      return 0
    }
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks) { _, _, _, user in
      HTTP2Framer.from(user).owner.streamRefused()
      return 0
    }
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, user in
      let header = frame!.pointee.hd
      guard header.type == UInt8(NGHTTP2_DATA.rawValue) || header.type == UInt8(NGHTTP2_HEADERS.rawValue),
        header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
      else { return 0 }
      HTTP2Framer.from(user).owner.streamAnswered(header.stream_id)
      return 0
    }
  }

  private func received(_ frame: UnsafePointer<nghttp2_frame>) {
    let header = frame.pointee.hd
    let endsStream = header.flags & UInt8(NGHTTP2_FLAG_END_STREAM.rawValue) != 0
    switch header.type {
    case UInt8(NGHTTP2_HEADERS.rawValue):
      if frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST { owner.streamHeadEnded(header.stream_id) }
      if endsStream { owner.streamRequestEnded(header.stream_id) }
    case UInt8(NGHTTP2_DATA.rawValue): if endsStream { owner.streamRequestEnded(header.stream_id) }
    default: break
    }
  }

  private static func from(_ user: UnsafeMutableRawPointer?) -> HTTP2Framer {
    Unmanaged<HTTP2FramerBox>.fromOpaque(user!).takeUnretainedValue().framer
  }
}

/// Where nghttp2's user data points to, because a framer cannot point to itself before it is initialised.
private final class HTTP2FramerBox {
  unowned var framer: HTTP2Framer!
}
