import LakeModel

/// Asks for entries in batches, each beginning where the one before ended, without repeating those that share its time.
/// Pure: whoever uses it sends the requests.
package struct EntryPager: Sendable {
  package enum Direction: String, Sendable { case backward, forward }

  package struct Batch: Sendable, Hashable {
    package var start: UInt64
    /// Not included.
    package var end: UInt64
    package var limit: Int
  }

  private var start: UInt64
  private var end: UInt64
  private let direction: Direction
  /// nil: everything.
  private var left: Int?
  private let batchMax: Int
  private var wanted: Int
  /// Entries at the time where the next batch begins that were taken already.
  private var seen: [LogEntry: Int] = [:]
  private var isDone = false

  /// A batch held nothing but what was seen: more entries share one instant than the server gives at once.
  package struct Stuck: Error, Sendable, CustomStringConvertible {
    package let time: UInt64
    package let limit: Int
    package var description: String {
      "more than \(limit) entries have the time \(time): the server does not give the others"
    }
  }

  /// - Parameter batchMax: entries that the server gives at once.
  package init(start: UInt64, end: UInt64, direction: Direction, limit: Int?, batchMax: Int = 1000) {
    self.start = start
    self.end = end
    self.direction = direction
    left = limit
    self.batchMax = batchMax
    wanted = 0
    if start >= end || limit == 0 { isDone = true }
  }

  /// What to ask for next; nil when all is there.
  package mutating func next() -> Batch? {
    if isDone { return nil }
    let overlap = seen.values.reduce(0, +)
    wanted = min(batchMax, (left ?? batchMax) + overlap)
    return Batch(start: start, end: end, limit: wanted)
  }

  /// Takes the answer of the batch.
  /// - Returns: the new entries in the pager's direction.
  package mutating func take(_ answer: [LogEntry]) throws(Stuck) -> [LogEntry] {
    // Stable, so that equal times keep the server's order.
    let sorted = answer.enumerated().sorted { a, b in
      if a.element.time == b.element.time { return a.offset < b.offset }
      return direction == .backward ? a.element.time > b.element.time : a.element.time < b.element.time
    }.map(\.element)
    var known = seen
    var fresh: [LogEntry] = []
    for entry in sorted {
      if let count = known[entry], count > 0 {
        known[entry] = count - 1
      } else {
        fresh.append(entry)
      }
    }
    if let limit = left { fresh = Array(fresh.prefix(limit)) }
    guard answer.count >= wanted, let last = sorted.last?.time else {
      isDone = true
      return fresh
    }
    if fresh.isEmpty { throw Stuck(time: last, limit: batchMax) }
    if let limit = left {
      left = limit - fresh.count
      if left == 0 { isDone = true }
    }
    if direction == .backward {
      if last != end - 1 { seen = [:] }
      end = last + 1
    } else {
      if last != start { seen = [:] }
      start = last
    }
    for entry in fresh where entry.time == last { seen[entry, default: 0] += 1 }
    return fresh
  }
}
