import LakeModel
import LakePorts
import LakeShift
import LakeWAL

extension Scenario {
  /// Readers that fall asleep after any answer, while shifts commit, delete and forget behind their backs.
  package static let sleepyReader = Scenario(
    "sleepy-reader", "readers pause between load, listing, confirmation and reading, while everything moves on",
    profile: .quiet,
    story: { world in
      var settings = LakeSettings.hurried
      settings.queue.footersCachedMax = 0
      settings.shift.queue = settings.queue
      let lake = try Lake(world, settings: settings, tenants: 1)
      lake.start("ingest#0", .ingest)
      lake.start("shift#0", .shift)
      for index in 0..<3 {
        let reader = lake.start("read#\(index)", .read)
        world.putToSleep(reader, one: 0.2, for: .seconds(1)...(.seconds(300)))
      }
      var habits = ClientHabits()
      habits.fingerprinted = 0.3
      habits.pause = .milliseconds(100)...(.seconds(10))
      await lake.runClients(1, until: .seconds(200), habits)
      try await lake.settle()
    })

  /// A listing that is minutes old when it is used: its lanes have been shifted, ended, deleted and forgotten meanwhile.
  package static let sleepyLister = Scenario(
    "sleepy-lister", "readers pause for minutes after they have listed lanes whose segments they know", profile: .quiet,
    story: { world in
      var settings = LakeSettings.hurried
      settings.queue.ackDelayMax = .seconds(2)
      settings.queue.laneAgeMax = .seconds(5)
      settings.shift.interval = .seconds(15)
      settings.shift.queue = settings.queue
      let lake = try Lake(world, settings: settings, tenants: 1)
      lake.start("ingest#0", .ingest)
      lake.start("shift#0", .shift)
      for index in 0..<3 {
        let reader = lake.start("read#\(index)", .read)
        world.putToSleep(reader, one: 0.25, for: .seconds(60)...(.seconds(240)), after: .list("queue/**"))
      }
      var habits = ClientHabits()
      habits.fingerprinted = 0
      habits.pause = .milliseconds(100)...(.seconds(5))
      await lake.runClients(1, until: .seconds(300), habits)
      try await lake.settle()
    })

  /// Queries through the engine itself: all rows, and a count that may come from statistics.
  package static let askedEngine = Scenario(
    "asked-engine", "the query engine answers and counts while rows move from the queue into the table",
    profile: .quiet,
    story: { world in
      world.simulation.faults[.storeReplyLost] = 0.1
      world.simulation.faults[.foreignCommit] = 0.3
      var settings = LakeSettings.hurried.wide
      settings.queue.rowGroupRowsMax = world.simulation.seed % 2 == 0 ? 1 : 8192
      settings.shift.queue = settings.queue
      let lake = try Lake(world, settings: settings)
      lake.start("all#0", [.ingest, .shift, .read])
      lake.start("read#0", .read)
      lake.unleashForeignEngine()
      await lake.runClients(2, until: .seconds(30))
      try await lake.settle()
    })

  /// Listings of one or two entries a page: a lane's objects and its opening come on different pages, at different times.
  package static let shortPages = storm(
    "short-pages", "listings come in pages of a few entries", [.storeShortPage: 0.9])
}

extension World {
  /// Pauses a node after some answers, each life of it.
  func putToSleep(
    _ node: Node, one part: Double, for pause: ClosedRange<Duration>, after pattern: RequestPattern? = nil
  ) {
    var random = simulation.random.fork("sleep.\(node.name)")
    simulation.listen { [self] event in
      guard event.stage == .answered, event.life.node == node.name, simulation.faults.isActive,
        pattern?.matches(event) ?? true, random.chance(part)
      else { return }
      simulation.faults.count(.pause)
      pauseNode(node, for: random.logarithmic(pause))
    }
  }
}
