import LakeModel
import LakePorts

extension Scenario {
  /// A counter on one object, kept with if-match by clients that read back what they are not sure of.
  ///
  /// It needs no engine: what it tries is the simulator itself, its faults, crashes and time.
  package static let counter = Scenario(
    "counter", "nodes count on one object with if-match; no step is lost or made twice",
    story: { world in
      try await tellCounter(world, isCareless: false)
    })

  /// Fails on purpose: an unknown outcome is taken for a failure, so that a step is made twice. Tests the alarm.
  package static let canary = Scenario(
    "canary", "the counter, but unknown outcomes are taken for failures: must fail", profile: .swarm,
    story: { world in try await tellCounter(world, isCareless: true) })

  private static func tellCounter(_ world: World, isCareless: Bool) async throws {
    let names = ["node#0", "node#1", "node#2"]
    let ledger = CounterLedger()
    for name in names {
      world.start(name) { ports, life in
        try await CounterProgram(ports: ports, name: name, ledger: ledger, isCareless: isCareless).run(life)
      }
    }
    world.unleashChaos(on: names)
    await world.sleep(for: .seconds(120))
    ledger.isClosed = true
    world.restsWhen { ledger.isAtRest ? nil : "\(ledger.begun.count - ledger.ended.count) steps are under way" }
    try await world.settle(within: .seconds(600))
    let text = try world.cloud.objects.get(CounterProgram.key, range: nil).bytes.text
    let steps = text.split(separator: " ").dropFirst().map(String.init)
    for step in ledger.done.sorted() where steps.count(where: { $0 == step }) != 1 {
      world.simulation.fail(
        .ackedRowOnce, "step \(step) is on the counter \(steps.count(where: { $0 == step })) times")
    }
    for step in Set(steps).sorted() where steps.count(where: { $0 == step }) > 1 {
      world.simulation.fail(
        .unackedRowAtMostOnce, "step \(step) is on the counter \(steps.count(where: { $0 == step })) times")
    }
  }
}

/// What the nodes have told the story. Confined to the simulation's thread.
private final class CounterLedger: @unchecked Sendable {
  var begun: Set<String> = []
  var ended: Set<String> = []
  var done: Set<String> = []
  /// No further steps are begun.
  var isClosed = false

  /// Steps of lives that crashed never end; they do not count once nobody works on them.
  var isAtRest: Bool { working == 0 }
  var working = 0
}

private struct CounterProgram {
  static let key = ObjectKey(trusted: "counter")

  let ports: Ports
  let name: String
  let ledger: CounterLedger
  let isCareless: Bool

  func run(_ life: Life) async throws {
    var number = 0
    while !ledger.isClosed {
      let step = "\(life)/\(number)"
      number += 1
      ledger.begun.insert(step)
      ledger.working += 1
      defer {
        ledger.working -= 1
        ledger.ended.insert(step)
      }
      if try await make(step) { ledger.done.insert(step) }
      try await ports.clock.sleep(for: .milliseconds(ports.random.uniform(1..<2000)))
    }
  }

  /// - Returns: whether the step is known to stand.
  private func make(_ step: String) async throws -> Bool {
    while true {
      do throws(ObjectStoreError) {
        let read = try await current()
        if !isCareless && read.text.split(separator: " ").contains(Substring(step)) { return true }
        let text = read.text + " " + step
        _ = try await ports.store.put(
          CounterProgram.key, Bytes(text), condition: read.tag.map { .ifMatch($0) } ?? .ifAbsent)
        return true
      } catch {
        switch error {
        case .preconditionFailed, .unavailable, .throttled, .outcomeUnknown: break
        default: return false
        }
      }
      try await ports.clock.sleep(for: .milliseconds(ports.random.uniform(1..<500)))
    }
  }

  private func current() async throws(ObjectStoreError) -> (text: String, tag: ContentTag?) {
    do throws(ObjectStoreError) {
      let read = try await ports.store.get(CounterProgram.key)
      return (read.bytes.text, read.info.tag)
    } catch .notFound {
      return ("steps", nil)
    }
  }
}
