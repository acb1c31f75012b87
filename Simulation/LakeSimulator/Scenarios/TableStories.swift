import LakeModel
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL

extension Scenario {
  /// Another engine deletes rows, compacts, expires and rolls back, between and during the shifts' commits.
  package static let otherEngine = Scenario(
    "other-engine", "another engine deletes, rewrites, expires and rolls back; the state of the queue stays",
    profile: .quiet,
    story: { world in
      world.simulation.faults[.foreignCommit] = 0.6
      world.simulation.faults[.catalogReplyLost] = 0.1
      world.simulation.faults[.catalogLandedLate] = 0.1
      let lake = try Lake(world, settings: .hurried)
      lake.start("ingest#0", .ingest)
      for index in 0..<2 { lake.start("shift#\(index)", .shift) }
      lake.start("read#0", .read)
      lake.unleashForeignEngine()
      await lake.runClients(2, until: .seconds(60))
      try await lake.settle()
    })

  /// `events` from the lanes of `logs`: two states, and nothing goes before both are past it.
  package static let secondConsumer = Scenario(
    "second-consumer", "logs and events are fed from the same lanes, by nodes that crash", profile: .quiet,
    story: { world in
      world.simulation.faults[.crash] = 0.2
      world.simulation.faults[.catalogReplyLost] = 0.1
      let lake = try Lake(world, settings: .hurried.wide, withEvents: true)
      let names = ["all#0", "all#1"]
      for name in names { lake.start(name, [.ingest, .shift, .read]) }
      world.unleashChaos(on: names, every: .seconds(1)...(.seconds(10)))
      await lake.runClients(2, until: .seconds(30))
      try await lake.settle()
    })

  /// A repeat whose put lands minutes after its writer died, long after the window: its lane was listed when the
  /// fingerprint was due, so the fingerprint is still there (DUP-5).
  package static let lateRepeat = Scenario(
    "late-repeat", "the first sending lands minutes after its repeat was acknowledged, and counts for nothing",
    profile: .quiet,
    story: { world in
      try await tellLateLanding(world, laneIdleMax: .seconds(3600), lateness: .seconds(100)...(.seconds(300)))
    })

  /// The same, when the lane was ended, taken into the state and forgotten before: what lands is void (RDR-2, DEL-2).
  package static let voidLane = Scenario(
    "void-lane", "the first sending lands in a lane that nobody knows any more, and counts for nothing",
    profile: .quiet,
    story: { world in
      try await tellLateLanding(world, laneIdleMax: .seconds(5), lateness: .seconds(250)...(.seconds(380)))
    })

  private static func tellLateLanding(
    _ world: World, laneIdleMax: Duration, lateness: ClosedRange<Duration>
  ) async throws {
    var settings = LakeSettings.hurried
    settings.queue.dedupWindow = .seconds(20)
    settings.queue.laneAgeMax = .seconds(3600)
    settings.queue.laneIdleMax = laneIdleMax
    settings.queue.lanesMax = 1
    settings.shift.queue = settings.queue
    let lake = try Lake(world, settings: settings, tenants: 1)
    let first = lake.start("ingest#0", .ingest)
    lake.start("ingest#1", .ingest)
    lake.start("shift#0", .shift)
    for index in 0..<3 { lake.start("read#\(index)", .read) }
    await world.sleep(for: .seconds(1))
    let opener = lake.make(rows: 1, tenant: lake.tenants[0])
    _ = await lake.send(lake.call(opener), to: "ingest#0", patience: .seconds(10))
    world.network.timing.lateness = lateness
    world.network.strike(.put("queue/logs/**"), from: "ingest#0", .late)
    let number = lake.make(rows: 2, tenant: lake.tenants[0])
    async let unanswered = lake.send(lake.call(number), to: "ingest#0", patience: .milliseconds(1500))
    await world.until(.asked, .put("queue/**"), by: first)
    _ = await unanswered
    await world.crash(first)
    _ = await lake.send(lake.call(number), to: "ingest#1", patience: .seconds(10))
    // Small traffic, so that there is something to commit.
    for _ in 0..<40 {
      await world.sleep(for: .seconds(10))
      let other = lake.make(rows: 1, tenant: lake.tenants[0])
      _ = await lake.send(lake.call(other), to: "ingest#1", patience: .seconds(10))
    }
    try await lake.settle()
  }

  /// Segments that rot or vanish while they wait: told, quarantined, and nothing else suffers (SHF-5, SHF-6).
  package static let damage = Scenario(
    "damage", "a segment vanishes or rots before it is shifted; it is told, and everything else goes on",
    profile: .quiet,
    story: { world in
      var settings = LakeSettings.hurried
      settings.queue.lanesMax = 1
      settings.queue.laneAgeMax = .seconds(3600)
      settings.shift.queue = settings.queue
      let lake = try Lake(world, settings: settings, tenants: 2)
      lake.start("ingest#0", .ingest)
      await world.sleep(for: .seconds(1))
      var random = world.random("damage")
      var numbers: [RequestNumber] = []
      for index in 0..<5 {
        numbers.append(lake.make(rows: 2, tenant: lake.tenants[index % 2]))
        _ = await lake.send(lake.call(numbers[index]), to: "ingest#0", patience: .seconds(10))
      }
      let segments = world.peekKeys().filter {
        LaneObjects.Place($0, basePath: settings.queue.basePath)?.sequence ?? 0 > 0
      }
      // One request a segment, in the order of sending; never the last, below which alone a hole shows.
      let index = random.uniform(0..<4)
      precondition(segments.count == 5, "one request, one segment")
      lake.damage(segments[index], vanishes: random.chance(0.5), &random)
      lake.ledger.move(
        gone: (0..<2).map { RowLedger.rowText(numbers[index], $0) }, back: [], now: world.simulation.scheduler.now)
      lake.start("read#0", .read)
      lake.start("shift#0", .shift)
      await lake.runClients(1, until: world.now + .seconds(20))
      try await lake.settle()
      lake.judgeQuarantine(segments[index])
      try await lake.giveUp(segments[index])
    })

  /// The whole lake on the filesystem store of one machine: the production adapter on a disk that forgets.
  package static let diskLake = Scenario(
    "disk-lake", "a lake on the filesystem store; power goes between any two system calls", profile: .quiet,
    story: { world in
      world.layOnDisk()
      var random = world.random("disk")
      world.simulation.faults[.powerLoss] = random.pick([0.0005, 0.002])
      world.simulation.faults[.crash] = random.pick([0, 0.001])
      world.simulation.faults[.syncFailed] = random.pick([0, 0.005])
      world.simulation.faults[.diskFull] = random.pick([0, 0.01])
      world.simulation.faults[.listingOverlapped] = 0.5
      world.simulation.faults[.storeSlow] = random.pick([0, 0.02, 0.1])
      let lake = try Lake(world, settings: .hurried)
      lake.start("all#0", [.ingest, .shift, .read])
      lake.start("ingest#0", .ingest)
      await lake.runClients(2, until: .seconds(60))
      try await lake.settle()
    })
}

extension World {
  /// From now on lives get the filesystem store of one machine instead of the store in the cloud. The checkers that watch
  /// puts and deletes do not see it; what was answered is compared with the disk after every loss of power.
  func layOnDisk() {
    let machine = Machine(world: self)
    let ledger = WriteLedger()
    makeStore = { AnsweredWrites(base: machine.store(for: $0), ledger: ledger) }
    peek = { machine.disk.contents($0.text) }
    peekKeys = { machine.disk.paths.map { ObjectKey(trusted: $0) } }
    machine.afterPowerLoss.append { [unowned self] in
      if let finding = ledger.finding({ machine.disk.contents($0.text) }) {
        simulation.fail(.answeredWriteStands, finding)
      }
    }
    // These are drawn for requests and minutes; a request makes many system calls.
    for fault in [Fault.powerLoss, .crash, .syncFailed, .diskFull] { simulation.faults[fault] *= 0.02 }
  }
}
