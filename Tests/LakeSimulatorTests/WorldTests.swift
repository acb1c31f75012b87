import LakeModel
import LakePorts
import Testing

@testable import LakeSimulator

@Suite("the world")
struct WorldTests {
  private final class Log: @unchecked Sendable {
    var lines: [String] = []
  }

  @Test("a crash fences the ports first, so that a defer cannot tidy up")
  func crashIsFenced() async throws {
    let log = Log()
    let world = try await World.played(seed: 3) { world in
      let node = world.start("node") { ports, _ in
        do {
          _ = try await ports.store.put(ObjectKey(trusted: "before"), Bytes("x"), condition: .ifAbsent)
          try await ports.clock.sleep(for: .seconds(3600))
          log.lines.append("slept on")
        } catch {
          log.lines.append("woken by \(error)")
          do {
            try await ports.store.delete(ObjectKey(trusted: "before"))
            log.lines.append("deleted")
          } catch { log.lines.append("delete: \(error)") }
        }
      }
      await world.until(.answered, .put("before"), by: node)
      await world.sleep(for: .seconds(1))
      await world.crash(node)
      log.lines.append("crashed")
    }
    #expect(log.lines == ["woken by CancellationError()", "delete: cancelled", "crashed"])
    #expect(world.cloud.objects.allKeys == [ObjectKey(trusted: "before")])
  }

  @Test("a put that outlives its writer may land after the successor started")
  func putOutlivesItsWriter() async throws {
    var landed = 0
    for seed in UInt64(0)..<20 {
      let log = Log()
      let key = ObjectKey(trusted: "late")
      let world = try await World.played(seed: seed, prepare: { $0.simulation.faults[.storeLandedLate] = 1 }) { world in
        let node = world.start("node") { ports, life in
          if life.number == 0 { _ = try await ports.store.put(key, Bytes("x"), condition: .ifAbsent) }
        }
        await world.until(.asked, .put("late"), by: node)
        await world.crash(node)
        world.restart(node)
        log.lines = world.cloud.objects.allKeys.map(\.text)
        await world.sleep(for: .seconds(7200))
      }
      #expect(log.lines.isEmpty)
      landed += world.cloud.objects.count
    }
    #expect(landed > 3 && landed < 20)
  }

  @Test("a paused node does nothing, and finds its answers when it goes on")
  func pauseHoldsEverything() async throws {
    let log = Log()
    try await World.played(seed: 1) { world in
      let node = world.start("node") { ports, _ in
        for _ in 0..<3 {
          try await ports.clock.sleep(for: .seconds(10))
          log.lines.append("\(world.now.components.seconds)")
        }
      }
      await world.sleep(for: .seconds(15))
      world.pauseNode(node, for: .seconds(100))
      await world.sleep(for: .seconds(200))
    }
    #expect(log.lines == ["10", "115", "125"])
  }

  @Test("stuck names what is pending")
  func stuckNamesWhatIsPending() async throws {
    let failure = await #expect(throws: SimulationFailure.self) {
      try await World.played(seed: 1) { world in
        await world.wait("what never comes", ifCancelled: ()) { _ in }
      }
    }
    #expect(failure?.kind == .liveness)
    #expect(failure?.finding == "nothing can run: story waits for what never comes since 0.000s")
  }

  @Test("a world that does not come to rest says what is missing")
  func unsettledWorldSaysWhy() async throws {
    let failure = await #expect(throws: SimulationFailure.self) {
      try await World.played(seed: 1) { world in
        world.start("node") { ports, _ in try await ports.clock.sleep(for: .seconds(9000)) }
        world.restsWhen { "2 requests are not acknowledged" }
        try await world.settle(within: .seconds(60))
      }
    }
    #expect(
      failure?.finding
        == "2 requests are not acknowledged 60s after the last fault; node waits for sleep since 0.000s")
  }

  @Test("patterns name requests")
  func patterns() {
    #expect(RequestPattern.matches("data/a/b", "data/**"))
    #expect(!RequestPattern.matches("wal/data/a", "data/**"))
    #expect(RequestPattern.matches("icegate/logs/data/x.parquet", "**/data/**"))
    #expect(RequestPattern.matches("a", "a"))
    #expect(!RequestPattern.matches("ab", "a"))
    #expect(RequestPattern.matches("wal/logs/1/tombstone", "wal/**/tombstone"))
    #expect(RequestPattern.matches("anything", "**"))
  }
}
