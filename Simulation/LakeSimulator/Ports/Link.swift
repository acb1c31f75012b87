import LakeModel

/// How long things take between a life and the services, drawn once for a run.
package struct Timing: Sendable {
  /// One way, without a fault.
  package var travel: ClosedRange<Duration>
  /// One way, when slow.
  package var slowTravel: ClosedRange<Duration>
  /// After which the sender gives up, on the simulation's clock.
  package var patience: Duration
  /// How long after the sender gave up a late request lands.
  package var lateness: ClosedRange<Duration>

  package init(random: SeededRandom) {
    var random = random
    travel = .milliseconds(1)...random.pick([.milliseconds(2), .milliseconds(30), .milliseconds(400)])
    patience = random.pick([.seconds(3), .seconds(8)])
    slowTravel = .seconds(1)...random.pick([.seconds(5), .seconds(15)])
    lateness = .seconds(1)...random.pick([.seconds(20), .seconds(120), .seconds(1200)])
  }
}

/// Errors of a port, as the network makes them.
struct LinkErrors<Failure: Error>: Sendable {
  /// Certainly not carried out.
  let unavailable: @Sendable (String) -> Failure
  let throttled: @Sendable (String) -> Failure
  /// Nobody knows.
  let unknown: @Sendable (String) -> Failure
  let cancelled: Failure
}

/// The way from one life to the services, with everything that can happen to a request on it.
struct Link: Sendable {
  unowned let life: Life
  let network: Network

  /// Sends a request: `effect` happens at the service when the request arrives, which may be never, or long after the answer.
  ///
  /// - Parameter isWhole: the request says all there is to say, so that something on the way may send it twice.
  func send<Value: Sendable, Failure: Error>(
    _ operation: Operation, _ subject: String, _ errors: LinkErrors<Failure>, isWhole: Bool = false,
    effect: @escaping () -> Result<Value, Failure>
  ) async -> Result<Value, Failure> {
    await life.wait(operation.rawValue, subject: subject, ifCancelled: .failure(errors.cancelled)) { wait in
      begin(operation, subject, errors, isWhole, effect, wait)
    }
  }

  private func begin<Value: Sendable, Failure: Error>(
    _ operation: Operation, _ subject: String, _ errors: LinkErrors<Failure>, _ isWhole: Bool,
    _ effect: @escaping () -> Result<Value, Failure>, _ wait: Wait<Result<Value, Failure>>
  ) {
    let simulation = life.simulation
    let life = life
    simulation.tell(RequestEvent(stage: .asked, life: life, operation: operation, subject: subject, outcome: ""))
    // A story may have ended the life at this very point.
    if life.isFenced { return wait.settle(.failure(errors.cancelled)) }

    func answer(_ result: Result<Value, Failure>, after delay: Duration) {
      simulation.scheduler.schedule(after: delay) {
        guard !wait.isSettled else { return }
        simulation.tell(
          RequestEvent(
            stage: .answered, life: life, operation: operation, subject: subject, outcome: Link.describe(result)))
        wait.settle(result)
      }
    }
    /// `back`: how long the answer takes; nil when it does not find its way.
    func carry(after delay: Duration, back: Duration?) {
      let number = network.nextNumber()
      let request = Request(simulation: simulation) {
        life.requests[number] = nil
        let result = effect()
        simulation.tell(
          RequestEvent(
            stage: .landed, life: life, operation: operation, subject: subject, outcome: Link.describe(result)))
        if let back { answer(result, after: back) }
      }
      life.requests[number] = request
      simulation.scheduler.schedule(after: delay) { request.arrive() }
      if back.map({ delay + $0 >= network.timing.patience }) ?? true { giveUp() }
    }
    /// What the sender makes of silence.
    func giveUp() {
      let error = operation.changesSomething ? errors.unknown("no answer") : errors.unavailable("no answer")
      answer(.failure(error), after: network.timing.patience)
    }

    switch network.fate(of: operation, subject, from: life.node, isWhole: isWhole) {
    case .smooth: carry(after: network.travel(), back: network.travel())
    case .slow: carry(after: network.slowTravel(), back: network.travel())
    case .refused(let why): answer(.failure(errors.unavailable(why)), after: network.travel())
    case .throttled: answer(.failure(errors.throttled("slow down")), after: network.travel())
    case .unclear: answer(.failure(errors.unknown("conflicting operation")), after: network.travel())
    case .requestLost: giveUp()
    case .replyLost: carry(after: network.travel(), back: nil)
    case .late: carry(after: network.timing.patience + network.lateness(), back: nil)
    case .resent:
      carry(after: network.travel(), back: nil)
      carry(after: network.slowTravel(), back: network.travel())
    }
  }

  private static func describe<Value, Failure>(_ result: Result<Value, Failure>) -> String {
    switch result {
    case .success: "done"
    case .failure(let error): "\(error)"
    }
  }
}

/// What becomes of a request.
enum Fate {
  case smooth, slow, throttled, unclear, requestLost, replyLost, late, resent
  case refused(String)
}

/// The network that every link of a run goes through.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class Network: @unchecked Sendable {
  private let simulation: Simulation
  package var timing: Timing
  private var random: SeededRandom
  private var numbers: UInt64 = 0
  /// Nodes that reach nothing, and whether their requests are refused at once or vanish.
  private var cutOff: [String: Bool] = [:]

  init(simulation: Simulation) {
    self.simulation = simulation
    timing = Timing(random: simulation.random.fork("timing"))
    random = simulation.random.fork("network")
  }

  func nextNumber() -> UInt64 {
    numbers += 1
    return numbers
  }

  func travel() -> Duration { random.logarithmic(timing.travel) }
  func slowTravel() -> Duration { random.duration(timing.slowTravel) }
  func lateness() -> Duration { random.logarithmic(timing.lateness) }

  package func cut(_ node: String, refuses: Bool) { cutOff[node] = refuses }
  package func heal(_ node: String) { cutOff[node] = nil }
  package func isCut(_ node: String) -> Bool { cutOff[node] != nil }

  /// Nodes whose requests are never harmed: other engines, which are not what is tested.
  package var trusted: Set<String> = []
  /// What befalls the next request of a kind, by a story's will.
  private var fates: [(node: String, operation: Operation, glob: String, fate: Fate)] = []

  func strike(_ pattern: RequestPattern, from node: String, _ fate: Fate) {
    fates.append((node, pattern.operation, pattern.glob, fate))
  }

  func fate(of operation: Operation, _ subject: String, from node: String, isWhole: Bool) -> Fate {
    if !fates.isEmpty,
      let index = fates.firstIndex(where: {
        $0.node == node && $0.operation == operation && RequestPattern.matches(subject, $0.glob)
      })
    {
      return fates.remove(at: index).fate
    }
    if trusted.contains(node) { return .smooth }
    if let refuses = cutOff[node] { return refuses ? .refused("no route") : .requestLost }
    let isCatalog = operation.isOfCatalog
    func occurs(_ store: Fault, _ catalog: Fault) -> Bool { simulation.faults.occurs(isCatalog ? catalog : store) }
    if occurs(.storeUnavailable, .catalogUnavailable) { return .refused("service unavailable") }
    if !isCatalog, simulation.faults.occurs(.storeThrottled) { return .throttled }
    if occurs(.storeRequestLost, .catalogRequestLost) { return .requestLost }
    if occurs(.storeSlow, .catalogSlow) { return .slow }
    guard operation.changesSomething else { return .smooth }
    if occurs(.storeReplyLost, .catalogReplyLost) { return .replyLost }
    if occurs(.storeLandedLate, .catalogLandedLate) { return .late }
    if !isCatalog, simulation.faults.occurs(.storeUnclear) { return .unclear }
    if isWhole, simulation.faults.occurs(.storeResent) { return .resent }
    return .smooth
  }
}
