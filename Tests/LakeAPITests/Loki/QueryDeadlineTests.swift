import LakeModel
import LakePorts
import Synchronization
import Testing

@testable import LakeAPI

@Suite struct QueryDeadlineTests {
  /// Sleeps end when they are cancelled, or when the clock is set.
  private struct Still: LakeClock {
    let isOver: Bool
    var now: ClockInstant { ClockInstant(nanoseconds: 0) }
    func sleep(until deadline: ClockInstant) async throws {
      if isOver { return }
      try await Task.sleep(for: .seconds(3600))
    }
  }

  @Test("what answers in time is not touched; the wait for its end does not outlive it")
  func inTime() async {
    let deadline = QueryDeadline(limit: .seconds(60), clock: Still(isOver: false))
    #expect(await deadline.run { HTTPResponse(status: 204) }?.status == 204)
  }

  @Test("what hangs in a store is cancelled when the time is up, and has ended when the answer is given")
  func late() async {
    let ended = Mutex(false)
    let deadline = QueryDeadline(limit: .seconds(60), clock: Still(isOver: true))
    let answer = await deadline.run {
      try? await Task.sleep(for: .seconds(3600))
      ended.withLock { $0 = true }
      return HTTPResponse(status: 499)
    }
    #expect(answer == nil)
    #expect(ended.withLock { $0 })
  }

  @Test("when the client hangs up, what the query says of it counts")
  func hungUp() async throws {
    let deadline = QueryDeadline(limit: .seconds(60), clock: Still(isOver: false))
    let status = await withTaskGroup(of: Int?.self) { group in
      group.addTask {
        await deadline.run {
          try? await Task.sleep(for: .seconds(3600))
          return HTTPResponse(status: 499)
        }?.status
      }
      group.cancelAll()
      return await group.next() ?? nil
    }
    #expect(status == 499)
  }
}
