/// What may go wrong, within what the design promises to survive.
package enum Fault: Int, CaseIterable, Sendable {
  // one request to the store
  /// Refused, certainly not carried out.
  case storeUnavailable
  case storeThrottled
  /// Never arrives; the sender hears nothing.
  case storeRequestLost
  /// Carried out; the sender hears nothing.
  case storeReplyLost
  /// Carried out long after the sender gave up, perhaps after its life.
  case storeLandedLate
  /// Takes seconds; may outlast the sender's patience.
  case storeSlow
  /// A listing page ends early.
  case storeShortPage
  /// An answer that says nothing (409): not carried out, but the sender cannot know.
  case storeUnclear
  // one request to the catalog
  case catalogUnavailable
  case catalogRequestLost
  case catalogReplyLost
  case catalogLandedLate
  case catalogSlow
  /// Refused as a conflict although nothing stands in the way.
  case catalogConflict
  // between clients and nodes
  case clientRequestLost
  /// The node has done it; the client hears nothing and asks again, perhaps somewhere else.
  case clientReplyLost
  // nodes
  case crash
  case pause
  /// A node reaches neither store nor catalog.
  case partition
  case clockDrift
  case wallClockJump
  /// A node is told to end in good order and another takes its place.
  case drain
  // the world
  /// Somebody ends a lane whose writer lives.
  case laneSealed
  /// Another engine commits: deletes rows, compacts, expires, rolls back.
  case foreignCommit
  // the filesystem store
  case powerLoss
  case syncFailed
  case diskFull
  // between a node and the store; last, so that the rates of those above stay what their seeds drew
  /// Something on the way sends a write twice; the sender hears the second answer, which may refuse what the first did.
  case storeResent
  /// A directory was read while something came into it, and does not show it.
  case listingOverlapped

  /// As in `storeLandedLate`.
  package var name: String { "\(self)" }
}

/// How a run goes wrong.
package enum Profile: String, CaseIterable, Sendable {
  /// Nothing does: what fails here fails always.
  case quiet
  /// Every fault, seldom.
  case lite
  /// Some faults never, some often: drawn for each run.
  case swarm
}

/// Which faults a run has, how often each happens, and how often each has happened.
package struct FaultPlan: Sendable {
  package let profile: Profile
  /// Probability of each fault at each occasion.
  private var rates: [Double]
  package private(set) var counts: [Int]
  private var random: SeededRandom
  /// False once the run settles.
  package var isActive = true

  package init(profile: Profile, random: SeededRandom) {
    self.profile = profile
    self.random = random
    rates = Array(repeating: 0, count: Fault.allCases.count)
    counts = Array(repeating: 0, count: Fault.allCases.count)
    var draw = random.fork("rates")
    for fault in Fault.allCases {
      switch profile {
      case .quiet: break
      case .lite: rates[fault.rawValue] = 0.02
      case .swarm: rates[fault.rawValue] = draw.chance(0.5) ? 0 : draw.pick([0.01, 0.03, 0.1, 0.25])
      }
    }
  }

  package subscript(_ fault: Fault) -> Double {
    get { rates[fault.rawValue] }
    set { rates[fault.rawValue] = newValue }
  }

  /// Whether the fault happens on this occasion. Draws only for faults that can.
  package mutating func occurs(_ fault: Fault) -> Bool {
    let rate = rates[fault.rawValue]
    guard isActive, rate > 0, random.chance(rate) else { return false }
    counts[fault.rawValue] += 1
    return true
  }

  package mutating func count(_ fault: Fault) { counts[fault.rawValue] += 1 }

  /// For decisions about a fault that has occurred: how long, when, to whom.
  package mutating func draw<T>(_ body: (inout SeededRandom) -> T) -> T { body(&random) }
}
