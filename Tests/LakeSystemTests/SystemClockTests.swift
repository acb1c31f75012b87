import LakeModel
import LakePorts
import LakeSystem
import Testing

@Suite struct SystemClockTests {
  let clock = SystemClock()

  @Test("a sleep ends at its deadline, not before") func sleepsUntilDeadline() async throws {
    let deadline = clock.now.advanced(by: .milliseconds(30))
    try await clock.sleep(until: deadline)
    #expect(clock.now >= deadline)
    #expect(clock.now < deadline.advanced(by: .seconds(600)))
  }

  @Test("a deadline in the past does not wait") func pastDeadline() async throws {
    try await clock.sleep(until: ClockInstant(nanoseconds: 1))
  }

  @Test("a hundred sleeps end in the order of their deadlines") func order() async throws {
    let start = clock.now
    let ended = try await withThrowingTaskGroup(of: (Int, ClockInstant).self) { group in
      for step in 0..<100 {
        group.addTask {
          try await clock.sleep(until: start.advanced(by: .milliseconds(20 + (step * 37) % 100)))
          return (20 + (step * 37) % 100, clock.now)
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(ended.count == 100)
    #expect(ended.allSatisfy { start.duration(to: $0.1) >= .milliseconds($0.0) })
  }

  @Test("a cancelled sleep ends at once with CancellationError") func cancellation() async throws {
    let start = clock.now
    await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await clock.sleep(for: .seconds(3600)) }
      group.cancelAll()
      await #expect(throws: CancellationError.self) { try await group.next() }
    }
    #expect(clock.now < start.advanced(by: .seconds(600)))
  }

  @Test("a storm of cancelled sleeps leaves the others waiting") func cancellationStorm() async throws {
    let deadline = clock.now.advanced(by: .milliseconds(200))
    async let survivor: Void = clock.sleep(until: deadline)
    for _ in 0..<20 {
      await withTaskGroup(of: Void.self) { group in
        for _ in 0..<50 { group.addTask { try? await clock.sleep(for: .seconds(60)) } }
        group.cancelAll()
      }
    }
    try await survivor
    #expect(clock.now >= deadline)
  }
}

@Suite struct SystemRandomnessTests {
  @Test("words differ, across refills and tasks") func distinct() async {
    let random = SystemRandomness()
    let words = await withTaskGroup(of: [UInt64].self) { group in
      for _ in 0..<4 { group.addTask { (0..<2000).map { _ in random.next() } } }
      return await group.reduce(into: Set<UInt64>()) { $0.formUnion($1) }
    }
    #expect(words.count == 8000)
  }
}

@Suite struct SystemWallClockTests {
  @Test("the time of day is after this was written") func isRecent() {
    #expect(SystemWallClock().now.nanoseconds > 1_763_000_000_000_000_000)
  }
}
