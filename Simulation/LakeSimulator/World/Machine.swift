import LakeModel
import LakePorts

/// One computer with a disk on which several programs run: what the filesystem store lives on.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class Machine: @unchecked Sendable {
  let disk: SimulatedDisk
  private unowned let world: World
  private var random: SeededRandom
  /// Told when power has gone, all programs are dead and the disk has forgotten what it forgets; before any starts again.
  var afterPowerLoss: [() -> Void] = []

  init(world: World) {
    self.world = world
    disk = SimulatedDisk(scheduler: world.simulation.scheduler)
    random = world.simulation.random.fork("machine")
  }

  /// The store of one life: the production one, on this machine's disk.
  func store(for link: Link) -> any ObjectStore {
    let files = SimulatedFiles(life: link.life, disk: disk, network: link.network) { [unowned self] fault, life in
      switch fault {
      case .powerLoss: losePower()
      default: kill(life)
      }
    }
    return FileObjectStore(
      files: files, random: LifeRandomness(world.simulation.random.fork("files.\(link.life)")), planted: world.planted)
  }

  /// SIGKILL: what the program wrote stays as it is.
  private func kill(_ life: Life) {
    guard let node = world.nodes[life.node], node.life === life else { return }
    world.fence(node)
    let absence = random.logarithmic(.milliseconds(10)...(.seconds(30)))
    life.afterwards { self.world.rise(node, after: absence) }
  }

  func losePower() {
    guard !disk.isDown else { return }
    disk.isDown = true
    let nodes = world.nodes.values.sorted { $0.name < $1.name }
    let scheduler = world.simulation.scheduler
    world.simulation.journal.note("power.lost", life: nil, at: scheduler.now)
    for node in nodes { world.fence(node) }
    var alive = nodes.count
    for node in nodes {
      let died = { [self] in
        alive -= 1
        if alive == 0 { scheduler.schedule(after: .seconds(1)) { self.startAgain(nodes) } }
      }
      if let life = node.life { life.afterwards(died) } else { died() }
    }
  }

  private func startAgain(_ nodes: [Node]) {
    disk.losePower(&random)
    disk.isDown = false
    for listener in afterPowerLoss { listener() }
    for node in nodes where node.isWanted {
      world.rise(node, after: random.logarithmic(.milliseconds(10)...(.seconds(10))))
    }
  }
}
