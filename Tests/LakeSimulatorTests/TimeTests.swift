import LakeModel
import LakePorts
import Testing

@testable import LakeSimulator

@Suite("time in a simulation")
struct TimeTests {
  @Test("a drifting clock stays within a factor of two over any stretch, and wakes sleepers in time")
  func driftIsBounded() {
    for seed in UInt64(0)..<50 {
      var drift = ClockDrift(birth: 5_000_000_000, isSteady: false, random: SeededRandom(seed: seed))
      var random = SeededRandom(seed: seed).fork("moments")
      var now: Int64 = 5_000_000_000
      for _ in 0..<200 {
        let wanted = random.logarithmic(.nanoseconds(10)...(.seconds(500))).nanoseconds
        let before = drift.local(at: now)
        let woken = drift.time(whenLocal: before + wanted, now: now)
        let slept = drift.local(at: woken) - before
        #expect(slept >= wanted && slept <= wanted + 2)
        #expect((woken - now) * 2 + 2 >= wanted && (woken - now) <= wanted * 2 + 2)
        now = woken
      }
    }
  }

  @Test("a steady clock is exact")
  func steadyClockIsExact() {
    var drift = ClockDrift(birth: 0, isSteady: true, random: SeededRandom(seed: 1))
    let before = drift.local(at: 1_000_000_007)
    #expect(drift.time(whenLocal: before + 3_600_000_000_000, now: 1_000_000_007) == 3_601_000_000_007)
    #expect(drift.local(at: 3_601_000_000_007) - before == 3_600_000_000_000)
  }

  @Test("timers ring in the order of their times, then of the asking")
  func timersAreOrdered() {
    var queue = TimerQueue()
    var rung: [Int] = []
    for (index, time) in [30, 10, 20, 10, 30, 5].enumerated() { _ = queue.add(at: Int64(time)) { rung.append(index) } }
    let cancelled = queue.add(at: 1) { rung.append(99) }
    queue.cancel(cancelled)
    var times: [Int64] = []
    while let next = queue.next() {
      times.append(next.time)
      next.action()
    }
    #expect(times == [5, 10, 10, 20, 30, 30])
    #expect(rung == [5, 1, 3, 2, 0, 4])
  }

  @Test("forks depend on the seed and the name, not on what was drawn")
  func forksAreIndependent() {
    let fresh = SeededRandom(seed: 9)
    var used = SeededRandom(seed: 9)
    for _ in 0..<10 { _ = used.next() }
    var (a, b, c) = (fresh.fork("store"), used.fork("store"), fresh.fork("stores"))
    let draws = (a.next(), b.next(), c.next())
    #expect(draws.0 == draws.1)
    #expect(draws.0 != draws.2)
  }
}
