package import LakeModel
package import LakePorts
import Synchronization

/// How much a tenant may send. nil: as much as there is room for.
package struct RateLimit: Hashable, Sendable {
  package var bytesPerSecond: Int?
  /// Bytes that may come at once after a pause.
  package var bytesBurst: Int
  package var recordsPerSecond: Int?
  package var recordsBurst: Int

  /// - Parameters: bursts that are not given are two seconds' worth.
  package init(
    bytesPerSecond: Int? = nil, bytesBurst: Int? = nil, recordsPerSecond: Int? = nil, recordsBurst: Int? = nil
  ) {
    self.bytesPerSecond = bytesPerSecond
    self.bytesBurst = bytesBurst ?? RateLimit.burst(bytesPerSecond)
    self.recordsPerSecond = recordsPerSecond
    self.recordsBurst = recordsBurst ?? RateLimit.burst(recordsPerSecond)
  }

  package static let none = RateLimit()

  package var isNone: Bool { bytesPerSecond == nil && recordsPerSecond == nil }

  private static func burst(_ rate: Int?) -> Int { max(1, (rate ?? 0).multipliedReportingOverflow(by: 2).partialValue) }
}

/// Meters what each tenant sends, so that one cannot take everybody's room (WAL-7).
///
/// Two buckets a tenant, of bytes and of records, that fill at the tenant's rates. A request is let in when neither is empty, and then takes
/// all that it is, also below zero: a request larger than a burst is taken, and paid for by a longer wait. Memory is bounded: a tenant whose
/// buckets are full again is forgotten.
package final class TenantRates: Sendable {
  private struct Buckets {
    var bytes: Double
    var records: Double
    var filled: ClockInstant
  }

  private let limit: @Sendable (TenantID) -> RateLimit
  private let clock: any LakeClock
  private let buckets = Mutex<[TenantID: Buckets]>([:])
  /// Tenants remembered before those with full buckets are swept out.
  private let tenantsMax: Int

  package init(clock: any LakeClock, tenantsMax: Int = 10_000, limit: @escaping @Sendable (TenantID) -> RateLimit) {
    self.clock = clock
    self.tenantsMax = tenantsMax
    self.limit = limit
  }

  /// Takes the bytes of a request.
  /// - Returns: nil when it may come in, else how long the tenant has to wait until one may.
  package func admit(_ tenant: TenantID, bytes: Int) -> Duration? {
    let limit = limit(tenant)
    if limit.isNone { return nil }
    return buckets.withLock { all in
      var mine = filled(all[tenant], limit)
      let wait = max(
        TenantRates.wait(mine.bytes, limit.bytesPerSecond), TenantRates.wait(mine.records, limit.recordsPerSecond))
      if wait == .zero, limit.bytesPerSecond != nil { mine.bytes -= Double(bytes) }
      store(mine, tenant, in: &all)
      return wait == .zero ? nil : wait
    }
  }

  /// Takes the records of a request that was let in.
  package func charge(_ tenant: TenantID, records: Int) {
    let limit = limit(tenant)
    guard limit.recordsPerSecond != nil else { return }
    buckets.withLock { all in
      var mine = filled(all[tenant], limit)
      mine.records -= Double(records)
      store(mine, tenant, in: &all)
    }
  }

  package var tenantCount: Int { buckets.withLock { $0.count } }

  private func filled(_ known: Buckets?, _ limit: RateLimit) -> Buckets {
    let now = clock.now
    guard var mine = known else {
      return Buckets(bytes: Double(limit.bytesBurst), records: Double(limit.recordsBurst), filled: now)
    }
    let seconds = Double(max(0, mine.filled.duration(to: now).nanoseconds)) / 1e9
    mine.bytes = min(Double(limit.bytesBurst), mine.bytes + seconds * Double(limit.bytesPerSecond ?? 0))
    mine.records = min(Double(limit.recordsBurst), mine.records + seconds * Double(limit.recordsPerSecond ?? 0))
    mine.filled = now
    return mine
  }

  private func store(_ mine: Buckets, _ tenant: TenantID, in all: inout [TenantID: Buckets]) {
    if all.count >= tenantsMax, all[tenant] == nil {
      all = all.filter { tenant, buckets in
        let limit = limit(tenant)
        let now = filled(buckets, limit)
        return (limit.bytesPerSecond != nil && now.bytes < Double(limit.bytesBurst))
          || (limit.recordsPerSecond != nil && now.records < Double(limit.recordsBurst))
      }
    }
    all[tenant] = mine
  }

  private static func wait(_ level: Double, _ rate: Int?) -> Duration {
    guard let rate, level <= 0 else { return .zero }
    // Until there is something again.
    return .milliseconds(Int64(min(3_600_000, (-level + 1) / Double(max(rate, 1)) * 1000).rounded(.up)))
  }
}
