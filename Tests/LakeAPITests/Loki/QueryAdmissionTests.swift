import LakeModel
import LakePorts
import Synchronization
import Testing

@testable import LakeAPI

@Suite struct QueryAdmissionTests {
  /// Notes in which order bodies ran, and holds each until it is let go.
  private final class Order: Sendable {
    private let state = Mutex<(names: [String], held: [String: CheckedContinuation<Void, Never>])>(([], [:]))
    var names: [String] { state.withLock { $0.names } }

    func hold(_ name: String) async {
      await withCheckedContinuation { continuation in
        state.withLock { state in
          state.names.append(name)
          state.held[name] = continuation
        }
      }
    }

    func release(_ name: String) async throws {
      for _ in 0..<5000 {
        if let held = state.withLock({ $0.held.removeValue(forKey: name) }) { return held.resume() }
        try await Task.sleep(for: .milliseconds(1))
      }
      Issue.record("\(name) never ran")
    }
  }

  private func wait(_ admission: QueryAdmission, waiting: Int) async throws {
    for _ in 0..<60_000 where admission.load.waiting != waiting { try await Task.sleep(for: .milliseconds(1)) }
    #expect(admission.load.waiting == waiting)
  }

  @Test("a tenant with many queries does not keep another waiting; each tenant's own keep their order")
  func fair() async throws {
    let admission = QueryAdmission(runningMax: 1, waitingMax: 10, tailsMax: 1)
    let order = Order()
    let (a, b) = (TenantID("a")!, TenantID("b")!)
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (index, (tenant, name)) in [(a, "a1"), (a, "a2"), (a, "a3"), (b, "b1"), (b, "b2")].enumerated() {
        group.addTask { try await admission.run(tenant) { await order.hold(name) } }
        try await wait(admission, waiting: index)
      }
      // With one place, whoever waited longest comes first; nobody runs while another does.
      for name in ["a1", "a2", "a3", "b1", "b2"] { try await order.release(name) }
      try await group.waitForAll()
    }
    #expect(order.names == ["a1", "a2", "a3", "b1", "b2"])

    let wide = QueryAdmission(runningMax: 4, waitingMax: 10, tailsMax: 1)
    let second = Order()
    try await withThrowingTaskGroup(of: Void.self) { group in
      func start(_ tenant: TenantID, _ name: String, running: Int, waiting: Int) async throws {
        group.addTask { try await wide.run(tenant) { await second.hold(name) } }
        for _ in 0..<60_000 where wide.load != (waiting, running) { try await Task.sleep(for: .milliseconds(1)) }
        #expect(wide.load == (waiting, running))
      }
      for (index, name) in ["a1", "a2", "a3"].enumerated() {
        try await start(a, name, running: index + 1, waiting: 0)
      }
      // The last place is not for a tenant that has all others.
      try await start(a, "a4", running: 3, waiting: 1)
      try await start(b, "b1", running: 4, waiting: 1)
      try await start(b, "b2", running: 4, waiting: 2)
      // a4 has waited longer, but b has fewer running.
      for name in ["a1", "b2", "b1", "a4", "a2", "a3"] { try await second.release(name) }
      try await group.waitForAll()
    }
    #expect(second.names == ["a1", "a2", "a3", "b1", "b2", "a4"])
    #expect(wide.load == (0, 0))
  }

  @Test("too many waiting are refused; one that goes away leaves its place") func bounds() async throws {
    let admission = QueryAdmission(runningMax: 1, waitingMax: 1, tailsMax: 1)
    let order = Order()
    let tenant = TenantID("a")!
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await admission.run(tenant) { await order.hold("first") } }
      while order.names.isEmpty { await Task.yield() }
      let second = Task { try await admission.run(tenant) { await order.hold("second") } }
      try await wait(admission, waiting: 1)
      await #expect(throws: QueryAdmission.TooMany.self) { try await admission.run(tenant) {} }
      second.cancel()
      await #expect(throws: CancellationError.self) { try await second.value }
      #expect(admission.load == (0, 1))
      try await order.release("first")
      try await group.waitForAll()
    }
    #expect(admission.load == (0, 0))
    #expect(order.names == ["first"])
  }
}
