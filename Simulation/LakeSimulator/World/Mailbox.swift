import LakeModel

/// Calls that wait for one life to take them: the listening socket of a node.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class Mailbox<Question: Sendable, Answer: Sendable>: @unchecked Sendable {
  package struct Call: @unchecked Sendable {
    package let question: Question
    fileprivate let life: Life
    fileprivate let deliver: (Answer) -> Void
    /// Answers the call; the answer may get lost on its way, and a life that has ended answers nothing.
    package func answer(_ answer: Answer) { if !life.isFenced { deliver(answer) } }
  }

  fileprivate let life: Life
  private var queue: [Call] = []
  private var receiver: Wait<Call?>?
  private var isClosed = false

  init(life: Life) { self.life = life }

  /// The next call; nil once the node stops listening or dies.
  package func next() async -> Call? {
    if !queue.isEmpty { return queue.removeFirst() }
    if isClosed { return nil }
    return await life.wait("calls", subject: "", ifCancelled: nil) { receiver = $0 }
  }

  /// Stops listening: what has not been taken is refused by silence.
  package func close() {
    isClosed = true
    queue = []
    receiver?.settle(nil)
    receiver = nil
  }

  fileprivate func post(_ call: Call) {
    guard !isClosed, !life.isFenced, !life.isOver else { return }
    if let receiver {
      self.receiver = nil
      receiver.settle(call)
    } else {
      queue.append(call)
    }
  }
}

extension World {
  /// Asks a node and waits for its answer, as a client outside would.
  ///
  /// - Returns: nil when no answer came within `patience`: the node may have done it.
  package func ask<Question, Answer>(_ mailbox: Mailbox<Question, Answer>, _ question: Question, patience: Duration)
    async -> Answer?
  {
    let simulation = simulation
    return await story.wait("an answer", subject: "", ifCancelled: nil) { (wait: Wait<Answer?>) in
      let silence = simulation.scheduler.schedule(after: patience) { wait.settle(nil) }
      guard !simulation.faults.occurs(.clientRequestLost) else { return }
      let call = Mailbox<Question, Answer>.Call(question: question, life: mailbox.life) { answer in
        guard !simulation.faults.occurs(.clientReplyLost) else { return }
        simulation.scheduler.schedule(after: self.network.travel()) {
          simulation.scheduler.cancel(silence)
          wait.settle(answer)
        }
      }
      simulation.scheduler.schedule(after: self.network.travel()) { mailbox.post(call) }
    }
  }
}
