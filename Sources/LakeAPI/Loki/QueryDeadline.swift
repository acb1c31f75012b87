import LakePorts

/// Ends what takes longer than a query may, wherever it waits: between pieces of work the engine looks at the clock itself,
/// but a store that answers slowly, again and again, would hold it in the middle of one.
struct QueryDeadline: Sendable {
  let limit: Duration
  let clock: any LakeClock

  /// - Returns: nil when the time was up first; `body` was cancelled then, and has ended.
  func run(_ body: @escaping @Sendable () async -> HTTPResponse) async -> HTTPResponse? {
    await withTaskGroup(of: HTTPResponse?.self) { group in
      group.addTask { await body() }
      group.addTask { [limit, clock] in
        try? await clock.sleep(for: limit)
        return nil
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
