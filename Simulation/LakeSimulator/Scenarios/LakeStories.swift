import LakeModel
import LakePorts
import LakeShift
import LakeWAL

// Short stories: each puts one fault at one place, with nothing else going wrong but what the seed's schedule brings.

extension Scenario {
  /// Shift dies between upload and commit; its successor begins anew.
  package static let shiftCrash = Scenario(
    "shift-crash", "shift dies between upload and commit; every acknowledged row is visible exactly once",
    profile: .quiet,
    story: { world in
      let lake = try Lake(world, settings: .plain)
      lake.start("ingest#0", .ingest)
      lake.start("read#0", .read)
      let shift = lake.start("shift#0", .shift)
      async let clients: Void = lake.runClients(2, until: .seconds(60))
      await world.crash(shift, after: .put("icegate/**"), before: .catalogCommit)
      await world.sleep(for: .seconds(20))
      world.restart(shift)
      await clients
      try await lake.settle()
    })

  /// The store does what it was asked and the answer is lost: the client goes to another replica.
  package static let lostReply = Scenario(
    "lost-reply", "answers get lost and clients retry on another replica", profile: .quiet,
    story: { world in
      world.simulation.faults[.storeReplyLost] = 0.3
      world.simulation.faults[.clientReplyLost] = 0.3
      let lake = try Lake(world, settings: .plain)
      for name in ["ingest#0", "ingest#1"] { lake.start(name, .ingest) }
      lake.start("shift#0", .shift)
      lake.start("read#0", .read)
      var habits = ClientHabits()
      habits.fingerprinted = 0.5
      await lake.runClients(3, until: .seconds(90), habits)
      try await lake.settle()
    })

  /// A put that outlives its writer lands after the lane was ended.
  package static let latePut = Scenario(
    "late-put", "puts land long after their writers gave up or died, in lanes that have ended meanwhile",
    profile: .quiet,
    story: { world in
      world.simulation.faults[.storeLandedLate] = 0.25
      world.simulation.faults[.laneSealed] = 0.5
      let lake = try Lake(world, settings: .plain)
      let writer = lake.start("ingest#0", .ingest)
      lake.start("ingest#1", .ingest)
      lake.start("shift#0", .shift)
      lake.start("read#0", .read)
      lake.unleashSealer()
      async let clients: Void = lake.runClients(3, until: .seconds(120))
      await world.until(.asked, .put("queue/**"), by: writer)
      await world.sleep(for: .seconds(15))
      await world.crash(writer)
      await world.sleep(for: .seconds(5))
      world.restart(writer)
      await clients
      try await lake.settle()
    })

  /// Shifts of three replicas on one table, and a catalog that refuses and forgets to answer.
  package static let shiftRace = Scenario(
    "shift-race", "three shifts race for every generation; a lost race costs work, never a row", profile: .quiet,
    story: { world in
      world.simulation.faults[.catalogConflict] = 0.2
      world.simulation.faults[.catalogReplyLost] = 0.2
      world.simulation.faults[.catalogLandedLate] = 0.1
      var settings = LakeSettings.plain
      settings.shift.interval = .seconds(1)
      let lake = try Lake(world, settings: settings)
      lake.start("ingest#0", .ingest)
      for index in 0..<3 { lake.start("shift#\(index)", .shift) }
      lake.start("read#0", .read)
      await lake.runClients(2, until: .seconds(60))
      try await lake.settle()
    })

  /// A node is told to stop while requests are in its hands, again and again.
  package static let drainStorm = Scenario(
    "drain-storm", "nodes drain and come back while clients send", profile: .quiet,
    story: { world in
      world.simulation.faults[.drain] = 0.5
      let lake = try Lake(world, settings: .plain)
      let names = ["all#0", "all#1"]
      for name in names { lake.start(name, [.ingest, .shift, .read]) }
      world.unleashChaos(on: names, every: .seconds(1)...(.seconds(10)))
      await lake.runClients(3, until: .seconds(90))
      try await lake.settle()
    })

  /// A lane is ended and forgotten while its writer, alive, has nothing to write: seed 184 of `lake` in short.
  package static let quietLane = Scenario(
    "quiet-lane", "a writer pauses for longer than a tombstone stays; what it writes next is not lost",
    profile: .quiet,
    story: { world in
      var settings = LakeSettings.plain
      settings.queue.ackDelayMax = .seconds(4)
      settings.queue.laneAgeMax = .seconds(3600)
      settings.queue.laneIdleMax = .seconds(10)
      settings.queue.lanesMax = 1
      settings.shift.queue = settings.queue
      settings.shift.deleteDelay = .zero
      settings.shift.housekeepingInterval = .seconds(1)
      let lake = try Lake(world, settings: settings, tenants: 1)
      lake.start("ingest#0", .ingest)
      lake.start("shift#0", .shift)
      lake.start("read#0", .read)
      await world.sleep(for: .seconds(1))
      for _ in 0..<3 {
        let number = lake.make(rows: 2, tenant: lake.tenants[0])
        _ = await lake.send(lake.call(number), to: "ingest#0", patience: .seconds(10))
        await world.sleep(for: .seconds(150))
      }
      try await lake.settle()
      try lake.require(acknowledged: 3...3)
    })

  /// A segment lands and its answer is lost; it is shifted and deleted; then a tombstone lands where it stood, put by somebody
  /// who saw the lane before it: seed 52235 of `lake` in short.
  package static let lateTombstone = Scenario(
    "late-tombstone", "a tombstone takes the place of a segment that was shifted before its writer heard of it",
    profile: .quiet,
    story: { world in
      var settings = LakeSettings.hurried
      settings.queue.ackDelayMax = .seconds(30)
      settings.queue.laneIdleMax = .seconds(3600)
      settings.queue.lanesMax = 1
      settings.shift.queue = settings.queue
      let lake = try Lake(world, settings: settings, tenants: 1)
      lake.start("ingest#0", .ingest)
      let shift = lake.start("shift#0", .shift)
      lake.start("read#0", .read)
      await world.sleep(for: .seconds(1))
      let segment: RequestPattern = .put("queue/logs/**/00000000000000000001.parquet")
      world.network.strike(segment, from: "ingest#0", world.simulation.seed % 2 == 0 ? .replyLost : .resent)
      world.network.timing.patience = .seconds(8)
      world.network.timing.slowTravel = .seconds(5)...(.seconds(7))
      // Without a fingerprint: what is in the table twice is seen twice.
      let number = lake.make(rows: 2, tenant: lake.tenants[0], hasFingerprint: false)
      async let answer = lake.send(lake.call(number), to: "ingest#0", patience: .seconds(60))
      await world.until(.landed, .delete("queue/logs/**/00000000000000000001.parquet"), by: shift)
      lake.endLanes(at: 1)
      _ = await answer
      let next = lake.make(rows: 1, tenant: lake.tenants[0])
      _ = await lake.send(lake.call(next), to: "ingest#0", patience: .seconds(60))
      try await lake.settle()
      try lake.require(acknowledged: 1...1)
    })

  /// The short stories about whole lakes.
  package static let stories: [Scenario] = [
    shiftCrash, lostReply, latePut, shiftRace, drainStorm, quietLane, sleepyReader, sleepyLister, lateRepeat,
    voidLane, lateTombstone, resentWrites, backlog, impatientClient, hastySealer, slowStore, damage, otherEngine,
    secondConsumer,
    askedEngine, diskLake,
    cutOff,
    wildClocks, paused, shortPages, emptyQueue,
  ]
}

extension Lake {
  /// A story that is told with fewer or more acknowledgements than it is about was not told.
  func require(acknowledged wanted: ClosedRange<Int>) throws(SimulationFailure) {
    let found = ledger.acknowledgements
    guard !wanted.contains(found) else { return }
    throw SimulationFailure(
      kind: .liveness, invariant: .comesToRest, finding: "\(found) requests were acknowledged instead of \(wanted)",
      time: world.simulation.scheduler.now)
  }
}
