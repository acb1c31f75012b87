import LakeModel
import Synchronization

/// Tells of most texts that a column does not hold them, without searching it: a Bloom filter of the values of fixed width, such as ids.
///
/// It is another form of the page, a byte for each value, made at the second question.
final class ValueFilter: Sendable {
  private struct Made {
    var words: Buffer<UInt64>?
    var isAsked = false
  }
  private let made = Mutex(Made())

  /// Fewer values are searched in no time.
  private static let valuesMin = 256

  /// - Parameters:
  ///   - values: `count` of them, `width` bytes each; what stands in place of an absent one does no harm.
  ///   - wanted: `width` bytes.
  func mayHold(_ wanted: UnsafeRawBufferPointer, _ values: UnsafeRawPointer, count: Int) -> Bool {
    guard count >= ValueFilter.valuesMin else { return true }
    let words = made.withLock { made -> Buffer<UInt64>? in
      if made.words == nil && made.isAsked {
        made.words = ValueFilter.make(values, width: wanted.count, count: count)
      }
      made.isAsked = true
      return made.words
    }
    guard let words else { return true }
    let (word, bits) = ValueFilter.place(ByteHash.hash(wanted), count: words.count)
    return words[word] & bits == bits
  }

  private static func make(_ values: UnsafeRawPointer, width: Int, count: Int) -> Buffer<UInt64> {
    let wordCount = (count + 7) / 8
    return Buffer<UInt64>(count: wordCount) { words in
      words.update(repeating: 0, count: wordCount)
      for index in 0..<count {
        let value = UnsafeRawBufferPointer(start: values + index &* width, count: width)
        let (word, bits) = place(ByteHash.hash(value), count: wordCount)
        words[word] |= bits
      }
    }
  }

  /// The word that a hash falls into, and its three bits there.
  @inline(__always)
  private static func place(_ hash: UInt64, count: Int) -> (word: Int, bits: UInt64) {
    let word = Int(truncatingIfNeeded: (hash >> 32) &* UInt64(truncatingIfNeeded: count) >> 32)
    return (word, 1 &<< (hash & 63) | 1 &<< (hash >> 6 & 63) | 1 &<< (hash >> 12 & 63))
  }

  static func memoryBytes(count: Int) -> Int { count + 64 }
}
