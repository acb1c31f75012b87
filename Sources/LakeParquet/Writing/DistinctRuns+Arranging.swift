import LakeModel

extension DistinctRuns {
  /// Dictionaries with fewer entries stay as they are.
  static let arrangedEntriesMin = 1024
  /// An entry that is used so often counts as a frequent one.
  private static let frequentUsesMin = 64

  /// The order in which a large dictionary of text is written: frequent entries as they were, so that their positions stay
  /// small and alike; then the others by their first bytes, so that neighbours begin alike. For the attribute values
  /// of logs this takes a third off the dictionary's compressed size.
  ///
  /// - Parameter uses: of each run.
  /// - Returns: nil when the dictionary is small.
  func arrangement(uses: Buffer<UInt32>) -> Buffer<UInt32>? {
    guard runs.count >= Self.arrangedEntriesMin else { return nil }
    var order = BufferBuilder<UInt32>(capacity: runs.count)
    var rare = BufferBuilder<Int32>(capacity: runs.count)
    uses.withValues { uses in
      for run in 0..<uses.count {
        if uses[run] >= Self.frequentUsesMin {
          order.append(UInt32(truncatingIfNeeded: run))
        } else {
          rare.append(Int32(truncatingIfNeeded: run))
        }
      }
    }
    // Twelve bytes: the last four first, because the sort is stable.
    let others = sorted(sorted(rare.finish(), bits: 32) { $0.tail.bigEndian &>> 32 }, bits: 64) { $0.head.bigEndian }
    others.withValues { others in
      for run in others { order.append(UInt32(bitPattern: run)) }
    }
    return order.finish()
  }

  private func sorted(_ some: Buffer<Int32>, bits: Int, by key: (ByteRun) -> UInt64) -> Buffer<Int32> {
    let keys = Buffer<UInt64>(count: some.count) { out in
      some.withValues { some in
        for at in 0..<some.count { out[at] = key(runs.unsafeBase[Int(some[at])]) }
      }
    }
    return RadixSort.sorted(some, keys: keys, bits: bits)
  }
}
