import LakeModel
package import LakePorts

/// Nodes, their lives, the services they share and everything that befalls them.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class World: @unchecked Sendable {
  package let simulation: Simulation
  package let network: Network
  package let cloud: StoreCloud
  package let planted: PlantedDefect?
  /// Where the story itself and its clients run; it never crashes.
  package private(set) var story: Life!
  var nodes: [String: Node] = [:]
  private var kept: [AnyObject] = []
  /// What is not at rest; each says what is missing, or nil.
  private var restConditions: [() -> String?] = []
  package let catalog: CatalogCloud
  /// Where the store's keys lie in Iceberg metadata.
  package let warehouse = WarehouseLocation(trusted: "memory://lake")
  /// What the store holds at a key, seen from outside of any life; checkers look through it.
  lazy var peek: (ObjectKey) -> Bytes? = { [cloud] in try? cloud.objects.get($0, range: nil).bytes }
  /// Every key of the store, ascending.
  lazy var peekKeys: () -> [ObjectKey] = { [cloud] in cloud.objects.allKeys }
  /// Makes the store of a life's ports.
  lazy var makeStore: (Link) -> any ObjectStore = { [cloud] in SimulatedObjectStore(link: $0, cloud: cloud) }

  package init(_ options: WorldOptions) {
    simulation = Simulation(seed: options.seed, profile: options.drawnProfile, isRecording: options.isRecording)
    network = Network(simulation: simulation)
    cloud = StoreCloud(scheduler: simulation.scheduler)
    catalog = CatalogCloud(warehouse: warehouse, store: cloud, simulation: simulation)
    planted = options.planted
  }

  /// Chance for one purpose of the story, by name.
  package func random(_ purpose: String) -> SeededRandom { simulation.random.fork("story." + purpose) }

  package var now: Duration { .nanoseconds(simulation.scheduler.now) }

  package func sleep(for duration: Duration) async {
    let scheduler = simulation.scheduler
    _ = await story.wait("the story's sleep", subject: "", ifCancelled: false) { wait in
      scheduler.schedule(after: duration) { wait.settle(true) }
    }
  }

  /// Suspends the story until something else of it settles the wait.
  func wait<Outcome: Sendable>(
    _ what: String, ifCancelled: Outcome, _ begin: (Wait<Outcome>) -> Void
  ) async -> Outcome {
    await story.wait(what, subject: "", ifCancelled: ifCancelled, begin)
  }

  /// Tells the story from begin to end, then ends every life; throws what went wrong.
  package func play(
    timeMax: Duration = .seconds(86_400), jobsMax: Int = 20_000_000, adopt: (Life?) -> Void = { _ in },
    _ tell: @escaping @Sendable (World) async throws -> Void
  ) throws(SimulationFailure) {
    try simulation.run(
      timeMax: timeMax, jobsMax: jobsMax,
      adopt: { life in
        if let life { story = life }
        adopt(life)
      },
      {
        try await tell(self)
        await self.endEverything()
      })
  }

  private func endEverything() async {
    simulation.faults.isActive = false
    for node in nodes.values.sorted(by: { $0.name < $1.name }) {
      node.isWanted = false
      await crash(node)
    }
  }

  /// Keeps something alive as long as the world.
  func keep(_ thing: AnyObject) { kept.append(thing) }

  /// What must be nil before the world counts as at rest.
  package func restsWhen(_ condition: @escaping () -> String?) { restConditions.append(condition) }

  /// Faults stop, everything that was cut off or paused comes back; then all work must come to rest.
  package func settle(within limit: Duration) async throws {
    simulation.faults.isActive = false
    for node in nodes.values.sorted(by: { $0.name < $1.name }) { recover(node) }
    let deadline = now + limit
    while let pending = restConditions.lazy.compactMap({ $0() }).first {
      if now >= deadline {
        throw SimulationFailure(
          kind: .liveness, invariant: .comesToRest,
          finding: "\(pending) \(limit.components.seconds)s after the last fault; \(pendingWaits)",
          time: simulation.scheduler.now)
      }
      await sleep(for: .seconds(2))
    }
  }

  private var pendingWaits: String {
    let waits = nodes.values.sorted { $0.name < $1.name }.flatMap { $0.life?.pending ?? [] }
    return waits.isEmpty ? "no node waits for anything" : waits.joined(separator: "; ")
  }
}

/// What a run is made from.
package struct WorldOptions: Sendable {
  package var seed: UInt64
  /// nil: drawn from the seed.
  package var profile: Profile?
  package var planted: PlantedDefect?
  package var isRecording: Bool

  package init(seed: UInt64, profile: Profile? = nil, planted: PlantedDefect? = nil, isRecording: Bool = false) {
    self.seed = seed
    self.profile = profile
    self.planted = planted
    self.isRecording = isRecording
  }

  package var drawnProfile: Profile {
    if let profile { return profile }
    var draw = SeededRandom(seed: seed).fork("profile")
    return draw.pick([.quiet, .lite, .lite, .lite, .lite] + Array(repeating: .swarm, count: 15))
  }
}
