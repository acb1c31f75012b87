package import LakeModel
package import LakePorts

/// How one life's clock runs beside the simulation's: by a rate that changes every so often, within CLK-1.
///
/// Whole numbers throughout, so that every machine reads the same time.
struct ClockDrift {
  /// How long one rate holds, in nanoseconds.
  private static let stretch: Int64 = 20_000_000_000
  /// Rates are parts of this.
  private static let one: Int64 = 1024
  /// A factor of two, either way (CLK-1).
  private static let rates: ClosedRange<Int> = 512...2048

  private let birth: Int64
  private let isSteady: Bool
  private var random: SeededRandom
  /// Local time at the begin of each stretch, and its rate.
  private var stretches: [(local: Int64, rate: Int64)] = []
  private var nextLocal: Int64

  /// - Parameter birth: when the life began; its clock begins at an origin of its own.
  init(birth: Int64, isSteady: Bool, random: SeededRandom) {
    self.birth = birth
    self.isSteady = isSteady
    self.random = random
    nextLocal = Int64(self.random.uniform(0..<1_000_000_000_000))
  }

  private mutating func extend() {
    let rate = isSteady ? ClockDrift.one : Int64(random.uniform(ClockDrift.rates))
    stretches.append((nextLocal, rate))
    nextLocal += ClockDrift.stretch * rate / ClockDrift.one
  }

  mutating func local(at now: Int64) -> Int64 {
    let (index, part) = (now - birth).quotientAndRemainder(dividingBy: ClockDrift.stretch)
    while stretches.count <= Int(index) { extend() }
    return stretches[Int(index)].local + part * stretches[Int(index)].rate / ClockDrift.one
  }

  /// The simulation's time at which this clock will have reached `local`; at most a year ahead.
  mutating func time(whenLocal local: Int64, now: Int64) -> Int64 {
    if local <= self.local(at: now) { return now }
    if isSteady { return now.addingReportingOverflow(local - self.local(at: now)).partialValue }
    var index = Int((now - birth) / ClockDrift.stretch)
    while index < 1_500_000 {
      while stretches.count <= index { extend() }
      let (begin, rate) = stretches[index]
      if local < begin + ClockDrift.stretch * rate / ClockDrift.one {
        // Rounded up, so that the clock has reached its mark when the sleeper wakes.
        let part = ((local - begin) * ClockDrift.one + rate - 1) / rate
        return max(now, birth + Int64(index) * ClockDrift.stretch + part)
      }
      index += 1
    }
    return birth + Int64(index) * ClockDrift.stretch
  }
}

/// A life's own clock (CLK-1).
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class DriftingClock: LakeClock, @unchecked Sendable {
  private unowned let life: Life
  private var drift: ClockDrift

  init(life: Life, drift: ClockDrift) {
    self.life = life
    self.drift = drift
  }

  package var now: ClockInstant { ClockInstant(nanoseconds: drift.local(at: life.scheduler.now)) }

  package func sleep(until deadline: ClockInstant) async throws {
    let scheduler = life.scheduler
    let time = drift.time(whenLocal: deadline.nanoseconds, now: scheduler.now)
    let slept = await life.wait("sleep", subject: "", ifCancelled: false) { wait in
      let token = scheduler.schedule(at: time) { wait.settle(true) }
      wait.onCancel = { scheduler.cancel(token) }
    }
    if !slept { throw CancellationError() }
  }
}

/// A time of day that may be wrong by anything, and jump (CLK-1: trusted for nothing but values in rows).
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class JumpingWallClock: WallClock, @unchecked Sendable {
  /// 2026-11-21T00:00:00Z.
  package static let epoch: UInt64 = 1_795_219_200_000_000_000
  private static let stretch: Int64 = 30_000_000_000

  private let scheduler: Scheduler
  private let isTrue: Bool
  private let random: SeededRandom

  init(scheduler: Scheduler, isTrue: Bool, random: SeededRandom) {
    self.scheduler = scheduler
    self.isTrue = isTrue
    self.random = random
  }

  package var now: Timestamp {
    let now = scheduler.now
    var offset: Int64 = 0
    if !isTrue {
      var draw = random.fork("jump", Int(now / JumpingWallClock.stretch))
      // Mostly right, sometimes off by up to two days, either way.
      if draw.chance(0.5) { offset = Int64(draw.uniform(-172_800...172_800)) * 1_000_000_000 }
    }
    return Timestamp(nanoseconds: UInt64(Int64(JumpingWallClock.epoch) + now + offset))
  }
}
