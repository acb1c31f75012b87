extension Buffer {
  /// `count` values that `fill` writes; it must write every one of them.
  @inlinable
  package init<E: Error>(count: Int, fill: (UnsafeMutablePointer<Element>) throws(E) -> Void) throws(E) {
    let storage = RawStorage(capacity: count * MemoryLayout<Element>.stride)
    try fill(storage.base.bindMemory(to: Element.self, capacity: max(count, 1)))
    self.init(storage: storage, offset: 0, count: count)
  }

  /// The same value `count` times.
  package init(repeating value: Element, count: Int) {
    self.init(count: count) { $0.update(repeating: value, count: count) }
  }

  /// Whether both are the same memory, so that their contents need no comparison.
  @inlinable
  package func isSame(as other: Buffer) -> Bool {
    storage === other.storage && offset == other.offset && count == other.count
  }
}

extension Buffer where Element == Int32 {
  /// `range` as row numbers.
  package init(rows range: Range<Int>) {
    precondition(range.upperBound <= Int(Int32.max))
    self.init(count: range.count) { out in
      for index in 0..<range.count { out[index] = Int32(truncatingIfNeeded: range.lowerBound &+ index) }
    }
  }
}
