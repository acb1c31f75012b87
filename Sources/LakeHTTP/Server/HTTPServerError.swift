/// Why a server did not start.
package enum HTTPServerError: Error, Hashable, Sendable {
  case addressInvalid(host: String, port: Int)
  /// Another process, or another server of this one, listens there.
  case addressInUse(host: String, port: Int)
  case permissionDenied(host: String, port: Int)
  case alreadyStarted
  /// Certificate or key cannot be used: which file, and why.
  case tls(String)
  /// A system call failed: its name and errno.
  case system(call: String, code: Int32)
}
