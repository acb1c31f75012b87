import Synchronization

extension QueryContext {
  /// Works on blocks, several at a time, and hands what comes of them to `merge` in the order of the blocks.
  ///
  /// The order in which results are merged does not depend on which task is faster, so neither does a sum of fractions.
  /// The caller's own task works too, and helpers take block after block: hundreds of small blocks cost two tasks, not hundreds.
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
    let share = WorkShare<Part>(count: items.count, aheadMax: width * 4)
    let failure = await withTaskGroup(of: Void.self) { group -> QueryError? in
      var helpers = 0
      while true {
        while helpers < width - 1, share.hasWork(besides: 1) {
          helpers += 1
          group.addTask { await self.help(share, items, work) }
        }
        if let index = share.take() {
          share.put(await self.outcome(items[index], work), at: index)
        } else if helpers > 0 {
          await group.next()
          helpers -= 1
        }
        do throws(QueryError) {
          while let part = try share.nextInOrder() { try merge(part) }
        } catch {
          share.close()
          group.cancelAll()
          return error
        }
        if share.isDone { return nil }
      }
    }
    if let failure { throw failure }
  }

  private func help<Item: Sendable, Part: Sendable>(
    _ share: WorkShare<Part>, _ items: [Item], _ work: @Sendable (Item) async throws(QueryError) -> Part
  ) async {
    while let index = share.take() { share.put(await outcome(items[index], work), at: index) }
  }

  /// A function of its own rather than the body of a task's closure: there a typed `do throws` came out of the optimiser of
  /// Swift 6.3.1 with a wrong index.
  private func outcome<Item: Sendable, Part: Sendable>(
    _ item: Item, _ work: @Sendable (Item) async throws(QueryError) -> Part
  ) async -> Result<Part, QueryError> {
    do throws(QueryError) {
      try check()
      return .success(try await work(item))
    } catch {
      return .failure(error)
    }
  }
}

/// Gives numbered pieces of work to several tasks and collects what comes of them.
///
/// Nobody gets further ahead of what was taken out in order than `aheadMax`: a slow piece must not let finished ones pile up.
final class WorkShare<Part: Sendable>: Sendable {
  private struct State {
    var next = 0
    var taken = 0
    var isClosed = false
    var finished: [Int: Result<Part, QueryError>] = [:]
  }

  private let count: Int
  private let aheadMax: Int
  private let state = Mutex(State())

  init(count: Int, aheadMax: Int) {
    self.count = count
    self.aheadMax = aheadMax
  }

  /// The number of a piece that nobody has begun; nil when there is none now.
  func take() -> Int? {
    state.withLock { state in
      guard !state.isClosed, state.next < count, state.next < state.taken + aheadMax else { return nil }
      state.next += 1
      return state.next - 1
    }
  }

  /// Whether more pieces than these could be taken now.
  func hasWork(besides others: Int) -> Bool {
    state.withLock { !$0.isClosed && $0.next + others < min(count, $0.taken + aheadMax) }
  }

  /// After a failure nothing more is begun.
  func put(_ outcome: Result<Part, QueryError>, at index: Int) {
    state.withLock { state in
      state.finished[index] = outcome
      if case .failure = outcome { state.isClosed = true }
    }
  }

  /// What came of the next piece in order, once; nil while it is not finished.
  ///
  /// - Throws: the failure of any piece, as soon as there is one.
  func nextInOrder() throws(QueryError) -> Part? {
    let outcome = state.withLock { state -> Result<Part, QueryError>? in
      if let next = state.finished.removeValue(forKey: state.taken) {
        state.taken += 1
        return next
      }
      guard state.isClosed else { return nil }
      let failed = state.finished.keys.sorted().first { if case .failure = state.finished[$0] { true } else { false } }
      return failed.flatMap { state.finished[$0] }
    }
    return try outcome?.get()
  }

  /// Nothing more is begun.
  func close() { state.withLock { $0.isClosed = true } }

  /// Whether every result was taken out.
  var isDone: Bool { state.withLock { $0.taken == count } }
}
