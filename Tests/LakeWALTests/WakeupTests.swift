import LakePorts
import LakeWAL
import Synchronization
import Testing

@Suite struct WakeupTests {
  /// A clock whose sleeps end when told.
  private final class ManualClock: LakeClock {
    private struct State {
      var now = ClockInstant(nanoseconds: 0)
      var sleeping: [Int: (deadline: ClockInstant, continuation: CheckedContinuation<Void, Never>)] = [:]
      var last = 0
    }
    private let state = Mutex(State())
    var now: ClockInstant { state.withLock { $0.now } }
    var sleepers: Int { state.withLock { $0.sleeping.count } }

    func sleep(until deadline: ClockInstant) async throws {
      let number = state.withLock { state in
        state.last += 1
        return state.last
      }
      await withTaskCancellationHandler {
        await withCheckedContinuation { continuation in
          let isDue = state.withLock { state in
            if Task.isCancelled || state.now >= deadline { return true }
            state.sleeping[number] = (deadline, continuation)
            return false
          }
          if isDue { continuation.resume() }
        }
      } onCancel: {
        state.withLock { $0.sleeping.removeValue(forKey: number) }?.continuation.resume()
      }
      try Task.checkCancellation()
    }

    func advance(to instant: ClockInstant) {
      let due = state.withLock { state in
        state.now = instant
        let due = state.sleeping.filter { $0.value.deadline <= instant }
        for number in due.keys { state.sleeping[number] = nil }
        return due.values.map(\.continuation)
      }
      for continuation in due { continuation.resume() }
    }
  }

  @Test("a wake before the wait ends it, once")
  func early() async {
    let wakeup = Wakeup()
    let clock = ManualClock()
    wakeup.wake()
    wakeup.wake()
    await wakeup.wait()
    clock.advance(to: ClockInstant(nanoseconds: 5))
    // Not woken any more: only the deadline, which has passed, ends this one.
    await wakeup.wait(until: ClockInstant(nanoseconds: 5), on: clock)
  }

  @Test("a wait ends when woken from another task, at the deadline, and on cancellation")
  func ends() async {
    let clock = ManualClock()
    let wakeup = Wakeup()
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await wakeup.wait() }
      wakeup.wake()
      await group.next()
      group.addTask { await wakeup.wait(until: ClockInstant(nanoseconds: 10), on: clock) }
      while clock.sleepers == 0 { await Task.yield() }
      clock.advance(to: ClockInstant(nanoseconds: 10))
      await group.next()
      group.addTask { await wakeup.wait(until: ClockInstant(nanoseconds: 20), on: clock) }
      group.cancelAll()
      await group.next()
    }
    #expect(clock.sleepers == 0)
  }

  private final class Inside: Sendable {
    let now = Atomic(0)
    let most = Atomic(0)
  }

  @Test("a turnstile lets one through at a time")
  func turnstile() async {
    let turnstile = Turnstile()
    let inside = Inside()
    await withTaskGroup(of: Void.self) { group in
      for _ in 0..<50 {
        group.addTask {
          await turnstile.alone {
            let count = inside.now.add(1, ordering: .sequentiallyConsistent).newValue
            inside.most.max(count, ordering: .sequentiallyConsistent)
            await Task.yield()
            inside.now.subtract(1, ordering: .sequentiallyConsistent)
          }
        }
      }
    }
    #expect(inside.most.load(ordering: .sequentiallyConsistent) == 1)
    #expect(inside.now.load(ordering: .sequentiallyConsistent) == 0)
  }
}
