/// Names some requests, for stories: `.put("data/**")`.
package struct RequestPattern: Sendable, CustomStringConvertible {
  let operation: Operation
  /// A subject, or what it starts with when it ends in `**`; an inner `**` stands for anything.
  let glob: String

  package static func put(_ glob: String) -> RequestPattern { RequestPattern(operation: .put, glob: glob) }
  package static func get(_ glob: String) -> RequestPattern { RequestPattern(operation: .get, glob: glob) }
  package static func delete(_ glob: String) -> RequestPattern { RequestPattern(operation: .delete, glob: glob) }
  package static func list(_ glob: String) -> RequestPattern { RequestPattern(operation: .list, glob: glob) }
  package static let catalogCommit = RequestPattern(operation: .commit, glob: "**")

  package var description: String { "\(operation) \(glob)" }

  func matches(_ event: RequestEvent) -> Bool {
    event.operation == operation && RequestPattern.matches(event.subject, glob)
  }

  static func matches(_ subject: String, _ glob: String) -> Bool {
    let pieces = glob.components(of: "**")
    var rest = Substring(subject)
    for (index, piece) in pieces.enumerated() {
      if index == 0 {
        guard rest.hasPrefix(piece) else { return false }
        rest = rest.dropFirst(piece.count)
      } else if piece.isEmpty {
        if index == pieces.count - 1 { return true }
      } else {
        guard let found = rest.firstRange(of: piece) else { return false }
        rest = rest[found.upperBound...]
      }
    }
    return rest.isEmpty
  }
}

extension String {
  fileprivate func components(of separator: String) -> [String] {
    var pieces: [String] = []
    var rest = Substring(self)
    while let found = rest.firstRange(of: separator) {
      pieces.append(String(rest[..<found.lowerBound]))
      rest = rest[found.upperBound...]
    }
    return pieces + [String(rest)]
  }
}

extension World {
  /// Crashes the node once a request `after` of its has landed, at the latest when it asks for `before`.
  package func crash(_ node: Node, after: RequestPattern, before: RequestPattern) async {
    let isAtOnce = simulation.faults.draw { $0.chance(0.5) }
    await wait("a moment to crash \(node.name) at", ifCancelled: ()) { (wait: Wait<Void>) in
      var isArmed = false
      var isDone = false
      simulation.listen { [self] event in
        guard !isDone, event.life === node.life else { return }
        if isArmed && event.stage == .asked && before.matches(event)
          || event.stage == .landed && after.matches(event) && isAtOnce
        {
          isDone = true
          simulation.faults.count(.crash)
          fence(node)
          node.life?.afterwards { wait.settle(()) }
        } else if event.stage == .landed && after.matches(event) {
          isArmed = true
        }
      }
    }
  }

  /// Waits until a request of the node reaches a stage.
  package func until(_ stage: RequestEvent.Stage, _ pattern: RequestPattern, by node: Node) async {
    await wait("a request of \(node.name)", ifCancelled: ()) { (wait: Wait<Void>) in
      simulation.listen { event in
        if event.stage == stage, event.life === node.life, pattern.matches(event) { wait.settle(()) }
      }
    }
  }
}
