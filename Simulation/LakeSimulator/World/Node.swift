import LakeModel
package import LakePorts

/// A machine that runs one program, life after life.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class Node: @unchecked Sendable, CustomStringConvertible {
  package let name: String
  fileprivate let program: @Sendable (Ports, Life) async throws -> Void
  /// The life under way, or the last one.
  package fileprivate(set) var life: Life?
  /// Whether a new life follows when this one ends.
  var isWanted = true

  fileprivate init(name: String, program: @escaping @Sendable (Ports, Life) async throws -> Void) {
    self.name = name
    self.program = program
  }

  package var description: String { name }
  /// Whether a life is under way and can still act.
  package var isUp: Bool { life.map { !$0.isFenced && !$0.isOver } ?? false }
}

extension World {
  /// Starts a node that runs `program`; when its life ends, `restart` gives it another.
  @discardableResult
  package func start(_ name: String, _ program: @escaping @Sendable (Ports, Life) async throws -> Void) -> Node {
    precondition(nodes[name] == nil, "node \(name) exists")
    let node = Node(name: name, program: program)
    nodes[name] = node
    begin(node)
    return node
  }

  package func restart(_ node: Node) {
    precondition(!node.isUp)
    begin(node)
  }

  private func begin(_ node: Node) {
    let life = simulation.life(of: node.name)
    node.life = life
    let ports = ports(for: life)
    let simulation = simulation
    let program = node.program
    simulation.journal.note("life.began", life: life, at: simulation.scheduler.now)
    life.start {
      do {
        try await program(ports, life)
      } catch {
        // A life that was fenced may end in any error; one that was not has met something it could not handle.
        if !life.isFenced && !life.isStopping {
          simulation.journal.note("life.failed", life: life, at: simulation.scheduler.now, [("error", "\(error)")])
        }
      }
      simulation.journal.note("life.ended", life: life, at: simulation.scheduler.now)
    }
  }

  /// The outside world of one life.
  package func ports(for life: Life) -> Ports {
    let simulation = simulation
    let random = simulation.random.fork("life." + life.description)
    let link = Link(life: life, network: network)
    let drifts = simulation.faults.occurs(.clockDrift)
    let jumps = simulation.faults.occurs(.wallClockJump)
    return Ports(
      clock: DriftingClock(
        life: life,
        drift: ClockDrift(birth: simulation.scheduler.now, isSteady: !drifts, random: random.fork("clock"))),
      wall: JumpingWallClock(scheduler: simulation.scheduler, isTrue: !jumps, random: random.fork("wall")),
      random: LifeRandomness(random.fork("chance")), store: makeStore(link),
      catalog: SimulatedCatalog(link: link, cloud: catalog),
      journal: LifeJournal(life: life), planted: planted)
  }

  /// Ends the node's life where it stands and waits until its tasks have unwound.
  package func crash(_ node: Node) async {
    guard let life = node.life, !life.isOver else { return }
    fence(node)
    await wait("a crashed life to unwind", ifCancelled: ()) { wait in life.afterwards { wait.settle(()) } }
  }

  /// The first half of a crash: from now on the life does nothing. For use between two jobs.
  func fence(_ node: Node) {
    guard let life = node.life, !life.isFenced else { return }
    simulation.journal.note("life.crashed", life: life, at: simulation.scheduler.now)
    life.fence()
  }

  /// Everything outside the node works for it again.
  func recover(_ node: Node) {
    network.heal(node.name)
    if let life = node.life, !life.isOver {
      life.executor.resume()
    } else if node.isWanted {
      begin(node)
    }
  }
}

extension Life {
  /// Asks the program to end in good order; `stopped` returns.
  package func stop() {
    guard !isStopping else { return }
    isStopping = true
    for wait in stopWaits { wait.settle(()) }
    stopWaits = []
  }

  /// Returns when the program has been asked to end (or the life is over).
  package func stopped() async {
    if isStopping { return }
    await wait("a stop", subject: "", ifCancelled: ()) { stopWaits.append($0) }
  }

  package func mailbox<Question, Answer>() -> Mailbox<Question, Answer> { Mailbox(life: self) }
}
