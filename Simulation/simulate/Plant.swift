import LakePorts
import LakeSimulator

/// Every planted defect: how many seeds it took until a checker caught it.
enum Plant {
  static func run(_ arguments: Arguments) -> ExitCode {
    var worst = ExitCode.well
    print("defect                             seeds  limit caught by")
    for defect in PlantedDefect.allCases where arguments.planted == nil || arguments.planted == defect {
      let scenario = Scenario.thatCatches(defect)
      let name = defect.rawValue + String(repeating: " ", count: max(1, 34 - defect.rawValue.count))
      let seeds = arguments.seeds(otherwise: defect.seedsMax)
      let caught = seeds.enumerated().lazy.compactMap { index, seed -> (Int, SimulationFailure)? in
        let report = scenario.run(seed: seed, planted: defect, adopt: ProcessExecutor.shared.adoption.adopt)
        return report.failure.map { (index + 1, $0) }
      }.first
      if let (count, failure) = caught {
        let words = failure.invariant.map { "\($0)" } ?? failure.finding
        print("\(name) \(pad(count)) \(pad(defect.seedsMax)) \(words) (\(scenario))")
      } else {
        print("\(name) not caught in \(seeds.count) seeds of \(scenario)")
        worst = .safety
      }
    }
    return worst
  }

  private static func pad(_ number: Int) -> String {
    let text = "\(number)"
    return text + String(repeating: " ", count: max(0, 5 - text.count))
  }
}
