import LakeLogQL
import LakeModel
import LakePorts
import Synchronization

/// One running query: its limits, what it has read, what it holds. Shared by its tasks.
final class QueryContext: Sendable {
  let settings: QuerySettings
  private let clock: any LakeClock
  private let started: ClockInstant
  private let deadline: ClockInstant
  private let counters = Mutex(QueryStatistics())
  private let memory = Atomic<Int>(0)

  init(_ ports: Ports, _ settings: QuerySettings) {
    self.settings = settings
    clock = ports.clock
    started = clock.now
    deadline = started.advanced(by: settings.timeout)
  }

  /// Called between pieces of work.
  /// - Throws: `.cancelled` when the client is gone, `.timeout` when the time is up.
  func check() throws(QueryError) {
    if Task.isCancelled { throw .cancelled }
    if clock.now > deadline { throw .timeout(settings.timeout) }
  }

  func count(_ statistics: QueryStatistics) { counters.withLock { $0 += statistics } }

  var statistics: QueryStatistics {
    var all = counters.withLock { $0 }
    all.elapsed = started.duration(to: clock.now)
    return all
  }

  /// Accounts for memory that the query holds from now on (negative: has let go).
  /// - Throws: `.memoryExceeded` when it would hold more than it may.
  func hold(bytes: Int) throws(QueryError) {
    let (_, held) = memory.add(bytes, ordering: .relaxed)
    if held > settings.memoryMax && bytes > 0 {
      throw .memoryExceeded(
        "the query would hold too many bytes in memory (limit: \(ByteSize.text(UInt64(max(0, settings.memoryMax))))). "
          + "Consider adding more specific stream selectors, aggregating by fewer labels, or reducing the time range of the query"
      )
    }
  }

  /// Bytes held now, as their holders stated them.
  var heldBytes: Int { memory.load(ordering: .relaxed) }
}

/// The memory of one growing thing of a query; given back when the account goes.
final class HeldMemory: Sendable {
  private let context: QueryContext
  private let bytes = Atomic<Int>(0)

  init(_ context: QueryContext) { self.context = context }

  deinit { try? context.hold(bytes: -bytes.load(ordering: .relaxed)) }

  /// States what the thing takes now.
  /// - Throws: `.memoryExceeded` when the query would hold more than it may.
  func set(_ now: Int) throws(QueryError) {
    let before = bytes.exchange(now, ordering: .relaxed)
    if now != before { try context.hold(bytes: now - before) }
  }
}
