package import LakeModel
package import LakeWAL

/// What the front remembers of requests, so that most repeats cost nothing (DUP-3). Economy only: forgetting is harmless.
package struct DedupMemory: Sendable {
  package enum Answer: Hashable, Sendable {
    case new
    /// The request of this number is the same and has no outcome yet.
    case inFlight(Int)
    case durable
    /// DUP-1: the idempotency key came with another body.
    case keyReused
  }

  private struct Key: Hashable, Sendable {
    let topic: Topic
    let fingerprint: Fingerprint
  }

  private enum Entry: Sendable {
    case inFlight(Int)
    case durable
  }

  private let capacity: Int
  private var entries: [Key: Entry] = [:]
  private var bodies: [Key: Fingerprint] = [:]
  /// Durable ones in the order they became so, and the key scope that goes with each.
  private var durable: [(key: Key, scope: Key?)] = []
  private var forgotten = 0

  package init(capacity: Int) { self.capacity = capacity }

  /// Asks about a request that came in under `number`; a new one is in flight from now on.
  package mutating func receive(_ identity: RequestIdentity, topic: Topic, number: Int) -> Answer {
    guard let fingerprint = identity.fingerprint else { return .new }
    let key = Key(topic: topic, fingerprint: fingerprint)
    switch entries[key] {
    case .inFlight(let first): return .inFlight(first)
    case .durable: return .durable
    case nil: break
    }
    if let scope = identity.keyScope.map({ Key(topic: topic, fingerprint: $0) }) {
      if let known = bodies[scope], known != fingerprint { return .keyReused }
      bodies[scope] = fingerprint
    }
    entries[key] = .inFlight(number)
    return .new
  }

  /// Settles a request that `receive` called new.
  package mutating func settle(_ identity: RequestIdentity, topic: Topic, isDurable: Bool) {
    guard let fingerprint = identity.fingerprint else { return }
    let key = Key(topic: topic, fingerprint: fingerprint)
    let scope = identity.keyScope.map { Key(topic: topic, fingerprint: $0) }
    guard isDurable else {
      entries[key] = nil
      if let scope { bodies[scope] = nil }
      return
    }
    entries[key] = .durable
    durable.append((key, scope))
    while durable.count - forgotten > capacity {
      let (key, scope) = durable[forgotten]
      entries[key] = nil
      if let scope { bodies[scope] = nil }
      forgotten += 1
    }
    if forgotten > capacity {
      durable.removeFirst(forgotten)
      forgotten = 0
    }
  }
}
