import LakePorts

/// What the command was asked for.
struct Arguments {
  var command = ""
  var seeds: [UInt64] = []
  /// `--seeds N`: so many, from `first` on.
  var count: Int?
  var first: UInt64 = 0
  var planted: PlantedDefect?
  var processes = 2
  /// `--stride K/N`: only seeds that leave K when divided by N; for the swarm's own children.
  var isChild = false

  static let usage = """
    usage: simulate meta                             the same seeds in two processes give the same journals
           simulate <scenario> [seed ...]            one story; seeds from 0 when none is given
                      [--seeds N] [--from S] [--plant defect]
           simulate swarm --seeds N [--from S] [--processes P]
           simulate plant [--seeds N]                how many seeds each planted defect took to be caught
           simulate replay                           every seed of Simulation/seeds.txt
           simulate list                             scenarios, invariants, faults, defects
    exit:  0 all well, 1 usage, 10 safety, 11 liveness, 12 crash, 13 not deterministic
    """

  init?(_ words: [String]) {
    var words = words[...]
    guard let command = words.popFirst() else { return nil }
    self.command = command
    while let word = words.popFirst() {
      switch word {
      case "--seeds":
        guard let value = words.popFirst().flatMap({ Int($0) }), value > 0 else { return nil }
        count = value
      case "--from":
        guard let value = words.popFirst().flatMap({ UInt64($0) }) else { return nil }
        first = value
      case "--processes":
        guard let value = words.popFirst().flatMap({ Int($0) }), (1...64).contains(value) else { return nil }
        processes = value
      case "--plant":
        guard let defect = words.popFirst().flatMap({ PlantedDefect(rawValue: $0) }) else { return nil }
        planted = defect
      case "--child": isChild = true
      default:
        guard let seed = UInt64(word) else { return nil }
        seeds.append(seed)
      }
    }
  }

  func seeds(otherwise fallback: Int) -> [UInt64] {
    if !seeds.isEmpty { return seeds }
    return (0..<UInt64(count ?? fallback)).map { first + $0 }
  }
}
