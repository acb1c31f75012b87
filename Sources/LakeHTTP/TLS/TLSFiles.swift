/// The files that make a port speak TLS, in PEM.
package struct TLSFiles: Sendable, Hashable {
  /// The server's certificate, followed by those between it and the root.
  package var certificates: String
  package var key: String
  /// Authorities whose clients are let in; nil: clients need no certificate.
  package var clientAuthorities: String?

  package init(certificates: String, key: String, clientAuthorities: String? = nil) {
    self.certificates = certificates
    self.key = key
    self.clientAuthorities = clientAuthorities
  }
}
