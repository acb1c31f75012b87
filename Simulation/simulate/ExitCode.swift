import Glibc
import LakePorts
import LakeSimulator

/// How the command ends: crash, safety and liveness told apart.
enum ExitCode: Int32 {
  case well = 0
  case usage = 1
  case safety = 10
  case liveness = 11
  case crash = 12
  case notDeterministic = 13

  init(_ failure: SimulationFailure) {
    switch failure.kind {
    case .safety: self = failure.invariant == .replaysAlike ? .notDeterministic : .safety
    case .liveness: self = .liveness
    case .crash: self = .crash
    }
  }
}

func finish(_ code: ExitCode) -> Never {
  fflush(nil)
  exit(code.rawValue)
}
