import LakeModel
import LakePorts
import LakeSchema
import LakeWAL

extension Scenario {
  /// Everything at once: several writers, shifters and readers, clients that retry elsewhere, and every fault there is.
  package static let lake = Scenario(
    "lake", "writers, shifters, readers and clients under every fault; each acknowledged row is there exactly once",
    story: { world in
      var random = world.random("cast")
      if random.chance(0.05) { world.layOnDisk() }
      var habits = ClientHabits()
      habits.patience = random.pick([nil, nil, nil, .milliseconds(500), .seconds(5)])
      var settings = LakeSettings.drawn(world.random("settings"))
      let endsEmpty = random.chance(0.04)
      if endsEmpty { settings.hurryTidiness() }
      let lake = try Lake(world, settings: settings, withEvents: settings.isWide && random.chance(0.5), habits: habits)
      var names: [String] = []
      if random.chance(0.3) {
        for index in 0..<random.uniform(1...2) {
          names.append(lake.start("all#\(index)", [.ingest, .shift, .read]).name)
        }
      } else {
        for index in 0..<random.uniform(1...3) { names.append(lake.start("ingest#\(index)", .ingest).name) }
        for index in 0..<random.uniform(1...2) { names.append(lake.start("shift#\(index)", .shift).name) }
        for index in 0..<random.uniform(1...2) { names.append(lake.start("read#\(index)", .read).name) }
      }
      world.unleashChaos(on: names)
      lake.unleashSealer()
      lake.unleashForeignEngine()
      // Mostly short, seldom very long: what needs minutes to go wrong has its time in some runs. Rows of all columns cost
      // ten times as much.
      let length = random.logarithmic(
        .seconds(
          5)...(settings.isWide
          ? .seconds(40) : random.pick([.seconds(60), .seconds(60), .seconds(60), .seconds(300)])))
      let end = world.now + length
      await lake.runClients(random.pick([1, 1, 2, 3]), until: end)
      try await lake.settle(wholly: endsEmpty)
    })
}

extension Lake {
  /// Faults stop; all rows are shifted, then each tenant is read once more, from the tables alone.
  ///
  /// - Parameter wholly: the queue must become empty, too: lanes end, leave the states, and nothing is left of them.
  func settle(within limit: Duration = .seconds(7200), wholly: Bool = false) async throws {
    restConditions()
    if wholly { restConditionsOfTheQueue() }
    try await world.settle(within: limit)
    let ports = world.ports(for: world.story)
    let reader = LakeReader(self, ports, .init(footersMax: 16, fingerprintObjectsMax: 16))
    for tenant in tenants {
      try await insist("tenant \(tenant)") { await readOnce(reader, tenant) }
      if asksEngine {
        try await insist("tenant \(tenant)") { await readOnce(reader, tenant, by: .engine) }
        try await insist("tenant \(tenant)") { await readOnce(reader, tenant, by: .count) }
      }
      if tables.count > 1 {
        let events = LakeReader(self, ports, .init(footersMax: 0, fingerprintObjectsMax: 0), table: .events)
        try await insist("events of tenant \(tenant)") { await readEvents(events, tenant, isComplete: true) }
      }
    }
  }

  private func insist(_ what: String, _ read: () async -> Bool) async throws {
    var attempts = 0
    while !(await read()) {
      attempts += 1
      guard attempts < 20 else {
        throw SimulationFailure(
          kind: .liveness, invariant: .comesToRest, finding: "\(what) cannot be read after the last fault",
          time: world.simulation.scheduler.now)
      }
      await world.sleep(for: .seconds(1))
    }
  }
}
