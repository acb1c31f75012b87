/// A binary heap of deadlines; cancelled ones are removed lazily, before they are the greater part.
struct DeadlineQueue: Sendable {
  private struct Entry {
    var deadline: Int64
    var id: UInt64
  }

  private var entries: [Entry] = []
  private var cancelledCount = 0

  var first: Int64? { entries.first?.deadline }
  var count: Int { entries.count }

  mutating func insert(deadline: Int64, id: UInt64) {
    entries.append(Entry(deadline: deadline, id: id))
    var index = entries.count - 1
    while index > 0 {
      let parent = (index - 1) / 2
      if entries[parent].deadline <= entries[index].deadline { break }
      entries.swapAt(parent, index)
      index = parent
    }
  }

  /// The id of the first entry when its deadline is not after `now`.
  mutating func popFirst(dueAt now: Int64) -> UInt64? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    entries.swapAt(0, entries.count - 1)
    entries.removeLast()
    sink(0)
    return first.id
  }

  /// Counts one cancelled entry, and sweeps when most entries are cancelled: a storm of cancelled waits does not pile up.
  mutating func forget(isWaiting: (UInt64) -> Bool) {
    cancelledCount += 1
    guard cancelledCount > 64, cancelledCount * 2 > entries.count else { return }
    entries.removeAll { !isWaiting($0.id) }
    entries.sort { $0.deadline < $1.deadline }
    cancelledCount = 0
  }

  private mutating func sink(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2]
      where child < entries.count && entries[child].deadline < entries[least].deadline {
        least = child
      }
      if least == index { return }
      entries.swapAt(least, index)
      index = least
    }
  }
}
