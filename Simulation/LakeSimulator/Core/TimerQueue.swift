/// What happens when: a heap by time, then by the order of asking.
///
/// Confined to the simulation's thread.
struct TimerQueue {
  struct Token: Hashable {
    fileprivate let number: UInt64
  }

  private struct Entry {
    let time: Int64
    let number: UInt64
  }

  private var heap: [Entry] = []
  private var actions: [UInt64: () -> Void] = [:]
  private var issued: UInt64 = 0

  var count: Int { actions.count }

  mutating func add(at time: Int64, _ action: @escaping () -> Void) -> Token {
    issued += 1
    actions[issued] = action
    heap.append(Entry(time: time, number: issued))
    siftUp()
    return Token(number: issued)
  }

  /// The entry stays in the heap until its time comes.
  mutating func cancel(_ token: Token) { actions[token.number] = nil }

  /// The next thing to happen; nil when nothing will.
  mutating func next() -> (time: Int64, action: () -> Void)? {
    while let first = heap.first {
      removeFirst()
      if let action = actions.removeValue(forKey: first.number) { return (first.time, action) }
    }
    return nil
  }

  private static func precedes(_ a: Entry, _ b: Entry) -> Bool { (a.time, a.number) < (b.time, b.number) }

  private mutating func siftUp() {
    var child = heap.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard TimerQueue.precedes(heap[child], heap[parent]) else { return }
      heap.swapAt(child, parent)
      child = parent
    }
  }

  private mutating func removeFirst() {
    heap.swapAt(0, heap.count - 1)
    heap.removeLast()
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2]
      where child < heap.count && TimerQueue.precedes(heap[child], heap[smallest]) {
        smallest = child
      }
      if smallest == parent { return }
      heap.swapAt(smallest, parent)
      parent = smallest
    }
  }
}
