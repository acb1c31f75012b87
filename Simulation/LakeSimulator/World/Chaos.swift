import LakeModel

extension World {
  /// From now on these nodes crash, pause, are cut off and are drained by chance, until faults stop.
  package func unleashChaos(on names: [String], every interval: ClosedRange<Duration> = .seconds(1)...(.seconds(20))) {
    let random = simulation.random.fork("chaos")
    chaosTick(names, interval, random)
  }

  private func chaosTick(_ names: [String], _ interval: ClosedRange<Duration>, _ random: SeededRandom) {
    var random = random
    let delay = random.duration(interval)
    simulation.scheduler.schedule(after: delay) { [self] in
      guard simulation.faults.isActive else { return }
      var random = random
      for name in names {
        guard let node = nodes[name], node.isUp else { continue }
        befall(node, &random)
      }
      chaosTick(names, interval, random)
    }
  }

  private func befall(_ node: Node, _ random: inout SeededRandom) {
    if simulation.faults.occurs(.crash) {
      let absence = random.logarithmic(.milliseconds(10)...(.seconds(120)))
      fence(node)
      node.life?.afterwards { self.rise(node, after: absence) }
      return
    }
    if simulation.faults.occurs(.drain), let life = node.life, !life.isStopping {
      let absence = random.logarithmic(.milliseconds(10)...(.seconds(30)))
      simulation.journal.note("life.stopping", life: life, at: simulation.scheduler.now)
      life.stop()
      life.afterwards { self.rise(node, after: absence) }
      return
    }
    if simulation.faults.occurs(.pause) {
      let pause = random.logarithmic(.milliseconds(100)...random.pick([.seconds(10), .seconds(100), .seconds(1000)]))
      pauseNode(node, for: pause)
    }
    if simulation.faults.occurs(.partition) {
      let absence = random.logarithmic(.seconds(1)...(.seconds(300)))
      network.cut(node.name, refuses: random.chance(0.5))
      simulation.scheduler.schedule(after: absence) { self.network.heal(node.name) }
    }
  }

  /// Gives a node that is wanted its next life, after a while.
  func rise(_ node: Node, after absence: Duration) {
    simulation.scheduler.schedule(after: absence) {
      if node.isWanted && !node.isUp && node.life?.isOver == true { self.restart(node) }
    }
  }

  /// No task of the node runs for a while; time goes on, and so do its requests under way.
  package func pauseNode(_ node: Node, for pause: Duration) {
    guard let life = node.life, !life.executor.isPaused else { return }
    simulation.journal.note("life.paused", life: life, at: simulation.scheduler.now, [("for", "\(pause)")])
    life.executor.pause()
    simulation.scheduler.schedule(after: pause) { life.executor.resume() }
  }
}
