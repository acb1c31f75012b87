/// One task suspended until something settles it: the only way anything waits in a simulation.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class Wait<Outcome: Sendable>: @unchecked Sendable {
  private var continuation: UnsafeContinuation<Outcome, Never>?
  private var outcome: Outcome?
  /// Called when the waiting task was cancelled, after the wait has been settled.
  var onCancel: (() -> Void)?

  var isSettled: Bool { outcome != nil }

  /// The first outcome counts; later ones find nobody waiting.
  func settle(_ outcome: Outcome) {
    guard self.outcome == nil else { return }
    self.outcome = outcome
    continuation?.resume(returning: outcome)
    continuation = nil
  }

  func suspended(_ continuation: UnsafeContinuation<Outcome, Never>) {
    if let outcome { continuation.resume(returning: outcome) } else { self.continuation = continuation }
  }
}
