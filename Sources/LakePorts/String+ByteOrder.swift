private import Glibc

extension String.UTF8View {
  /// Whether these bytes sort before `other`'s; stores order keys by bytes, `String` does not.
  package func precedes(_ other: String.UTF8View) -> Bool { order(beside: other) < 0 }

  /// Whether these are the same bytes; `String` also takes canonically equivalent text for the same.
  package func isSame(as other: String.UTF8View) -> Bool { order(beside: other) == 0 }

  /// Below 0, 0 or above 0, as `memcmp` has it.
  @inline(__always)
  private func order(beside other: String.UTF8View) -> Int {
    let found = withContiguousStorageIfAvailable { left in
      other.withContiguousStorageIfAvailable { right -> Int in
        if let first = left.baseAddress, let second = right.baseAddress {
          let shared = memcmp(first, second, Swift.min(left.count, right.count))
          if shared != 0 { return Int(shared) }
        }
        return left.count - right.count
      }
    }
    if let found = found ?? nil { return found }
    if elementsEqual(other) { return 0 }
    return lexicographicallyPrecedes(other) ? -1 : 1
  }
}
