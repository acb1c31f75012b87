import Glibc
import LakePorts
import LakeSystem
import Synchronization

/// A line on standard error that says what goes on, once that takes long enough to wonder.
final class Progress: Sendable {
  private let isShown: Bool
  private let text = Mutex("")
  private let clock = SystemClock()

  private static let silence = Duration.milliseconds(400)
  private static let interval = Duration.milliseconds(100)

  init(isShown: Bool) { self.isShown = isShown }

  /// What is said beside the time.
  func note(_ text: String) { self.text.withLock { $0 = text } }

  func during<R: Sendable>(_ body: @escaping @Sendable () async throws -> R) async throws -> R {
    guard isShown else { return try await body() }
    return try await withThrowingTaskGroup(of: R?.self) { group in
      group.addTask { try await body() }
      group.addTask {
        await self.draw()
        return nil
      }
      defer { group.cancelAll() }
      while let result = try await group.next() { if let result { return result } }
      throw CancellationError()
    }
  }

  private func draw() async {
    let started = clock.now
    var turn = 0
    do {
      try await clock.sleep(for: Progress.silence)
      while true {
        let wheel = ["|", "/", "-", "\\"][turn % 4]
        let seconds = started.duration(to: clock.now).components.seconds
        let what = text.withLock { $0 }
        Program.show("\r\u{1B}[2K\(wheel) asking, \(seconds) s\(what.isEmpty ? "" : ", \(what)")")
        turn += 1
        try await clock.sleep(for: Progress.interval)
      }
    } catch {
      if turn > 0 { Program.show("\r\u{1B}[2K") }
    }
  }
}
