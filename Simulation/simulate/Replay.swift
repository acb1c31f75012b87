import Glibc
import LakeSimulator

/// Every seed that once failed.
enum Replay {
  static func run() -> ExitCode {
    guard let text = read("Simulation/seeds.txt"), let list = SeedList(text) else {
      print("Simulation/seeds.txt is missing or has a line that names no scenario and seed")
      return .usage
    }
    for entry in list.entries {
      let code = Story.play(Scenario.named(entry.scenario)!, seeds: [entry.seed], planted: nil)
      if code != .well { return code }
    }
    print("replay: \(list.entries.count) seeds that once failed, no failure")
    return .well
  }

  private static func read(_ path: String) -> String? {
    guard let file = fopen(path, "r") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    while true {
      let byte = getc(file)
      if byte == EOF { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(UInt8(truncatingIfNeeded: byte))
    }
  }
}
