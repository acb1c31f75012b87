import Glibc
import LakeSimulator

/// Many seeds of the swarm scenario, in several processes.
///
/// A process plays so many seeds and ends, so that one that traps is told from one that fails, and memory stays small.
struct Swarm {
  static let seedsPerProcess = 500
  let arguments: Arguments

  /// What a child does: plays its seeds, says so, stops at the first failure.
  func playAsChild() -> ExitCode {
    var tally = Tally()
    for seed in arguments.seeds(otherwise: 1) {
      print("seed \(seed)")
      fflush(nil)
      let report = Scenario.swarm.run(seed: seed, adopt: ProcessExecutor.shared.adoption.adopt)
      tally.add(report)
      guard let failure = report.failure else { continue }
      print(tally.line)
      print(Scenario.swarm.explain(report, adopt: ProcessExecutor.shared.adoption.adopt))
      return ExitCode(failure)
    }
    print(tally.line)
    return .well
  }

  func run() -> ExitCode {
    let begin = now()
    let total = arguments.count ?? 1000
    var chunks: [(UInt64, Int)] = stride(from: 0, to: total, by: Swarm.seedsPerProcess).map {
      (arguments.first + UInt64($0), min(Swarm.seedsPerProcess, total - $0))
    }.reversed()
    var running: [ChildProcess] = []
    var tally = Tally()
    var worst = ExitCode.well
    while !chunks.isEmpty || !running.isEmpty {
      while running.count < arguments.processes, let (first, count) = chunks.popLast() {
        guard let child = ChildProcess.start(["swarm", "--child", "--from", "\(first)", "--seeds", "\(count)"]) else {
          print("cannot start a process")
          return .crash
        }
        running.append(child)
      }
      guard let ended = readUntilOneEnds(&running) else { continue }
      var child = running.remove(at: ended)
      let (lines, exit) = child.finish()
      for line in lines { if let part = Tally(line: line) { tally.add(part) } }
      if exit != 0 {
        worst = exit.flatMap { ExitCode(rawValue: $0) } ?? .crash
        chunks = []
        report(lines, exit)
      } else if tally.runs % 10_000 < Swarm.seedsPerProcess {
        print("\(tally.runs) of \(total) seeds, \(rate(tally.runs, begin))")
        fflush(nil)
      }
    }
    tally.printCoverage()
    print(
      "swarm: \(tally.runs) seeds from \(arguments.first), \(worst == .well ? "no failure" : "FAILED"), "
        + "\(rate(tally.runs, begin)), \(tally.seconds / 3600) simulated hours, \(tally.jobs) jobs")
    return worst
  }

  private func report(_ lines: [String], _ exit: Int32?) {
    let last = lines.last { $0.hasPrefix("seed ") } ?? "seed ?"
    if exit == nil || !lines.contains(where: { $0.hasPrefix("FAILED") }) {
      print("FAILED: the process ended with \(exit.map { "exit code \($0)" } ?? "a signal") at \(last)")
      print("replay: swift run simulate \(Scenario.swarm) \(last.dropFirst(5))")
    } else {
      for line in lines.drop(while: { !$0.hasPrefix("FAILED") }) { print(line) }
    }
  }

  private func now() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func rate(_ runs: Int, _ begin: Double) -> String {
    let elapsed = now() - begin
    return "\(Int(elapsed)) s, \((Double(runs) / elapsed * 10).rounded() / 10) seeds/s"
  }

  /// Takes what the children say, all at once, so that none waits for another.
  ///
  /// - Returns: which of them has said everything; nil when none has, for now.
  private func readUntilOneEnds(_ children: inout [ChildProcess]) -> Int? {
    var polled = children.map { pollfd(fd: $0.output, events: Int16(POLLIN), revents: 0) }
    while poll(&polled, nfds_t(polled.count), -1) < 0 && errno == EINTR {}
    for index in polled.indices where polled[index].revents != 0 {
      if !children[index].readSome() { return index }
    }
    return nil
  }
}
