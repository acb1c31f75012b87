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

extension QueryContext {
  /// Works on blocks, several at a time, and hands what comes of them to `merge` in the order of the blocks.
  ///
  /// The order in which results are merged does not depend on which task is faster, so neither does a sum of fractions.
  func forEach<Item: Sendable, Part: Sendable>(
    _ items: [Item], work: @escaping @Sendable (Item) async throws(QueryError) -> Part,
    merge: (Part) throws(QueryError) -> Void
  ) async throws(QueryError) {
    let width = min(settings.parallelism, items.count)
    if width <= 1 {
      for item in items {
        try check()
        try merge(try await work(item))
      }
      return
    }
    let failure = await withTaskGroup(of: Outcome<Part>.self) { group -> QueryError? in
      var next = 0
      var waiting: [Int: Part] = [:]
      var merged = 0
      func start() {
        let index = next
        next += 1
        group.addTask { await self.outcome(index, items[index], work) }
      }
      while next < width { start() }
      while let outcome = await group.next() {
        switch outcome.result {
        case .failure(let error):
          group.cancelAll()
          return error
        case .success(let part): waiting[outcome.index] = part
        }
        do throws(QueryError) {
          while let part = waiting.removeValue(forKey: merged) {
            try merge(part)
            merged += 1
          }
        } catch {
          group.cancelAll()
          return error
        }
        // A slow block must not let finished ones pile up.
        while next < items.count && next < merged + width * 4 && next - merged - waiting.count < width { start() }
      }
      return nil
    }
    if let failure { throw failure }
  }

  private struct Outcome<Part: Sendable>: Sendable {
    let index: Int
    let result: Result<Part, QueryError>
  }

  /// A function of its own rather than the body of a task's closure: there a typed `do throws` came out of the optimiser of
  /// Swift 6.3.1 with a wrong index.
  private func outcome<Item: Sendable, Part: Sendable>(
    _ index: Int, _ item: Item, _ work: @Sendable (Item) async throws(QueryError) -> Part
  ) async -> Outcome<Part> {
    do throws(QueryError) {
      try check()
      return Outcome(index: index, result: .success(try await work(item)))
    } catch {
      return Outcome(index: index, result: .failure(error))
    }
  }
}
