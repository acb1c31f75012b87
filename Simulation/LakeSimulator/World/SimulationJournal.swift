private import Glibc
import LakePorts

/// What happened, in order: one JSON object a line when recording, else only how often each kind of event occurred.
///
/// A run is first made without recording; one that fails is run again with it, which changes nothing but the speed.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class SimulationJournal: @unchecked Sendable {
  package let isRecording: Bool
  package private(set) var lines: [String] = []
  /// By the address of the name's text: a static string has one.
  private var occurrences: [UnsafePointer<UInt8>: (name: StaticString, count: Int)] = [:]

  init(isRecording: Bool) { self.isRecording = isRecording }

  func note(
    _ event: StaticString, life: Life?, at time: Int64,
    _ facts: @autoclosure () -> [(StaticString, String)] = []
  ) {
    occurrences[event.utf8Start, default: (event, 0)].count += 1
    guard isRecording else { return }
    var line = "{\"t\":\"\(Seconds(time))\",\"life\":\"\(life.map { "\($0)" } ?? "")\",\"event\":\"\(event)\""
    for (name, value) in facts() where !value.isEmpty { line += ",\"\(name)\":\"\(SimulationJournal.escaped(value))\"" }
    lines.append(line + "}")
  }

  /// How often each event occurred, by name.
  package var counts: [String: Int] {
    var counts: [String: Int] = [:]
    for (name, count) in occurrences.values { counts["\(name)", default: 0] += count }
    return counts
  }

  /// - Returns: false when the file cannot be written.
  package func write(to path: String) -> Bool {
    var made = ""
    for segment in path.split(separator: "/").dropLast() {
      made += path.hasPrefix("/") || !made.isEmpty ? "/\(segment)" : "\(segment)"
      mkdir(made, 0o755)
    }
    guard let file = fopen(path, "w") else { return false }
    for line in lines { fputs(line + "\n", file) }
    return fclose(file) == 0
  }

  private static func escaped(_ text: String) -> String {
    var out = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\n": out += "\\n"
      case _ where scalar.value < 0x20: out += " "
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }
}

/// The journal as one life's ports have it.
struct LifeJournal: Journal {
  unowned let life: Life

  func note(_ level: JournalLevel, _ event: StaticString, _ facts: @autoclosure () -> [(StaticString, String)]) {
    life.simulation.journal.note(event, life: life, at: life.scheduler.now, facts())
  }
}
