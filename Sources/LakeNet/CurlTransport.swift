import CCurl
import Glibc
import LakeModel

/// Exchanges over libcurl's multi interface: one thread drives them all, connections are kept and shared.
///
/// `@unchecked Sendable`: `inbox` is guarded by `mutex`; everything else is touched by the driving thread only.
package final class CurlTransport: HTTPTransport, @unchecked Sendable {
  package struct Settings: Sendable {
    package var connectTimeout: Duration = .seconds(5)
    /// An exchange that moves fewer than `stallBytesPerSecond` for this long is broken off.
    package var stallTimeout: Duration = .seconds(20)
    package var stallBytesPerSecond = 100
    package var connectionsPerHostMax = 64
    /// Extra certificate authorities (PEM file); nil: the system's.
    package var authorities: String?
    package init() {}
  }

  private enum Note {
    case start(CurlJob)
    case cancel(Int)
  }

  private let settings: Settings
  private let multi: OpaquePointer
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var inbox: [Note] = []
  private var lastID = 0
  /// By easy handle.
  private var jobs: [UnsafeMutableRawPointer: CurlJob] = [:]

  /// The driving thread lives as long as the process.
  package init(settings: Settings = Settings()) {
    self.settings = settings
    curl_global_init(Int(CURL_GLOBAL_ALL))
    multi = OpaquePointer(curl_multi_init()!)
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
    _ = icegate_curl_multi_set_long(handle, CURLMOPT_MAX_HOST_CONNECTIONS, settings.connectionsPerHostMax)
    _ = icegate_curl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, settings.connectionsPerHostMax)
    var thread = pthread_t()
    let status = pthread_create(
      &thread, nil,
      { context in Unmanaged<CurlTransport>.fromOpaque(context!).takeRetainedValue().drive() },
      Unmanaged.passRetained(self).toOpaque())
    precondition(status == 0, "cannot start a thread: \(status)")
    pthread_detach(thread)
  }

  private var handle: UnsafeMutableRawPointer { UnsafeMutableRawPointer(multi) }

  package func send(_ exchange: HTTPExchange) async throws(TransportError) -> HTTPAnswer {
    let id = nextID()
    let outcome = await withTaskCancellationHandler {
      await withUnsafeContinuation { continuation in
        post(.start(CurlJob(id: id, exchange: exchange, continuation: continuation)))
      }
    } onCancel: {
      post(.cancel(id))
    }
    return try outcome.get()
  }

  private func nextID() -> Int {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    lastID += 1
    return lastID
  }

  private func post(_ note: Note) {
    pthread_mutex_lock(mutex)
    inbox.append(note)
    pthread_mutex_unlock(mutex)
    curl_multi_wakeup(handle)
  }

  private func drive() -> Never {
    // A cancellation may come before the start that it cancels, or after the end of its exchange.
    var cancelled: Set<Int> = []
    while true {
      pthread_mutex_lock(mutex)
      let notes = inbox
      inbox.removeAll()
      pthread_mutex_unlock(mutex)
      for note in notes {
        switch note {
        case .start(let job):
          if cancelled.remove(job.id) != nil {
            job.finish(.failure(.cancelled))
          } else {
            start(job)
          }
        case .cancel(let id):
          if let job = jobs.values.first(where: { $0.id == id }) {
            end(job, .failure(.cancelled))
          } else {
            cancelled.insert(id)
          }
        }
      }
      if cancelled.count > 10_000 { cancelled.removeAll() }
      var running: Int32 = 0
      curl_multi_perform(handle, &running)
      collect()
      curl_multi_poll(handle, nil, 0, 1000, nil)
    }
  }

  private func start(_ job: CurlJob) {
    guard let easy = curl_easy_init() else {
      job.finish(.failure(.notSent("libcurl has no handle")))
      return
    }
    job.configure(easy, settings)
    jobs[easy] = job
    curl_multi_add_handle(handle, easy)
  }

  private func collect() {
    var left: Int32 = 0
    while let message = curl_multi_info_read(handle, &left) {
      guard message.pointee.msg == CURLMSG_DONE, let easy = message.pointee.easy_handle, let job = jobs[easy] else {
        continue
      }
      end(job, job.outcome(icegate_curl_message_result(message)))
    }
  }

  private func end(_ job: CurlJob, _ outcome: Result<HTTPAnswer, TransportError>) {
    if let easy = job.easy {
      curl_multi_remove_handle(handle, easy)
      jobs[easy] = nil
      curl_easy_cleanup(easy)
    }
    job.finish(outcome)
  }
}

/// One exchange on its way. Touched by the driving thread only, once posted.
private final class CurlJob: @unchecked Sendable {
  let id: Int
  let exchange: HTTPExchange
  private let continuation: UnsafeContinuation<Result<HTTPAnswer, TransportError>, Never>
  private(set) var easy: UnsafeMutableRawPointer?
  private var lines: UnsafeMutablePointer<curl_slist>?
  private var headers: [(name: String, value: String)] = []
  private var body = BufferBuilder<UInt8>(capacity: 256)
  private var isTooLarge = false
  private var sendings = 0
  /// Whether the empty line after the header came.
  private var isHeaderWhole = false

  init(id: Int, exchange: HTTPExchange, continuation: UnsafeContinuation<Result<HTTPAnswer, TransportError>, Never>) {
    self.id = id
    self.exchange = exchange
    self.continuation = continuation
  }

  deinit { curl_slist_free_all(lines) }

  func finish(_ outcome: Result<HTTPAnswer, TransportError>) { continuation.resume(returning: outcome) }

  func configure(_ easy: UnsafeMutableRawPointer, _ settings: CurlTransport.Settings) {
    self.easy = easy
    let context = Unmanaged.passUnretained(self).toOpaque()
    _ = icegate_curl_set_string(easy, CURLOPT_URL, exchange.url)
    _ = icegate_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    _ = icegate_curl_set_long(easy, CURLOPT_TIMEOUT_MS, Int(exchange.timeout.nanoseconds / 1_000_000))
    _ = icegate_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(settings.connectTimeout.nanoseconds / 1_000_000))
    _ = icegate_curl_set_long(easy, CURLOPT_LOW_SPEED_LIMIT, settings.stallBytesPerSecond)
    let stall = exchange.stallTimeout ?? settings.stallTimeout
    _ = icegate_curl_set_long(easy, CURLOPT_LOW_SPEED_TIME, max(1, Int(stall.components.seconds)))
    _ = icegate_curl_set_long(easy, CURLOPT_TCP_NODELAY, 1)
    let version = exchange.usesHTTP2 ? CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE : Int(CURL_HTTP_VERSION_1_1)
    _ = icegate_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(version))
    if let authorities = settings.authorities { _ = icegate_curl_set_string(easy, CURLOPT_CAINFO, authorities) }
    configureMessage(easy)
    _ = icegate_curl_set_write(
      easy, CURLOPT_WRITEFUNCTION,
      { data, size, count, context in
        Unmanaged<CurlJob>.fromOpaque(context!).takeUnretainedValue().receive(data!, size * count)
      })
    _ = icegate_curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
    _ = icegate_curl_set_write(
      easy, CURLOPT_HEADERFUNCTION,
      { data, size, count, context in
        Unmanaged<CurlJob>.fromOpaque(context!).takeUnretainedValue().receiveHeader(data!, size * count)
      })
    _ = icegate_curl_set_pointer(easy, CURLOPT_HEADERDATA, context)
    _ = icegate_curl_set_before(
      easy, CURLOPT_PREREQFUNCTION,
      { context, _, _, _, _ in
        Unmanaged<CurlJob>.fromOpaque(context!).takeUnretainedValue().mayGoOut()
          ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
      })
    _ = icegate_curl_set_pointer(easy, CURLOPT_PREREQDATA, context)
  }

  /// libcurl sends a request again by itself when a kept connection ends without an answer. The server may have carried it
  /// out before: what only reads may go out twice, everything else is reported as broken.
  private func mayGoOut() -> Bool {
    sendings += 1
    return sendings == 1 || exchange.method == "GET" || exchange.method == "HEAD"
  }

  private func configureMessage(_ easy: UnsafeMutableRawPointer) {
    for (name, value) in exchange.headers {
      // libcurl sends a header without value only when it ends in a semicolon.
      lines = curl_slist_append(lines, value.isEmpty ? "\(name);" : "\(name): \(value)")
    }
    lines = curl_slist_append(lines, "Expect:")
    if let body = exchange.body {
      _ = icegate_curl_set_long(easy, CURLOPT_POST, 1)
      _ = icegate_curl_set_offset(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count)
      // `exchange` keeps the bytes until the job ends.
      _ = icegate_curl_set_pointer(easy, CURLOPT_POSTFIELDS, UnsafeMutableRawPointer(mutating: body.unsafeBase))
      if !exchange.headers.contains(where: { $0.name.lowercased() == "content-type" }) {
        lines = curl_slist_append(lines, "Content-Type:")
      }
    } else if exchange.method == "HEAD" {
      _ = icegate_curl_set_long(easy, CURLOPT_NOBODY, 1)
    }
    _ = icegate_curl_set_string(easy, CURLOPT_CUSTOMREQUEST, exchange.method)
    _ = icegate_curl_set_pointer(easy, CURLOPT_HTTPHEADER, lines)
  }

  private func receive(_ data: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
    if body.count + count > exchange.answerBytesMax {
      isTooLarge = true
      return 0
    }
    data.withMemoryRebound(to: UInt8.self, capacity: count) { body.append(contentsOf: $0, count: count) }
    return count
  }

  private static let headerLinesMax = 200

  private func receiveHeader(_ data: UnsafeMutablePointer<CChar>, _ count: Int) -> Int {
    let line = String(decoding: UnsafeRawBufferPointer(start: data, count: count), as: UTF8.self)
    if line.hasPrefix("HTTP/") {
      headers.removeAll()  // an interim answer (100) came before
      isHeaderWhole = false
      return count
    }
    if line == "\r\n" || line == "\n" { isHeaderWhole = true }
    guard headers.count < CurlJob.headerLinesMax, let colon = line.firstIndex(of: ":") else { return count }
    let name = line[..<colon].lowercased()
    let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
    headers.append((name, String(value.reversed().drop { $0.isWhitespace }.reversed())))
    if name == "content-length", let length = Int(headers[headers.count - 1].value), length <= exchange.answerBytesMax {
      _ = body.reserve(length)
    }
    return count
  }

  func outcome(_ result: CURLcode) -> Result<HTTPAnswer, TransportError> {
    // libcurl takes a header that was cut off for one that ends there, and so a body that never came for an empty one.
    if result == CURLE_OK && !isHeaderWhole {
      return .failure(.broken("\(shown): the answer's header was cut off"))
    }
    if result == CURLE_OK {
      var status = 0
      _ = icegate_curl_get_long(easy, CURLINFO_RESPONSE_CODE, &status)
      let received = consume()
      return .success(HTTPAnswer(status: status, headers: headers, body: received))
    }
    let text = "\(shown): \(String(cString: curl_easy_strerror(result)))"
    if isTooLarge { return .failure(.tooLarge(text)) }
    switch result {
    case CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY, CURLE_COULDNT_CONNECT, CURLE_URL_MALFORMAT,
      CURLE_UNSUPPORTED_PROTOCOL, CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE,
      CURLE_FAILED_INIT:
      return .failure(.notSent(text))
    case CURLE_OPERATION_TIMEDOUT:
      return .failure(wasSent ? .timedOut(text) : .notSent(text))
    default: return .failure(.broken(text))
    }
  }

  /// For messages: the query may hold what is not for logs.
  private var shown: String { "\(exchange.method) \(exchange.url.prefix { $0 != "?" })" }

  /// Whether a connection was made, so that the request may have gone out.
  private var wasSent: Bool {
    var microseconds: curl_off_t = 0
    _ = icegate_curl_get_offset(easy, CURLINFO_PRETRANSFER_TIME_T, &microseconds)
    return microseconds > 0
  }

  private func consume() -> Bytes {
    var taken = BufferBuilder<UInt8>(capacity: 1)
    swap(&taken, &body)
    let buffer = taken.finish()
    return Bytes(storage: buffer.storage, offset: buffer.offset, count: buffer.count)
  }
}
