import LakePorts
import Synchronization

/// Ends what takes longer than a query may, wherever it waits: between pieces of work the engine looks at the clock itself,
/// but a store that answers slowly, again and again, would hold it in the middle of one.
struct QueryDeadline: Sendable {
  let limit: Duration
  let clock: any LakeClock

  /// - Returns: nil when the time was up first; `body` was cancelled then, and has ended.
  func run(_ body: @escaping @Sendable () async -> HTTPResponse) async -> HTTPResponse? {
    let end = clock.now.advanced(by: limit)
    let isDone = Mark()
    return await withTaskGroup(of: HTTPResponse?.self) { group in
      // At once and on this thread: what never waits needs neither another task nor a clock.
      group.addImmediateTask {
        let answer = await body()
        isDone.set()
        return answer
      }
      if !isDone.isSet {
        group.addTask { [clock] in
          try? await clock.sleep(until: end)
          return nil
        }
      }
      let first = await group.next() ?? nil
      // The client may have hung up: then the wait ends early too, and what the body says counts.
      let isOver = first == nil && !Task.isCancelled
      group.cancelAll()
      if let first { return first }
      let answer = await group.next() ?? nil
      return isOver ? nil : answer
    }
  }
}

/// Something that has happened, or not yet.
private final class Mark: Sendable {
  private let flag = Atomic(false)
  var isSet: Bool { flag.load(ordering: .acquiring) }
  func set() { flag.store(true, ordering: .releasing) }
}
