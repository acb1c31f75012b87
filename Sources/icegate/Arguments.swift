/// The words after a command's name, taken one option at a time; what is left at the end is an error.
struct Arguments {
  private var words: [String]

  struct Wrong: Error, CustomStringConvertible {
    let description: String
  }

  init(_ words: some Sequence<String>) { self.words = Array(words) }

  /// Whether the flag stands there.
  mutating func flag(_ name: String) -> Bool {
    guard let index = words.firstIndex(of: name) else { return false }
    words.remove(at: index)
    return true
  }

  /// The word after the option, or of `--name=word`.
  mutating func option(_ names: String...) throws(Wrong) -> String? {
    for name in names {
      if let index = words.firstIndex(where: { $0.hasPrefix(name + "=") }) {
        return String(words.remove(at: index).dropFirst(name.count + 1))
      }
      guard let index = words.firstIndex(of: name) else { continue }
      guard index + 1 < words.count else { throw Wrong(description: "\(name) wants a value") }
      let value = words[index + 1]
      words.removeSubrange(index...index + 1)
      return value
    }
    return nil
  }

  mutating func int(_ name: String, in range: ClosedRange<Int>) throws(Wrong) -> Int? {
    guard let text = try option(name) else { return nil }
    guard let value = Int(text), range.contains(value) else {
      throw Wrong(
        description: "\(name): found `\(text)`, allowed: a whole number from \(range.lowerBound) to \(range.upperBound)"
      )
    }
    return value
  }

  /// The next word that is no option.
  mutating func word() -> String? {
    guard let first = words.first, !first.hasPrefix("-") else { return nil }
    return words.removeFirst()
  }

  /// - Throws: when words are left.
  func finish() throws(Wrong) {
    if let first = words.first { throw Wrong(description: "`\(first)` is not understood here") }
  }

  var rest: [String] { words }
}
