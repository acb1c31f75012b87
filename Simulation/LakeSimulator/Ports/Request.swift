/// What is asked of a service.
package enum Operation: String, Sendable {
  case get, head, put, delete, list, upload
  case load = "load-table"
  case commit = "commit-table"
  case create = "create-table"
  case drop = "drop-table"
  case other

  /// Whether the outcome matters when the answer is lost.
  var changesSomething: Bool {
    switch self {
    case .get, .head, .list, .load: false
    case .put, .delete, .upload, .commit, .create, .drop, .other: true
    }
  }

  var isOfCatalog: Bool {
    switch self {
    case .load, .commit, .create, .drop, .other: true
    case .get, .head, .put, .delete, .list, .upload: false
    }
  }
}

/// A request at one of its stages.
package struct RequestEvent {
  package enum Stage: Sendable {
    /// The life has asked; nothing has happened.
    case asked
    /// It has happened at the service.
    case landed
    /// The life has been told, rightly or not.
    case answered

    var name: StaticString {
      switch self {
      case .asked: "request.asked"
      case .landed: "request.landed"
      case .answered: "request.answered"
      }
    }
  }

  package let stage: Stage
  package let life: Life
  package let operation: Operation
  /// Key, prefix or table.
  package let subject: String
  /// How it ended; empty when asked.
  package let outcome: String
}

/// One request between a life and a service.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class Request: @unchecked Sendable {
  enum State { case travelling, landed, lost }
  private(set) var state = State.travelling
  private let simulation: Simulation
  private let land: () -> Void

  init(simulation: Simulation, land: @escaping () -> Void) {
    self.simulation = simulation
    self.land = land
  }

  func arrive() {
    guard state == .travelling else { return }
    state = .landed
    land()
  }

  /// A request of a life that has ended may have left its machine, or not.
  func senderDied() {
    guard state == .travelling else { return }
    if simulation.faults.draw({ $0.chance(0.4) }) { state = .lost }
  }
}
