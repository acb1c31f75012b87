import CCurl
import Glibc
package import LakeModel

/// A connected stream of bytes to a server, TLS included, for protocols that libcurl does not speak. Calls block; used by
/// one thread at a time.
package final class CurlTunnel {
  private let easy: UnsafeMutableRawPointer
  private let socket: curl_socket_t
  private let url: String

  /// Connects to host and port of the URL.
  /// - Throws: `.notSent`.
  package init(url: String, connectTimeout: Duration = .seconds(5)) throws(TransportError) {
    curl_global_init(Int(CURL_GLOBAL_ALL))
    guard let easy = curl_easy_init() else { throw .notSent("libcurl has no handle") }
    _ = icegate_curl_set_string(easy, CURLOPT_URL, url)
    _ = icegate_curl_set_long(easy, CURLOPT_CONNECT_ONLY, 1)
    _ = icegate_curl_set_long(easy, CURLOPT_NOSIGNAL, 1)
    _ = icegate_curl_set_long(easy, CURLOPT_CONNECTTIMEOUT_MS, Int(connectTimeout.nanoseconds / 1_000_000))
    // TLS must not agree on HTTP/2.
    _ = icegate_curl_set_long(easy, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
    var socket: curl_socket_t = -1
    let result = curl_easy_perform(easy)
    if result == CURLE_OK { _ = icegate_curl_get_socket(easy, CURLINFO_ACTIVESOCKET, &socket) }
    guard result == CURLE_OK, socket >= 0 else {
      curl_easy_cleanup(easy)
      throw .notSent("\(url.prefix { $0 != "?" }): \(String(cString: curl_easy_strerror(result)))")
    }
    self.easy = easy
    self.socket = socket
    self.url = url
  }

  deinit { curl_easy_cleanup(easy) }

  package func send(_ bytes: Bytes) throws(TransportError) {
    var sent = 0
    while sent < bytes.count {
      var count = 0
      let result = curl_easy_send(easy, bytes.unsafeBase + sent, bytes.count - sent, &count)
      sent += count
      if result == CURLE_AGAIN {
        guard wait(for: POLLOUT, .seconds(20)) else { throw .timedOut("\(url): the server takes nothing") }
      } else if result != CURLE_OK {
        throw .broken("\(url): \(String(cString: curl_easy_strerror(result)))")
      }
    }
    withExtendedLifetime(bytes.storage) {}
  }

  /// - Returns: what has come; empty when nothing came in time; nil at the end.
  package func receive(within timeout: Duration) throws(TransportError) -> Bytes? {
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    for isLast in [false, true] {
      var count = 0
      let result = curl_easy_recv(easy, &buffer, buffer.count, &count)
      if result == CURLE_OK { return count == 0 ? nil : Bytes(Array(buffer[..<count])) }
      guard result == CURLE_AGAIN else { throw .broken("\(url): \(String(cString: curl_easy_strerror(result)))") }
      // TLS may hold bytes that the socket does not show, so it is asked first.
      if isLast || !wait(for: POLLIN, timeout) { break }
    }
    return Bytes()
  }

  private func wait(for events: Int32, _ timeout: Duration) -> Bool {
    var poll = pollfd(fd: socket, events: Int16(events), revents: 0)
    return Glibc.poll(&poll, 1, Int32(clamping: timeout.nanoseconds / 1_000_000)) > 0
  }
}
