import Glibc

/// Sockets that listen on one port, one per loop (SO_REUSEPORT).
enum ListeningSocket {
  private static let backlog: Int32 = 1024

  /// - Returns: the sockets, non-blocking, and the port they share.
  static func open(
    host: String, port: Int, count: Int
  ) throws(HTTPServerError) -> (sockets: [Int32], port: Int) {
    guard var address = SocketAddress(host: host, port: port) else { throw .addressInvalid(host: host, port: port) }
    // SO_REUSEPORT would let a second process of the same user take half of our connections without an error on either side. A bind
    // without the option finds such a listener.
    if port != 0 { close(try bound(address, isShared: false, host: host, port: port)) }
    var sockets: [Int32] = []
    do throws(HTTPServerError) {
      for _ in 0..<count {
        let socket = try bound(address, isShared: true, host: host, port: port)
        sockets.append(socket)
        if address.port == 0, let local = SocketAddress.local(of: socket) { address.port = local.port }
        guard listen(socket, backlog) == 0 else {
          throw errno == EADDRINUSE ? .addressInUse(host: host, port: port) : .system(call: "listen", code: errno)
        }
      }
    } catch {
      for socket in sockets { close(socket) }
      throw error
    }
    return (sockets, address.port)
  }

  private static func bound(
    _ address: SocketAddress, isShared: Bool, host: String, port: Int
  ) throws(HTTPServerError) -> Int32 {
    let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
    let socket = Glibc.socket(address.family, type, 0)
    guard socket >= 0 else { throw .system(call: "socket", code: errno) }
    set(socket, SOL_SOCKET, SO_REUSEADDR, 1)
    if isShared { set(socket, SOL_SOCKET, SO_REUSEPORT, 1) }
    if address.family == AF_INET6 { set(socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY, 0) }
    if address.bind(socket) { return socket }
    let code = errno
    close(socket)
    switch code {
    case EADDRINUSE: throw .addressInUse(host: host, port: port)
    case EACCES, EPERM: throw .permissionDenied(host: host, port: port)
    case EADDRNOTAVAIL: throw .addressInvalid(host: host, port: port)
    default: throw .system(call: "bind", code: code)
    }
  }

  static func set(_ socket: Int32, _ level: Int32, _ option: Int32, _ value: Int32) {
    var value = value
    setsockopt(socket, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }
}
