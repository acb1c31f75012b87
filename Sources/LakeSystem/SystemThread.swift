import CLinux
import Glibc

/// Starts a detached thread that runs `body` to its end.
///
/// - Precondition: the system can start one more thread; a process that cannot is past serving.
func startThread(_ name: String, _ body: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let code = pthread_create(
    &thread, nil,
    { argument in
      Unmanaged<ThreadBody>.fromOpaque(argument!).takeRetainedValue().start()
      return nil
    }, Unmanaged.passRetained(ThreadBody(name: name, run: body)).toOpaque())
  precondition(code == 0, "pthread_create: \(code)")
  pthread_detach(thread)
}

private final class ThreadBody: Sendable {
  private let name: String
  private let run: @Sendable () -> Void

  init(name: String, run: @escaping @Sendable () -> Void) {
    self.name = name
    self.run = run
  }

  func start() {
    _ = icegate_name_thread(name)
    run()
  }
}
