import LakeModel
import Synchronization

/// Tells of most texts where a column does not hold them, without searching it: Bloom filters of the values of fixed width, such as ids.
///
/// They are another form of the page, a byte for each value, made at the second question. Each tells of 4,096 values that lie together,
/// so that a text that is there is not searched in all of a large row group either.
final class ValueFilter: Sendable {
  private struct Made {
    var words: Buffer<UInt64>?
    var isAsked = false
  }
  private let made = Mutex(Made())

  /// Fewer values are searched in no time.
  private static let valuesMin = 256
  private static let valuesPerPart = 4096
  private static let wordsPerPart = valuesPerPart / 8

  /// Those of the rows whose value may be the wanted one.
  ///
  /// - Parameters:
  ///   - values: `count` of them, `width` bytes each; what stands in place of an absent one does no harm.
  ///   - wanted: `width` bytes.
  func narrowed(
    _ rows: RowSelection, toWhatMayHold wanted: UnsafeRawBufferPointer, _ values: UnsafeRawPointer, count: Int
  ) -> RowSelection {
    guard count >= ValueFilter.valuesMin else { return rows }
    let words = made.withLock { made -> Buffer<UInt64>? in
      if made.words == nil && made.isAsked {
        made.words = ValueFilter.make(values, width: wanted.count, count: count)
      }
      made.isAsked = true
      return made.words
    }
    guard let words else { return rows }
    var builder = SelectionBuilder()
    ValueFilter.forEachPart(of: words, thatMayHold: wanted) { part in
      builder.append(part * ValueFilter.valuesPerPart..<min(count, (part + 1) * ValueFilter.valuesPerPart))
      return true
    }
    return rows.intersection(builder.finish())
  }

  /// Whether none of the values is the wanted one, as far as is known without a look at them: never before the filter was made.
  func isKnownToLack(_ wanted: UnsafeRawBufferPointer) -> Bool {
    guard let words = made.withLock({ $0.words }) else { return false }
    var isThere = false
    ValueFilter.forEachPart(of: words, thatMayHold: wanted) { _ in
      isThere = true
      return false
    }
    return !isThere
  }

  /// - Parameter body: says whether to go on.
  @inline(__always)
  private static func forEachPart(
    of words: Buffer<UInt64>, thatMayHold wanted: UnsafeRawBufferPointer, _ body: (Int) -> Bool
  ) {
    let (word, bits) = place(ByteHash.hash(wanted))
    let base = words.unsafeBase
    for part in 0..<words.count / wordsPerPart where base[part &* wordsPerPart &+ word] & bits == bits {
      if !body(part) { break }
    }
    withExtendedLifetime(words) {}
  }

  private static func make(_ values: UnsafeRawPointer, width: Int, count: Int) -> Buffer<UInt64> {
    let partCount = (count + valuesPerPart - 1) / valuesPerPart
    return Buffer<UInt64>(count: partCount * wordsPerPart) { words in
      words.update(repeating: 0, count: partCount * wordsPerPart)
      for index in 0..<count {
        let (word, bits) = place(ByteHash.hash(UnsafeRawBufferPointer(start: values + index &* width, count: width)))
        words[index / valuesPerPart &* wordsPerPart &+ word] |= bits
      }
    }
  }

  /// The word of a part that a hash falls into, and its three bits there.
  @inline(__always)
  private static func place(_ hash: UInt64) -> (word: Int, bits: UInt64) {
    let word = Int(truncatingIfNeeded: hash >> 32) & (wordsPerPart - 1)
    return (word, 1 &<< (hash & 63) | 1 &<< (hash >> 6 & 63) | 1 &<< (hash >> 12 & 63))
  }

  static func memoryBytes(count: Int) -> Int { count + valuesPerPart + 64 }
}
