import LakeSimulator

/// What many runs added up to.
struct Tally {
  var runs = 0
  var jobs = 0
  /// Of the simulations' clocks, in seconds.
  var seconds: Int64 = 0
  var faults = [Int](repeating: 0, count: Fault.allCases.count)
  var events: [String: Int] = [:]

  mutating func add(_ report: RunReport) {
    runs += 1
    jobs += report.jobs
    seconds += report.time / 1_000_000_000
    for (index, count) in report.faultCounts.enumerated() { faults[index] += count }
    for (event, count) in report.eventCounts { events[event, default: 0] += count }
  }

  mutating func add(_ other: Tally) {
    runs += other.runs
    jobs += other.jobs
    seconds += other.seconds
    for (index, count) in other.faults.enumerated() { faults[index] += count }
    for (event, count) in other.events { events[event, default: 0] += count }
  }

  /// One line for the parent process.
  var line: String {
    let faults = faults.map { "\($0)" }.joined(separator: ",")
    let events = events.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value)" }.joined(separator: ",")
    return "tally \(runs) \(jobs) \(seconds) \(faults) \(events.isEmpty ? "-" : events)"
  }

  init() {}

  init?(line: String) {
    let words = line.split(separator: " ").map(String.init)
    guard words.count == 6, words[0] == "tally", let runs = Int(words[1]), let jobs = Int(words[2]),
      let seconds = Int64(words[3])
    else { return nil }
    self.runs = runs
    self.jobs = jobs
    self.seconds = seconds
    faults = words[4].split(separator: ",").compactMap { Int($0) }
    guard faults.count == Fault.allCases.count else { return nil }
    for pair in words[5].split(separator: ",") where pair != "-" {
      let parts = pair.split(separator: ":")
      guard parts.count == 2, let count = Int(parts[1]) else { return nil }
      events[String(parts[0])] = count
    }
  }

  /// How often each fault and branch was hit, and which never was.
  func printCoverage() {
    print("faults:")
    for fault in Fault.allCases { print("  \(pad(fault.name, 24)) \(faults[fault.rawValue])") }
    print("events:")
    for (event, count) in events.sorted(by: { $0.key < $1.key }) { print("  \(pad(event, 40)) \(count)") }
    let missed =
      Fault.allCases.filter { faults[$0.rawValue] == 0 }.map(\.name)
      + Coverage.branches.filter { events[$0, default: 0] == 0 }
    print("never hit: \(missed.isEmpty ? "none" : missed.joined(separator: ", "))")
    for (event, why) in Coverage.elsewhere where events[event, default: 0] == 0 {
      print("not of the swarm: \(event): \(why)")
    }
  }

  private func pad(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
