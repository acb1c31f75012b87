/// A deadline on a loop, and what happens then. Belongs to its loop's thread.
final class LoopTimer {
  /// Nanoseconds on the loop's clock; nil: not set.
  fileprivate(set) var deadline: Int64?
  /// Where the wheel will look at this timer next; 0: nowhere.
  fileprivate var tick: Int64 = 0
  private var fire: ((Int64) -> Void)?

  init(_ fire: @escaping (Int64) -> Void) { self.fire = fire }

  /// It never fires again, and lets go of what it held.
  func cancel() {
    deadline = nil
    fire = nil
  }

  func run(now: Int64) { fire?(now) }
}

/// Timers in slots of `tickNanoseconds`, made for deadlines that move all the time and rarely come: moving one to later writes
/// a field, and the wheel finds that out when it gets there. A timer never fires early, and late by one tick at most.
struct TimerWheel {
  static let tickNanoseconds: Int64 = 16_000_000
  private static let slotCount = 1024

  private struct Entry {
    var timer: LoopTimer
    var tick: Int64
  }

  private var slots = [[Entry]](repeating: [], count: slotCount)
  /// One bit per slot that holds entries.
  private var occupied = [UInt64](repeating: 0, count: slotCount / 64)
  private var entryCount = 0
  private var current: Int64

  init(now: Int64) { current = now / TimerWheel.tickNanoseconds }

  /// - Parameter deadline: nil: not set any more.
  mutating func set(_ timer: LoopTimer, to deadline: Int64?) {
    timer.deadline = deadline
    guard let deadline else { return }
    let tick = tick(of: deadline)
    if timer.tick == 0 || tick < timer.tick { insert(timer, at: tick) }
  }

  /// When to call `advance` next; nil when nothing waits.
  var nextWakeup: Int64? {
    guard entryCount > 0 else { return nil }
    var tick = current + 1
    while tick <= current + Int64(TimerWheel.slotCount) {
      let slot = TimerWheel.slot(tick)
      let word = occupied[slot / 64] >> UInt64(slot % 64)
      if word != 0 { return (tick + Int64(word.trailingZeroBitCount)) * TimerWheel.tickNanoseconds }
      tick += Int64(64 - slot % 64)
    }
    return nil
  }

  /// The timers whose deadline has come by `now`, each unset.
  mutating func advance(to now: Int64) -> [LoopTimer] {
    let target = now / TimerWheel.tickNanoseconds
    guard target > current, entryCount > 0 else {
      current = max(current, target)
      return []
    }
    let first = max(current + 1, target - Int64(TimerWheel.slotCount) + 1)
    current = target
    var due: [LoopTimer] = []
    for tick in first...target {
      let slot = TimerWheel.slot(tick)
      guard !slots[slot].isEmpty else { continue }
      let entries = slots[slot]
      slots[slot] = []
      occupied[slot / 64] &= ~(1 << UInt64(slot % 64))
      entryCount -= entries.count
      for entry in entries where entry.timer.tick == entry.tick {
        entry.timer.tick = 0
        guard let deadline = entry.timer.deadline else { continue }
        if deadline <= now {
          entry.timer.deadline = nil
          due.append(entry.timer)
        } else {
          insert(entry.timer, at: self.tick(of: deadline))
        }
      }
    }
    return due
  }

  private mutating func insert(_ timer: LoopTimer, at tick: Int64) {
    let slot = TimerWheel.slot(tick)
    timer.tick = tick
    slots[slot].append(Entry(timer: timer, tick: tick))
    occupied[slot / 64] |= 1 << UInt64(slot % 64)
    entryCount += 1
  }

  /// The first tick not before the deadline, within one turn of the wheel.
  private func tick(of deadline: Int64) -> Int64 {
    let tick = deadline / TimerWheel.tickNanoseconds + (deadline % TimerWheel.tickNanoseconds > 0 ? 1 : 0)
    return min(max(tick, current + 1), current + Int64(TimerWheel.slotCount))
  }

  private static func slot(_ tick: Int64) -> Int { Int(tick % Int64(slotCount)) }
}
