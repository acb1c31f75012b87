/// `Simulation/seeds.txt`: seeds that once failed, one a line: scenario, seed, invariant, commit, what it was.
package struct SeedList: Sendable {
  package struct Entry: Sendable, CustomStringConvertible {
    package let scenario: String
    package let seed: UInt64
    package let story: String
    package var description: String { "\(scenario) \(seed)" }
  }

  package let entries: [Entry]

  /// - Returns: nil when a line is neither empty, nor a comment, nor an entry.
  package init?(_ text: String) {
    var entries: [Entry] = []
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ", maxSplits: 2)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      guard words.count == 3, let seed = UInt64(words[1]), Scenario.named(String(first)) != nil else { return nil }
      entries.append(Entry(scenario: String(first), seed: seed, story: String(words[2])))
    }
    self.entries = entries
  }
}
