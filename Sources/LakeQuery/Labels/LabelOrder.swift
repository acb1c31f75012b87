import LakeModel

/// The order of label sets: label by label, first by name, then by value, as bytes.
enum LabelOrder {
  /// Places of `sets`, in the order of what stands there.
  static func places(_ sets: [LabelSet]) -> [Int] {
    // One buffer for all keys: sets may be hundreds of thousands.
    var keys = BufferBuilder<UInt8>(capacity: sets.reduce(0) { $0 + $1.packed.count })
    var ends: [Int] = []
    ends.reserveCapacity(sets.count)
    for set in sets {
      set.forEach { name, value in
        keys.append(name)
        keys.append(0)
        keys.append(value)
        keys.append(0)
      }
      ends.append(keys.count)
    }
    func key(_ place: Int) -> UnsafeRawBufferPointer {
      let start = place == 0 ? 0 : ends[place - 1]
      return UnsafeRawBufferPointer(start: keys.base + start, count: ends[place] - start)
    }
    return sets.indices.sorted { ByteOrder.compare(key($0), key($1)) < 0 }
  }
}

extension Array where Element == GridSeries {
  /// Ascending by labels.
  func sortedByLabels() -> [GridSeries] { LabelOrder.places(map(\.labels)).map { self[$0] } }
}

extension BufferBuilder<UInt8> {
  fileprivate mutating func append(_ bytes: UnsafeBufferPointer<UInt8>) {
    if let base = bytes.baseAddress { append(contentsOf: base, count: bytes.count) }
  }
}
