import LakeModel
import LakePorts
import LakeShift
import LakeWAL

// One kind of fault at a time, often, on a lake of two replicas.

extension Scenario {
  package static let cutOff = storm(
    "cut-off", "nodes lose the store and the catalog for minutes, one at a time or all", [.partition: 0.4])
  package static let wildClocks = storm(
    "wild-clocks", "clocks run at half and double speed, times of day jump by days",
    [.clockDrift: 1, .wallClockJump: 1])
  package static let paused = storm(
    "paused", "processes stop for minutes and go on as if nothing had been", [.pause: 0.4, .laneSealed: 0.3])

  package static let slowStore = storm(
    "slow-store", "requests take seconds, some longer than anybody waits", [.storeSlow: 0.5, .catalogSlow: 0.3])

  package static let resentWrites = storm(
    "resent-writes", "something between the nodes and the store sends writes twice, and tells the second answer",
    [.storeResent: 0.5, .laneSealed: 0.3])

  /// A lane that is ended while its writer tries the same put again and again: the tombstone stays as long as that may take.
  package static let hastySealer = Scenario(
    "hasty-sealer", "lanes are ended under writers whose puts get lost and come again", profile: .quiet,
    story: { world in
      world.simulation.faults[.laneSealed] = 1
      world.simulation.faults[.storeSlow] = 0.2
      world.simulation.faults[.storeRequestLost] = 0.4
      var settings = LakeSettings.hurried
      settings.queue.ackDelayMax = .seconds(30)
      settings.shift.queue = settings.queue
      let lake = try Lake(world, settings: settings)
      lake.start("ingest#0", .ingest)
      lake.start("shift#0", .shift)
      world.network.trusted.insert("shift#0")
      lake.start("read#0", .read)
      lake.unleashSealer()
      await lake.runClients(2, until: .seconds(100))
      try await lake.settle()
    })

  static func storm(_ name: String, _ summary: String, _ faults: [Fault: Double]) -> Scenario {
    Scenario(
      name, summary, profile: .quiet,
      story: { world in
        for (fault, rate) in faults { world.simulation.faults[fault] = rate }
        let lake = try Lake(world, settings: .hurried)
        let names = ["all#0", "all#1"]
        for name in names { lake.start(name, [.ingest, .shift, .read]) }
        world.unleashChaos(on: names, every: .seconds(1)...(.seconds(10)))
        lake.unleashSealer()
        await lake.runClients(2, until: .seconds(60))
        try await lake.settle()
      })
  }

  /// A client that does not wait for its answer sends again, to the same node and to another.
  package static let impatientClient = Scenario(
    "impatient-client", "clients repeat what is still in flight, and the store fails under it", profile: .quiet,
    story: { world in
      world.simulation.faults[.storeRequestLost] = 0.3
      world.simulation.faults[.storeUnavailable] = 0.1
      world.simulation.faults[.crash] = 0.1
      var settings = LakeSettings.hurried
      settings.queue.writeRetriesMax = 0
      settings.shift.queue = settings.queue
      var habits = ClientHabits()
      habits.patience = .milliseconds(700)
      habits.fingerprinted = 1
      let lake = try Lake(world, settings: settings, habits: habits)
      lake.start("ingest#0", .ingest)
      lake.start("shift#0", .shift)
      lake.start("read#0", .read)
      world.unleashChaos(on: ["ingest#0"], every: .seconds(1)...(.seconds(5)))
      await lake.runClients(3, until: .seconds(40))
      try await lake.settle()
    })

  /// More waits than one shift can carry out before its plan is too old: seed 27139 of `lake` in short.
  package static let backlog = Scenario(
    "backlog", "so much waits that no plan for all of it is done in time; the shift takes less, and gets there",
    profile: .quiet,
    story: { world in
      world.network.timing.travel = .milliseconds(200)...(.milliseconds(400))
      var settings = LakeSettings.hurried
      settings.queue.rowGroupRowsMax = 1
      settings.queue.flushDelayMax = .milliseconds(1)
      settings.shift.queue = settings.queue
      settings.shift.taskRowGroupsMax = 1
      settings.shift.workersMax = 1
      settings.shift.planAgeMax = .seconds(60)
      let lake = try Lake(world, settings: settings)
      lake.start("ingest#0", .ingest)
      lake.start("read#0", .read)
      var habits = ClientHabits()
      habits.pause = .milliseconds(10)...(.seconds(1))
      await lake.runClients(3, until: .seconds(60), habits)
      lake.start("shift#0", .shift)
      try await lake.settle()
    })

  /// WAL-7b: what was written, shifted and ended leaves nothing behind.
  package static let emptyQueue = Scenario(
    "empty-queue", "after lost answers, late puts and crashes, the queue empties itself", profile: .quiet,
    story: { world in
      for fault in [Fault.storeLandedLate, .storeReplyLost, .crash, .laneSealed] {
        world.simulation.faults[fault] = 0.1
      }
      var settings = LakeSettings.hurried
      settings.hurryTidiness()
      let lake = try Lake(world, settings: settings)
      for name in ["ingest#0", "ingest#1"] { lake.start(name, .ingest) }
      lake.start("shift#0", .shift)
      world.unleashChaos(on: ["ingest#0", "ingest#1", "shift#0"])
      lake.unleashSealer()
      await lake.runClients(2, until: .seconds(40))
      try await lake.settle(wholly: true)
    })
}
