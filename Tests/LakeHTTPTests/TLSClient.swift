import CSSL
import Glibc

/// TLS over a `RawClient`'s socket; takes any certificate.
final class TLSClient: TestConnection {
  struct Failure: Error { let what: String }

  private let client: RawClient
  private let context: OpaquePointer
  private let ssl: OpaquePointer

  /// - Parameter offers: protocols for ALPN; empty: none are named.
  init(_ client: RawClient, offers: [String] = [], version: Int32? = nil) throws {
    self.client = client
    context = SSL_CTX_new(TLS_client_method())
    if let version {
      _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
      _ = SSL_CTX_ctrl(context, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
      SSL_CTX_set_security_level(context, 0)
    }
    ssl = SSL_new(context)
    if !offers.isEmpty {
      let list = offers.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }
      SSL_set_alpn_protos(ssl, list, UInt32(list.count))
    }
    SSL_set_fd(ssl, client.socket)
    guard SSL_connect(ssl) == 1 else { throw Failure(what: "connect") }
  }

  deinit {
    SSL_free(ssl)
    SSL_CTX_free(context)
  }

  var chosen: String {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(ssl, &name, &count)
    return String(decoding: UnsafeBufferPointer(start: name, count: Int(count)), as: UTF8.self)
  }

  /// The common name of the server's certificate.
  var serverName: String {
    guard let certificate = SSL_get1_peer_certificate(ssl) else { return "" }
    defer { X509_free(certificate) }
    var text = [CChar](repeating: 0, count: 256)
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, &text, 256)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes.withUnsafeBytes { SSL_write(ssl, $0.baseAddress! + sent, Int32($0.count - sent)) }
      guard count > 0 else { throw Failure(what: "write") }
      sent += Int(count)
    }
  }

  /// - Returns: empty after the server's close_notify.
  func readSome() throws -> [UInt8] {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = SSL_read(ssl, &buffer, Int32(buffer.count))
    if count > 0 { return Array(buffer[..<Int(count)]) }
    guard SSL_get_error(ssl, count) == SSL_ERROR_ZERO_RETURN else { throw Failure(what: "read") }
    return []
  }

  /// Changes keys and asks the server to do so too.
  func updateKeys() throws {
    guard SSL_key_update(ssl, SSL_KEY_UPDATE_REQUESTED) == 1, SSL_do_handshake(ssl) == 1 else {
      throw Failure(what: "key update")
    }
  }
}
