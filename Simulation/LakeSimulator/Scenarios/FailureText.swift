private import Glibc
package import LakePorts

/// A run that failed, told again with its journal on: what to print, and where the whole journal is.
package struct FailedRun: Error, CustomStringConvertible {
  package let report: RunReport
  package let text: String

  package var description: String { text }
}

extension Scenario {
  /// How many of the last lines of a journal are printed.
  private static let tailLines = 20

  /// Tells the story; on failure tells it again, recording, and throws what people need to replay it.
  package func play(seed: UInt64, planted: PlantedDefect? = nil) throws(FailedRun) {
    let report = run(seed: seed, planted: planted)
    if report.failure != nil { throw explain(report) }
  }

  /// Runs a failed seed again with the journal on and writes the journal to `.build/sim`.
  package func explain(_ first: RunReport, adopt: (Life?) -> Void = { _ in }) -> FailedRun {
    let report = run(seed: first.seed, planted: first.planted, isRecording: true, adopt: adopt)
    guard let failure = first.failure else { preconditionFailure("a run that did not fail") }
    let path = ".build/sim/\(name)-\(first.seed).jsonl"
    let isWritten = report.journal.write(to: path)
    let plant = first.planted.map { " --plant \($0.rawValue)" } ?? ""
    var text = "FAILED \(failure.invariant.map { "\($0): " } ?? "")\(failure.finding)\n"
    text += "seed=\(first.seed) profile=\(first.profile) commit=\(SourceCommit.current) t=\(Seconds(failure.time))"
    text += "   last \(Scenario.tailLines) journal lines -> \(isWritten ? path : "(cannot be written)")\n"
    if report.digest != first.digest {
      text +=
        "the second run took another course (\(report.failure?.description ?? "it did not fail")): \(Invariant.replaysAlike)\n"
    }
    for line in report.journal.lines.suffix(Scenario.tailLines) { text += "  \(line)\n" }
    text += "replay: swift run simulate \(name) \(first.seed)\(plant)"
    return FailedRun(report: first, text: text)
  }
}

/// The commit that is checked out where the program runs.
enum SourceCommit {
  static let current: String = read() ?? "unknown"

  private static func read() -> String? {
    var git = ".git"
    if let pointer = line(of: git), pointer.hasPrefix("gitdir: ") { git = String(pointer.dropFirst(8)) }
    guard let head = line(of: git + "/HEAD") else { return nil }
    guard head.hasPrefix("ref: ") else { return String(head.prefix(7)) }
    let name = head.dropFirst(5)
    let common = line(of: git + "/commondir").map { git + "/" + $0 } ?? git
    return (line(of: "\(git)/\(name)") ?? line(of: "\(common)/\(name)")).map { String($0.prefix(7)) }
  }

  private static func line(of path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 1024) { buffer in
      guard fgets(buffer.baseAddress, 1024, file) != nil else { return nil }
      return String(cString: buffer.baseAddress!).split(separator: "\n").first.map(String.init)
    }
  }
}
