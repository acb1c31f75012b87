import Glibc
import LakePorts
import LakeSimulator

ProcessExecutor.install()

guard let arguments = Arguments(Array(CommandLine.arguments.dropFirst())) else {
  print(Arguments.usage)
  finish(.usage)
}
switch arguments.command {
case "meta":
  if arguments.isChild {
    Meta.printJournals(arguments)
    finish(.well)
  }
  finish(Meta.run(arguments))
case "swarm":
  let swarm = Swarm(arguments: arguments)
  finish(arguments.isChild ? swarm.playAsChild() : swarm.run())
case "plant": finish(Plant.run(arguments))
case "replay": finish(Replay.run())
case "list":
  for scenario in Scenario.all { print("scenario  \(scenario): \(scenario.summary)") }
  for invariant in Invariant.all { print("invariant \(invariant)") }
  for fault in Fault.allCases { print("fault     \(fault.name)") }
  for defect in PlantedDefect.allCases { print("defect    \(defect.rawValue)") }
  finish(.well)
default:
  guard let scenario = Scenario.named(arguments.command) else {
    print("no scenario \(arguments.command)\n\(Arguments.usage)")
    finish(.usage)
  }
  finish(Story.play(scenario, seeds: arguments.seeds(otherwise: 1), planted: arguments.planted))
}
