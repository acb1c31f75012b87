import LakeModel
import Synchronization

/// Shares the queries that may run at once fairly between tenants: who has fewest running comes first, then who waited
/// longest. A tenant's own queries run in order, and never take all places, so that another's first one need not wait for
/// the end of somebody's long one.
final class QueryAdmission: Sendable {
  struct TooMany: Error, Sendable {}

  private struct Waiting {
    let ticket: UInt64
    let continuation: CheckedContinuation<Void, any Error>
  }

  private struct State {
    var running: [TenantID: Int] = [:]
    var runningCount = 0
    /// Each ascending by ticket.
    var waiting: [TenantID: [Waiting]] = [:]
    var nextTicket: UInt64 = 0

    mutating func start(_ tenant: TenantID) {
      runningCount += 1
      running[tenant, default: 0] += 1
    }
  }

  private let runningMax: Int
  private let runningOfTenantMax: Int
  private let waitingMax: Int
  private let state = Mutex(State())
  let tails: TenantCounts

  /// - Parameters:
  ///   - runningMax: queries of all tenants that run at once.
  ///   - waitingMax: queries of one tenant that wait; one more is refused.
  init(runningMax: Int, waitingMax: Int, tailsMax: Int) {
    self.runningMax = runningMax
    runningOfTenantMax = max(1, runningMax - max(1, runningMax / 4))
    self.waitingMax = waitingMax
    tails = TenantCounts(countMax: tailsMax)
  }

  /// Runs `body` when it is the tenant's turn.
  ///
  /// - Throws: `TooMany` when too many wait already; `CancellationError` when the client went away while waiting.
  func run<R: Sendable>(_ tenant: TenantID, _ body: () async -> R) async throws -> R {
    try await enter(tenant)
    defer { leave(tenant) }
    return await body()
  }

  /// Queries that wait now, and those that run.
  var load: (waiting: Int, running: Int) {
    state.withLock { state in (state.waiting.values.reduce(0) { $0 + $1.count }, state.runningCount) }
  }

  private func enter(_ tenant: TenantID) async throws {
    let ticket: UInt64? = try state.withLock { state in
      if mayStart(tenant, state) {
        state.start(tenant)
        return nil
      }
      guard state.waiting[tenant]?.count ?? 0 < waitingMax else { throw TooMany() }
      defer { state.nextTicket += 1 }
      return state.nextTicket
    }
    guard let ticket else { return }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        state.withLock { state in
          if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
          // A place may have come free since.
          if mayStart(tenant, state) {
            state.start(tenant)
            return continuation.resume()
          }
          state.waiting[tenant, default: []].append(Waiting(ticket: ticket, continuation: continuation))
        }
      }
    } onCancel: {
      let gone = state.withLock { state -> Waiting? in
        guard let index = state.waiting[tenant]?.firstIndex(where: { $0.ticket == ticket }) else { return nil }
        let gone = state.waiting[tenant]!.remove(at: index)
        if state.waiting[tenant]!.isEmpty { state.waiting[tenant] = nil }
        return gone
      }
      gone?.continuation.resume(throwing: CancellationError())
    }
  }

  private func mayStart(_ tenant: TenantID, _ state: State) -> Bool {
    state.runningCount < runningMax && state.running[tenant] ?? 0 < runningOfTenantMax
  }

  private func leave(_ tenant: TenantID) {
    let next = state.withLock { state -> Waiting? in
      state.runningCount -= 1
      state.running[tenant]! -= 1
      if state.running[tenant] == 0 { state.running[tenant] = nil }
      let startable = state.waiting.filter { mayStart($0.key, state) }
      let first = startable.min { a, b in
        let (left, right) = (state.running[a.key] ?? 0, state.running[b.key] ?? 0)
        return left == right ? a.value[0].ticket < b.value[0].ticket : left < right
      }
      guard let tenant = first?.key else { return nil }
      let next = state.waiting[tenant]!.removeFirst()
      if state.waiting[tenant]!.isEmpty { state.waiting[tenant] = nil }
      state.start(tenant)
      return next
    }
    next?.continuation.resume()
  }
}

/// How many of something each tenant has, up to a limit.
final class TenantCounts: Sendable {
  let countMax: Int
  private let counts = Mutex<[TenantID: Int]>([:])

  init(countMax: Int) { self.countMax = countMax }

  func hasRoom(_ tenant: TenantID) -> Bool { counts.withLock { $0[tenant, default: 0] < countMax } }

  /// - Returns: false when the tenant has as many as it may.
  func enter(_ tenant: TenantID) -> Bool {
    counts.withLock { counts in
      guard counts[tenant, default: 0] < countMax else { return false }
      counts[tenant, default: 0] += 1
      return true
    }
  }

  func leave(_ tenant: TenantID) {
    counts.withLock { counts in
      counts[tenant, default: 1] -= 1
      if counts[tenant] == 0 { counts[tenant] = nil }
    }
  }
}
