import Glibc
package import LakePorts

/// The production clock: CLOCK_BOOTTIME, which also counts while the machine sleeps (CLK-1).
///
/// Waiting costs no thread: one timer thread for the process resumes whoever is due.
package struct SystemClock: LakeClock {
  private let timers: TimerThread

  package init() { timers = TimerThread.shared }

  package var now: ClockInstant { ClockInstant(nanoseconds: readClock(CLOCK_BOOTTIME)) }

  package func sleep(until deadline: ClockInstant) async throws { try await timers.sleep(until: deadline) }
}

func readClock(_ clock: clockid_t) -> Int64 {
  var time = timespec()
  clock_gettime(clock, &time)
  return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
}
