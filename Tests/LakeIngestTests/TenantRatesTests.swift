import LakeIngest
import LakeModel
import LakePorts
import Synchronization
import Testing

@Suite struct TenantRatesTests {
  /// A clock that moves when told to.
  private final class SetClock: LakeClock {
    private let time = Atomic<Int64>(1_000)
    var now: ClockInstant { ClockInstant(nanoseconds: time.load(ordering: .relaxed)) }
    func advance(_ duration: Duration) { time.add(duration.nanoseconds, ordering: .relaxed) }
    func sleep(until deadline: ClockInstant) async throws {}
  }

  private let a = TenantID("a")!
  private let b = TenantID("b")!

  @Test("a burst passes, then the rate; another tenant is not touched")
  func bytes() {
    let clock = SetClock()
    let rates = TenantRates(clock: clock) { _ in RateLimit(bytesPerSecond: 100, bytesBurst: 300) }
    #expect(rates.admit(a, bytes: 100) == nil)
    #expect(rates.admit(a, bytes: 199) == nil)
    // One byte is left: a request may take more than there is, and is paid for afterwards.
    #expect(rates.admit(a, bytes: 500) == nil)
    #expect(rates.admit(a, bytes: 1) == .seconds(5))
    #expect(rates.admit(b, bytes: 1) == nil)
    clock.advance(.milliseconds(4980))
    #expect(rates.admit(a, bytes: 1) == .milliseconds(20))
    clock.advance(.milliseconds(20))
    #expect(rates.admit(a, bytes: 1) == nil)
    clock.advance(.seconds(3600))
    #expect(rates.admit(a, bytes: 300) == nil)
    #expect(rates.admit(a, bytes: 1) == .milliseconds(10))
  }

  @Test("records are charged once they are known, and hold the next request back")
  func records() {
    let clock = SetClock()
    let rates = TenantRates(clock: clock) { _ in RateLimit(recordsPerSecond: 10) }
    #expect(rates.admit(a, bytes: 1 << 40) == nil)
    rates.charge(a, records: 20)
    #expect(rates.admit(a, bytes: 1) == .milliseconds(100))
    clock.advance(.milliseconds(100))
    #expect(rates.admit(a, bytes: 1) == nil)
  }

  @Test("tenants without limits are not remembered, tenants with full buckets forgotten")
  func memory() {
    let clock = SetClock()
    let free = a
    let rates = TenantRates(clock: clock, tenantsMax: 3) { tenant in
      tenant == free ? .none : RateLimit(bytesPerSecond: 10, bytesBurst: 10)
    }
    #expect(rates.admit(a, bytes: 1 << 40) == nil)
    #expect(rates.tenantCount == 0)
    for name in ["t1", "t2", "t3"] { #expect(rates.admit(TenantID(name)!, bytes: 10) == nil) }
    clock.advance(.milliseconds(500))
    #expect(rates.admit(TenantID("t4")!, bytes: 1) == nil)
    #expect(rates.tenantCount == 4)
    clock.advance(.seconds(1))
    #expect(rates.admit(TenantID("t5")!, bytes: 1) == nil)
    #expect(rates.tenantCount == 1)
  }
}
