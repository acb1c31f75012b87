import LakeHash
import LakeModel

/// A run of bytes within a buffer, with so much of it at hand that most runs are told apart without looking there.
struct ByteRun: BitwiseCopyable {
  /// Runs of up to so many bytes are at hand whole.
  static let wholeBytesMax = 16

  /// The first eight bytes, the first of them lowest; zeros stand for what the run does not have.
  let head: UInt64
  /// The next eight of a run that is at hand whole, the hash of a longer one.
  let tail: UInt64
  let start: UInt32
  let length: UInt32

  /// - Parameter bytes: readable at `base`.
  @inline(__always)
  init(_ base: UnsafeRawPointer, bytes: Int, start: Int, length: Int) {
    self.start = UInt32(truncatingIfNeeded: start)
    self.length = UInt32(truncatingIfNeeded: length)
    let run = base + start
    if length > ByteRun.wholeBytesMax {
      head = run.loadUnaligned(as: UInt64.self)
      tail = XXHash.xxh3(UnsafeRawBufferPointer(start: run, count: length))
    } else if start + ByteRun.wholeBytesMax <= bytes {
      head = ByteRun.first(length, of: run.loadUnaligned(as: UInt64.self))
      tail = ByteRun.first(length &- 8, of: run.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    } else {
      var words: (UInt64, UInt64) = (0, 0)
      withUnsafeMutableBytes(of: &words) { $0.copyMemory(from: UnsafeRawBufferPointer(start: run, count: length)) }
      (head, tail) = words
    }
  }

  @inline(__always)
  private static func first(_ count: Int, of word: UInt64) -> UInt64 {
    count <= 0 ? 0 : count >= 8 ? word : word & (1 &<< UInt64(count &* 8) &- 1)
  }

  @inline(__always)
  var hash: UInt64 { DictionaryBuilder.mix(DictionaryBuilder.mix(head &+ UInt64(length)) ^ tail) }

  /// - Parameter base: where both runs lie.
  @inline(__always)
  func isEqual(_ other: ByteRun, _ base: UnsafeRawPointer) -> Bool {
    guard head == other.head && tail == other.tail && length == other.length else { return false }
    return length <= ByteRun.wholeBytesMax || hasEqualBytes(other, base)
  }

  /// Whether the runs are equal as far as can be told without looking where they lie.
  @inline(__always)
  func isKnownEqual(_ other: ByteRun) -> Bool {
    let difference = head ^ other.head | tail ^ other.tail | UInt64(length ^ other.length)
    return difference == 0 && length <= ByteRun.wholeBytesMax
  }

  /// - Precondition: both are longer than `wholeBytesMax` and as long as one another.
  private func hasEqualBytes(_ other: ByteRun, _ base: UnsafeRawPointer) -> Bool {
    let (a, b, last) = (base + Int(start), base + Int(other.start), Int(length) - 8)
    func isEqual(at: Int) -> Bool {
      a.loadUnaligned(fromByteOffset: at, as: UInt64.self) == b.loadUnaligned(fromByteOffset: at, as: UInt64.self)
    }
    for at in stride(from: 8, to: last, by: 8) where !isEqual(at: at) { return false }
    return isEqual(at: last)
  }
}

/// The distinct ones of some runs of bytes.
struct DistinctRuns {
  /// Values looked at together.
  private static let batchCount = 64

  /// In order of first use.
  let runs: Buffer<ByteRun>
  /// Of each value the position of its run among them.
  let numbers: Buffer<UInt32>
  /// What the runs lie in.
  private let data: Buffer<UInt8>

  /// Gives up, with nil, when the runs would pass `bytesMax` with their lengths, or when most of them are distinct.
  ///
  /// - Parameters:
  ///   - valueCount: of values that the `count` ones stand for, when these are known to repeat little.
  ///   - place: of a value in `data`.
  @inline(__always)
  init?(
    count: Int, data: Buffer<UInt8>, bytesMax: Int, valueCount: Int? = nil,
    place: (Int) -> (start: Int, length: Int)
  ) {
    defer { withExtendedLifetime(data.storage) {} }
    var runs = BufferBuilder<ByteRun>(capacity: 256)
    var table = SlotTable(capacity: valueCount == nil ? 1024 : SlotTable.capacity(for: count / 2))
    var bytes = 0
    let base = UnsafeRawPointer(data.unsafeBase)
    var numbers = BufferBuilder<UInt32>(capacity: count)
    let target = numbers.reserve(count)
    let pending = BufferBuilder<ByteRun>(capacity: Self.batchCount)
    defer { withExtendedLifetime(pending.storage) {} }
    for start in stride(from: 0, to: count, by: Self.batchCount) {
      let batch = start..<min(count, start + Self.batchCount)
      // Table and runs are beyond the nearest caches when there are many. Looks that do not wait for one another's outcome take
      // a third of the time; most repeats are found by them.
      for position in batch {
        let (at, length) = place(position)
        let run = ByteRun(base, bytes: data.count, start: at, length: length)
        pending.base[position &- start] = run
        target[position] = table.slots[table.first(run.hash)]
      }
      for position in batch {
        let number = target[position]
        let known = runs.base[number == SlotTable.free ? 0 : Int(number)]
        target[position] = known.isKnownEqual(pending.base[position &- start]) ? number : SlotTable.free
      }
      for position in batch where target[position] == SlotTable.free {
        let run = pending.base[position &- start]
        var slot = table.first(run.hash)
        var number = table.slots[slot]
        while number != SlotTable.free && !runs.base[Int(number)].isEqual(run, base) {
          slot = table.next(slot)
          number = table.slots[slot]
        }
        if number == SlotTable.free {
          bytes += Int(run.length) + 4
          if bytes > bytesMax { return nil }
          number = UInt32(truncatingIfNeeded: runs.count)
          runs.append(run)
          table.slots[slot] = number
          if runs.count * 2 > table.capacity { table.grow(count: runs.count) { runs.base[$0].hash } }
        }
        target[position] = number
      }
      if valueCount == nil && start >= DictionaryBuilder.sampleCount
        && DictionaryBuilder.isHopeless(seen: batch.upperBound, distinct: runs.count)
      {
        return nil
      }
    }
    numbers.count = count
    let seen = valueCount ?? count
    if DictionaryBuilder.isHopeless(seen: seen, distinct: runs.count) && seen > 16 { return nil }
    self.runs = runs.finish()
    self.numbers = numbers.finish()
    self.data = data
  }

  /// How often each run occurs.
  ///
  /// - Parameter counts: how often each value does; nil: once.
  func uses(of counts: Buffer<UInt32>? = nil) -> Buffer<UInt32> {
    Buffer<UInt32>(count: runs.count) { uses in
      uses.update(repeating: 0, count: runs.count)
      numbers.withValues { numbers in
        if let counts {
          counts.withValues { counts in
            for value in 0..<numbers.count { uses[Int(numbers[value])] &+= counts[value] }
          }
        } else {
          for number in numbers { uses[Int(number)] &+= 1 }
        }
      }
    }
  }

  /// The runs one after another.
  ///
  /// - Parameter order: of the runs; nil: as they are.
  func text(order: Buffer<UInt32>?) -> (offsets: Buffer<UInt32>, data: Buffer<UInt8>) {
    let ordered = order.map { Gather.pick(runs, .positions($0)) } ?? runs
    return ordered.withValues { runs in
      let offsets = Buffer<UInt32>(count: runs.count + 1) { out in
        var end: UInt32 = 0
        out[0] = 0
        for at in 0..<runs.count {
          end &+= runs[at].length
          out[at &+ 1] = end
        }
      }
      let bytes = Int(offsets[runs.count])
      // Whole runs are written at their full width: the memory reaches so far beyond its end.
      let text = Buffer<UInt8>(count: bytes) { out in
        let (from, to) = (UnsafeRawPointer(data.unsafeBase), UnsafeMutableRawPointer(out))
        for at in 0..<runs.count {
          let target = to + Int(offsets.unsafeBase[at])
          if runs[at].length <= ByteRun.wholeBytesMax {
            target.storeBytes(of: runs[at].head, as: UInt64.self)
            target.storeBytes(of: runs[at].tail, toByteOffset: 8, as: UInt64.self)
          } else {
            target.copyMemory(from: from + Int(runs[at].start), byteCount: Int(runs[at].length))
          }
        }
        withExtendedLifetime((offsets.storage, data.storage)) {}
      }
      return (offsets, text)
    }
  }

  /// Of each value the position of its run in an order of them.
  func numbers(order: Buffer<UInt32>?) -> Buffer<UInt32> {
    guard let order else { return numbers }
    let places = Buffer<UInt32>(count: runs.count) { out in
      order.withValues { order in
        for at in 0..<order.count { out[Int(order[at])] = UInt32(truncatingIfNeeded: at) }
      }
    }
    return Gather.pick(places, .positions(numbers))
  }
}
