package import LakePorts

extension Scenario {
  /// Every story, in the order in which they are best understood.
  package static let all: [Scenario] = [.counter, .canary, .powerLoss] + stories + [.lake]

  /// What the swarm plays.
  package static let swarm = Scenario.lake

  package var failsOnPurpose: Bool { name == Scenario.canary.name }

  package static func named(_ name: String) -> Scenario? { all.first { $0.name == name } }
}

extension Scenario {
  /// The scenario in which a planted defect shows soonest.
  package static func thatCatches(_ defect: PlantedDefect) -> Scenario {
    switch defect {
    case .skipFileSync, .skipDirectorySync, .unlinkWithoutSync: powerLoss
    case .writeIntoQuietLane, .skipLaneOpening: quietLane
    case .trustTombstone: lateTombstone
    case .skipConfirm, .skipVanished: sleepyReader
    case .listBeforeSnapshot: sleepyLister
    case .forgetFingerprintsByTime: lateRepeat
    case .acknowledgeInFlightRepeat, .rememberFailed: impatientClient
    case .acknowledgeLate: slowStore
    case .overlapPuts: latePut
    case .skipReadBack, .retryElsewhere, .readerKeepsTailRepeats, .readerIgnoresFingerprints, .shiftIgnoresFingerprints:
      lostReply
    case .deleteFilesOfUnknownCommit, .commitOnAnyGeneration: shiftRace
    case .deleteTombstoneEarly, .treatExistingAsMine: hastySealer
    case .countVoidLanes: voidLane
    case .skipHoles: damage
    case .loseStateInForeignCommit, .rollBackState: otherEngine
    default: swarm
    }
  }
}
