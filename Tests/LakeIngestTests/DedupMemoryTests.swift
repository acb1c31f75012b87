import LakeIngest
import LakeModel
import LakeWAL
import Testing

@Suite struct DedupMemoryTests {
  private func identity(_ body: UInt64, key: UInt64? = nil) -> RequestIdentity {
    RequestIdentity(
      fingerprint: Fingerprint(high: key ?? 0, low: body), keyScope: key.map { Fingerprint(high: $0, low: 0) })
  }

  @Test("a repeat is in flight, then durable; another topic's is new")
  func repeats() {
    var memory = DedupMemory(capacity: 10)
    #expect(memory.receive(identity(1), topic: .logs, number: 1) == .new)
    #expect(memory.receive(identity(1), topic: .logs, number: 2) == .inFlight(1))
    #expect(memory.receive(identity(1), topic: .spans, number: 3) == .new)
    memory.settle(identity(1), topic: .logs, isDurable: true)
    #expect(memory.receive(identity(1), topic: .logs, number: 4) == .durable)
  }

  @Test("a failed request is forgotten")
  func failed() {
    var memory = DedupMemory(capacity: 10)
    #expect(memory.receive(identity(1, key: 5), topic: .logs, number: 1) == .new)
    memory.settle(identity(1, key: 5), topic: .logs, isDurable: false)
    #expect(memory.receive(identity(2, key: 5), topic: .logs, number: 2) == .new)
  }

  @Test("a key with another body is refused where it is noticed")
  func keys() {
    var memory = DedupMemory(capacity: 10)
    #expect(memory.receive(identity(1, key: 5), topic: .logs, number: 1) == .new)
    #expect(memory.receive(identity(2, key: 5), topic: .logs, number: 2) == .keyReused)
    #expect(memory.receive(identity(2, key: 6), topic: .logs, number: 3) == .new)
  }

  @Test("requests without a fingerprint are always new")
  func unique() {
    var memory = DedupMemory(capacity: 10)
    #expect(memory.receive(.unique, topic: .logs, number: 1) == .new)
    memory.settle(.unique, topic: .logs, isDurable: true)
    #expect(memory.receive(.unique, topic: .logs, number: 2) == .new)
  }

  @Test("the oldest durable ones make room")
  func bounded() {
    var memory = DedupMemory(capacity: 3)
    for body in 1...20 as ClosedRange<UInt64> {
      #expect(memory.receive(identity(body), topic: .logs, number: Int(body)) == .new)
      memory.settle(identity(body), topic: .logs, isDurable: true)
    }
    for body in 18...20 as ClosedRange<UInt64> {
      #expect(memory.receive(identity(body), topic: .logs, number: 30) == .durable)
    }
    #expect(memory.receive(identity(17), topic: .logs, number: 31) == .new)
  }
}
