import Foundation

@testable import LakeSimulator

/// Threads for simulations: each runs on one from begin to end, and must not take one of the few that all tests share.
///
/// `@unchecked Sendable`: `waiting` is guarded by `condition`.
final class SimulationThreads: @unchecked Sendable {
  static let shared = SimulationThreads(count: max(1, ProcessInfo.processInfo.activeProcessorCount))

  private let condition = NSCondition()
  private var waiting: [@Sendable () -> Void] = []

  private init(count: Int) {
    for _ in 0..<count {
      let thread = Thread { [self] in
        while true {
          condition.lock()
          while waiting.isEmpty { condition.wait() }
          let work = waiting.removeFirst()
          condition.unlock()
          work()
        }
      }
      thread.stackSize = 16 << 20
      thread.start()
    }
  }

  private func run(_ work: @escaping @Sendable () -> Void) {
    condition.lock()
    waiting.append(work)
    condition.signal()
    condition.unlock()
  }

  /// Runs `body` on one of the threads.
  static func run<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
      shared.run { continuation.resume(with: Swift.Result { try body() }) }
    }
  }
}

extension World {
  /// A quiet world in which the story has been told, on a thread of its own.
  @discardableResult
  static func played(
    seed: UInt64, prepare: @escaping @Sendable (World) -> Void = { _ in },
    _ tell: @escaping @Sendable (World) async throws -> Void
  ) async throws -> World {
    try await SimulationThreads.run {
      let world = World(WorldOptions(seed: seed, profile: .quiet))
      prepare(world)
      try world.play(tell)
      return world
    }
  }
}
