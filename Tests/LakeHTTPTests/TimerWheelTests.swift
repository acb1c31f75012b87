import Testing

@testable import LakeHTTP

@Suite struct TimerWheelTests {
  @Test("timers fire once, never early, at most one tick and one step late", arguments: 0..<10 as Range<UInt64>)
  func model(seed: UInt64) {
    var random = TestRandom(seed: seed)
    let tick = TimerWheel.tickNanoseconds
    var now = Int64(random.below(1 << 40))
    var wheel = TimerWheel(now: now)
    let timers = (0..<50).map { _ in LoopTimer { _ in } }
    var model: [Int64?] = Array(repeating: nil, count: timers.count)
    for _ in 0..<2000 {
      for _ in 0..<random.below(8) {
        let index = random.below(timers.count)
        // Up to 40 s ahead: more than one turn of the wheel.
        let deadline = random.below(4) == 0 ? nil : now + Int64(random.below(40_000)) * 1_000_000 - 1_000_000
        wheel.set(timers[index], to: deadline)
        model[index] = deadline
      }
      let step = random.below(20) == 0 ? Int64(random.below(60_000)) * 1_000_000 : Int64(random.below(40)) * 1_000_000
      now += step
      let wakeup = wheel.nextWakeup
      if let earliest = model.compactMap({ $0 }).min() {
        #expect(wakeup != nil && wakeup! <= max(earliest, now - step) + 2 * tick)
      }
      for timer in wheel.advance(to: now) {
        let index = timers.firstIndex { $0 === timer }!
        #expect(model[index] != nil && model[index]! <= now)
        model[index] = nil
      }
      #expect(model.allSatisfy { $0 == nil || $0! > now - tick })
    }
  }

  @Test("a deadline that moves to later all the time costs no entries") func moving() {
    var now: Int64 = 0
    var wheel = TimerWheel(now: now)
    let timer = LoopTimer { _ in }
    for _ in 0..<10_000 {
      now += 1_000_000
      wheel.set(timer, to: now + 5_000_000_000)
      #expect(wheel.advance(to: now).isEmpty)
    }
    #expect(wheel.advance(to: now + 5_100_000_000).count == 1)
    #expect(wheel.nextWakeup == nil)
  }
}
