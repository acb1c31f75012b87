import Glibc

/// This program, run once more with other arguments; its output is read line by line.
struct ChildProcess {
  let process: pid_t
  let output: Int32
  private var said: [UInt8] = []

  private init(process: pid_t, output: Int32) {
    self.process = process
    self.output = output
  }

  /// - Returns: nil when it cannot be started.
  static func start(_ arguments: [String]) -> ChildProcess? {
    var ends: [Int32] = [0, 0]
    guard pipe(&ends) == 0 else { return nil }
    _ = fcntl(ends[0], F_SETFD, FD_CLOEXEC)
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawn_file_actions_adddup2(&actions, ends[1], 1)
    posix_spawn_file_actions_addclose(&actions, ends[1])
    defer { posix_spawn_file_actions_destroy(&actions) }
    var words: [UnsafeMutablePointer<CChar>?] = (["simulate"] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    var process = pid_t()
    let status = posix_spawn(&process, "/proc/self/exe", &actions, nil, &words, environ)
    close(ends[1])
    guard status == 0 else {
      close(ends[0])
      return nil
    }
    return ChildProcess(process: process, output: ends[0])
  }

  /// Takes a part of what it prints; waits for it. - Returns: false when there is no more.
  mutating func readSome() -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65_536)
    let count = read(output, &buffer, buffer.count)
    if count < 0 && errno == EINTR { return true }
    if count > 0 { said += buffer[0..<count] }
    return count > 0
  }

  /// Everything it printed and how it ended. Waits.
  mutating func finish() -> (lines: [String], exit: Int32?) {
    while readSome() {}
    close(output)
    return (String(decoding: said, as: UTF8.self).split(separator: "\n").map(String.init), wait())
  }

  /// The exit code; nil when a signal ended it.
  func wait() -> Int32? {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 && errno == EINTR {}
    return status & 0x7f == 0 ? (status >> 8) & 0xff : nil
  }
}
