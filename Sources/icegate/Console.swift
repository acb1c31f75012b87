import Glibc

/// Lines for people, written at once.
enum Console {
  static func say(_ text: String) { write("\(text)\n") }

  static func write(_ text: String) {
    var rest = Array(text.utf8)[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.write(1, $0.baseAddress, $0.count) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }

  /// A service that listens.
  static func announce(_ service: String, _ doors: Doors) {
    say("icegate \(service) \(Version.text)")
    for (name, url) in doors.urls { say("  \(name) \(url)") }
  }
}

/// The processors of this machine.
enum Processors {
  static var count: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}
