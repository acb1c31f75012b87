import Glibc

/// An IPv4 or IPv6 address with a port.
struct SocketAddress {
  private var storage = sockaddr_storage()
  private var length: socklen_t

  /// - Parameter host: numeric, or `localhost`.
  /// - Returns: nil when it is neither, or the port is no port.
  init?(host: String, port: Int) {
    guard let port = UInt16(exactly: port) else { return nil }
    var ipv4 = sockaddr_in()
    if inet_pton(AF_INET, host == "localhost" ? "127.0.0.1" : host, &ipv4.sin_addr) == 1 {
      ipv4.sin_family = sa_family_t(AF_INET)
      ipv4.sin_port = port.bigEndian
      length = socklen_t(MemoryLayout<sockaddr_in>.size)
      withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: ipv4, as: sockaddr_in.self) }
      return
    }
    var ipv6 = sockaddr_in6()
    let bare = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    guard inet_pton(AF_INET6, bare, &ipv6.sin6_addr) == 1 else { return nil }
    ipv6.sin6_family = sa_family_t(AF_INET6)
    ipv6.sin6_port = port.bigEndian
    length = socklen_t(MemoryLayout<sockaddr_in6>.size)
    withUnsafeMutableBytes(of: &storage) { $0.storeBytes(of: ipv6, as: sockaddr_in6.self) }
  }

  private init() { length = socklen_t(MemoryLayout<sockaddr_storage>.size) }

  /// The other end of a connection.
  static func peer(of socket: Int32) -> SocketAddress? {
    var address = SocketAddress()
    return address.fill { getpeername(socket, $0, $1) } ? address : nil
  }

  static func local(of socket: Int32) -> SocketAddress? {
    var address = SocketAddress()
    return address.fill { getsockname(socket, $0, $1) } ? address : nil
  }

  var family: Int32 { Int32(storage.ss_family) }

  var port: Int {
    get { withUnsafeBytes(of: storage) { Int($0.load(fromByteOffset: 2, as: UInt16.self).byteSwapped) } }
    set {
      withUnsafeMutableBytes(of: &storage) {
        $0.storeBytes(of: UInt16(newValue).bigEndian, toByteOffset: 2, as: UInt16.self)
      }
    }
  }

  /// `127.0.0.1:4318`, `[::1]:4318`; an IPv4 peer of an IPv6 socket as IPv4.
  var text: String {
    let isIPv6 = family == AF_INET6
    // The address follows family and port, in IPv6 also the flow label.
    let host = withUnsafeBytes(of: storage) { bytes in
      withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(INET6_ADDRSTRLEN)) { text in
        inet_ntop(family, bytes.baseAddress! + (isIPv6 ? 8 : 4), text.baseAddress, socklen_t(INET6_ADDRSTRLEN))
          .map { String(cString: $0) } ?? "?"
      }
    }
    if host.hasPrefix("::ffff:"), host.contains(".") { return "\(host.dropFirst(7)):\(port)" }
    return isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)"
  }

  func bind(_ socket: Int32) -> Bool {
    withUnsafePointer(to: storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { Glibc.bind(socket, $0, length) == 0 }
    }
  }

  private mutating func fill(_ call: (UnsafeMutablePointer<sockaddr>, UnsafeMutablePointer<socklen_t>) -> Int32) -> Bool
  {
    var length = self.length
    let code = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { call($0, &length) }
    }
    self.length = length
    return code == 0
  }
}
