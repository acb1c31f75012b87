import CSSL

/// Certificate, key and rules from which connections are made.
///
/// `@unchecked Sendable`: OpenSSL counts references and locks by itself, and nothing is set after `init`.
final class TLSContext: @unchecked Sendable {
  let pointer: OpaquePointer

  init(_ files: TLSFiles) throws(HTTPServerError) {
    ERR_clear_error()
    guard let pointer = SSL_CTX_new(TLS_server_method()) else { throw .tls(TLSContext.reason("TLS")) }
    self.pointer = pointer
    icegate_ssl_configure(pointer)
    icegate_ssl_never_ask(pointer)
    icegate_ssl_offer_http(pointer)
    guard SSL_CTX_use_certificate_chain_file(pointer, files.certificates) == 1 else {
      throw .tls(TLSContext.reason(files.certificates))
    }
    guard SSL_CTX_use_PrivateKey_file(pointer, files.key, SSL_FILETYPE_PEM) == 1,
      SSL_CTX_check_private_key(pointer) == 1
    else { throw .tls(TLSContext.reason(files.key)) }
    if let authorities = files.clientAuthorities {
      guard SSL_CTX_load_verify_locations(pointer, authorities, nil) == 1 else {
        throw .tls(TLSContext.reason(authorities))
      }
      SSL_CTX_set_client_CA_list(pointer, SSL_load_client_CA_file(authorities))
      SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nil)
      SSL_CTX_set_session_id_context(pointer, "icegate", 7)
    }
  }

  deinit { SSL_CTX_free(pointer) }

  /// What OpenSSL says went wrong, after what it went wrong with.
  private static func reason(_ subject: String) -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let text = ERR_reason_error_string(code) else { return "\(subject): cannot be used" }
    return "\(subject): \(String(cString: text))"
  }
}
