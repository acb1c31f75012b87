package import LakeModel
package import LakeOTLP
package import LakePorts
import LakeSchema

/// What every door asks before it takes a request of a tenant in: memory, rates, and the shape of what was sent.
package struct IngestGate: Sendable {
  package let limits: TenantLimitTable
  private let rates: TenantRates
  private let isShort: @Sendable () -> Bool
  private let instruments: Instruments

  private struct Instruments: Sendable {
    let rate: Counter
    let memory: Counter
    let days: Counter
    let registry: MetricsRegistry
  }

  /// - Parameter isShort: whether the process has used up the memory it may have.
  package init(
    ports: Ports, limits: TenantLimitTable = TenantLimitTable(), isShort: @escaping @Sendable () -> Bool = { false }
  ) {
    self.limits = limits
    self.isShort = isShort
    rates = TenantRates(clock: ports.clock) { limits[$0].rate }
    func refused(_ reason: String) -> Counter {
      ports.metrics.counter(
        "icegate_ingest_limited_total", help: "Requests refused before they were taken in, by reason.",
        labels: [("reason", reason)])
    }
    instruments = Instruments(
      rate: refused("rate"), memory: refused("memory"), days: refused("days"), registry: ports.metrics)
  }

  /// Asked once the size of a request is known and before it is decoded.
  /// - Throws: `.shortOfMemory` (503), `.rateLimited` (429).
  package func admit(_ tenant: TenantID, bytes: Int) throws(IngestError) {
    if isShort() {
      instruments.memory.add()
      throw .shortOfMemory
    }
    if let wait = rates.admit(tenant, bytes: bytes) {
      instruments.rate.add()
      throw .rateLimited(retryAfter: wait)
    }
  }

  /// Asked once the records of a request are known.
  /// - Throws: `.manyDays` (413).
  package func accept(_ decoded: DecodedRows, of tenant: TenantID, topic: Topic) throws(IngestError) {
    rates.charge(tenant, records: decoded.recordCount + decoded.rejectedCount)
    let most = limits[tenant].daysMax
    if decoded.batch.spansMoreDays(than: most) {
      instruments.days.add()
      throw .manyDays(limit: most)
    }
  }

  /// Counts what the limits took away from an acknowledged request.
  package func count(_ excess: Excess, topic: Topic) {
    func count(_ what: String, _ amount: Int) {
      guard amount > 0 else { return }
      instruments.registry.counter(
        "icegate_ingest_truncated_total", help: "Values cut and attributes left out by a tenant's limits.",
        labels: [("topic", topic.rawValue), ("what", what)]
      ).add(amount)
    }
    count("attribute_cut", excess.cutAttributes)
    count("attribute_dropped", excess.droppedAttributes)
    count("body_cut", excess.cutBodies)
  }
}

extension ColumnBatch {
  private static let microsecondsPerDay: Int64 = 86_400_000_000

  /// Whether the rows lie in more than so many days.
  fileprivate func spansMoreDays(than most: Int) -> Bool {
    guard count > most, case .int64(let times)? = column("timestamp")?.values else { return false }
    return times.withValues { times in
      var days = Set<Int64>()
      var last = Int64.min
      for time in times {
        let (quotient, rest) = time.quotientAndRemainder(dividingBy: ColumnBatch.microsecondsPerDay)
        let day = rest < 0 ? quotient - 1 : quotient
        if day == last { continue }
        last = day
        if days.insert(day).inserted, days.count > most { return true }
      }
      return false
    }
  }
}
