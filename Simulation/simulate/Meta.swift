import LakeSimulator

/// The same seeds in two processes: the journals must be the same, byte for byte. Comes before any other simulation.
enum Meta {
  static let scenarios = Scenario.all.filter { !$0.failsOnPurpose }

  /// What a child prints: for each seed of each scenario a line with its digest, then its journal.
  static func printJournals(_ arguments: Arguments) {
    for scenario in scenarios {
      for seed in arguments.seeds(otherwise: 3) {
        let report = scenario.run(seed: seed, isRecording: true, adopt: ProcessExecutor.shared.adoption.adopt)
        print("== \(scenario) \(seed) digest=\(report.digest) jobs=\(report.jobs) lines=\(report.journal.lines.count)")
        for line in report.journal.lines { print(line) }
      }
    }
  }

  static func run(_ arguments: Arguments) -> ExitCode {
    let seeds = arguments.seeds(otherwise: 3).map { String($0) }
    let children = (0..<2).compactMap { _ in ChildProcess.start(["meta", "--child"] + seeds) }
    guard children.count == 2 else {
      print("cannot start two processes")
      return .crash
    }
    let outputs = children.map { child in
      var child = child
      return child.finish()
    }
    for (index, output) in outputs.enumerated() where output.exit != 0 {
      print("process \(index) ended with \(output.exit.map { "\($0)" } ?? "a signal")")
      return .crash
    }
    let (first, second) = (outputs[0].lines, outputs[1].lines)
    if let differing = zip(first, second).enumerated().first(where: { $0.element.0 != $0.element.1 })?.offset
      ?? (first.count == second.count ? nil : min(first.count, second.count))
    {
      let run = first[..<min(differing + 1, first.count)].last { $0.hasPrefix("== ") } ?? "?"
      print("FAILED SIM-1 one seed is one history: the journals differ at line \(differing + 1), in \(run)")
      print("  \(differing < first.count ? first[differing] : "(the end)")")
      print("  \(differing < second.count ? second[differing] : "(the end)")")
      return .notDeterministic
    }
    let runs = first.count { $0.hasPrefix("== ") }
    print("meta: \(runs) runs in each of two processes, \(first.count - runs) journal lines, byte for byte the same")
    return runs > 0 && first.count > 100 ? .well : .notDeterministic
  }
}
