import LakeModel

/// A substring to look for, prepared once per query for the text indexes of any number of files.
package struct TextNeedle: Sendable {
  /// What the search takes for equal.
  package enum Matching: Sendable {
    /// Bytes.
    case exact
    /// Bytes, ASCII letters in either case.
    case foldingASCII
    /// Letters in any case by Unicode's simple folding, as `(?i)` has it: `k` then stands for the Kelvin sign too, `s` for the long s.
    /// Runs that hold such a letter, or anything beyond ASCII, say nothing.
    case foldingUnicode
  }

  /// Positions of its trigrams and of its runs of six bytes, ascending, each once.
  let short: [Int]
  let long: [Int]

  /// A needle of many bytes is told well enough by this many of its runs.
  static let gramsMax = 256

  package init(_ bytes: some Collection<UInt8>, _ matching: Matching = .exact) {
    let bytes = bytes.map(TextGrams.lowered)
    func positions(_ length: Int, _ position: (UInt64) -> Int) -> [Int] {
      guard bytes.count >= length else { return [] }
      var found = Set<Int>()
      for start in 0...bytes.count - length where found.count < Self.gramsMax {
        let run = bytes[start..<start + length]
        if case .foldingUnicode = matching, run.contains(where: { $0 >= 0x80 || $0 == 0x6B || $0 == 0x73 }) {
          continue
        }
        found.insert(position(run.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }))
      }
      return found.sorted()
    }
    short = positions(TextGrams.shortBytes, TextGrams.shortPosition)
    long = positions(TextGrams.longBytes, TextGrams.longPosition)
  }

  package init(_ text: String, _ matching: Matching = .exact) { self.init(text.utf8, matching) }

  /// False when no index can exclude anything: fewer than three bytes, or none that say something. Then no index need
  /// be fetched.
  package var isSelective: Bool { !short.isEmpty }
}
