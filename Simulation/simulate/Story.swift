import LakePorts
import LakeSimulator

/// One scenario with some seeds, up to the first failure.
enum Story {
  static func play(_ scenario: Scenario, seeds: [UInt64], planted: PlantedDefect?) -> ExitCode {
    let adopt = ProcessExecutor.shared.adoption.adopt
    var jobs = 0
    for seed in seeds {
      let report = scenario.run(seed: seed, planted: planted, adopt: adopt)
      jobs += report.jobs
      guard let failure = report.failure else { continue }
      print(scenario.explain(report, adopt: adopt))
      return ExitCode(failure)
    }
    print("\(scenario): \(seeds.count) seeds, no failure, \(jobs) jobs")
    return .well
  }
}
