import LakeModel

/// A row found by a log query: where it lies in the order of the answer.
struct LogCandidate: Sendable {
  /// Nanoseconds.
  let time: Int64
  /// Index of its block among the query's, and row in it: the order of rows with equal times.
  let block: Int32
  let row: Int32
  /// What the pipeline made of it; nil while the stored line and labels are the answer.
  let made: LogEntry?

  /// Order of time, then of storage.
  static func isEarlier(_ a: LogCandidate, _ b: LogCandidate) -> Bool {
    if a.time != b.time { return a.time < b.time }
    return (a.block, a.row) < (b.block, b.row)
  }
}

/// One line of the answer.
struct LogEntry: Sendable {
  /// The labels that name its stream: all of them, or with categories the stream's own.
  var labels: LabelSet
  /// Only with categories.
  var metadata: EntryMetadata?
  var line: Bytes

  /// Besides labels and line, about.
  static let ownBytes = 300

  /// Bytes held, about.
  var memoryBytes: Int {
    labels.packed.count + line.count + LogEntry.ownBytes
      + (metadata.map { $0.structured.packed.count + $0.parsed.packed.count } ?? 0)
  }
}

/// Keeps the candidates that come first in the query's direction.
struct CandidateList: Sendable {
  let limit: Int
  let direction: LogQueryRequest.Direction
  private var candidates: [LogCandidate] = []
  /// Once `limit` candidates are there: the worst time that still counts.
  private(set) var bound: Int64?
  /// Bytes of what the pipeline made, about.
  private(set) var memoryBytes = 0

  init(limit: Int, direction: LogQueryRequest.Direction) {
    self.limit = limit
    self.direction = direction
  }

  /// Whether an entry at `time` may still be among the first.
  @inline(__always)
  func mayTake(_ time: Int64) -> Bool {
    guard let bound else { return true }
    return direction == .backward ? time >= bound : time <= bound
  }

  /// The times that `mayTake` takes.
  var openTimes: ClosedRange<Int64> {
    guard let bound else { return .min ... .max }
    return direction == .backward ? bound ... .max : .min...bound
  }

  mutating func add(_ candidate: LogCandidate) {
    guard mayTake(candidate.time) else { return }
    candidates.append(candidate)
    if let made = candidate.made { memoryBytes += made.memoryBytes }
    if candidates.count >= limit * 2 + 512 { trim() }
  }

  mutating func add(_ other: CandidateList) {
    for candidate in other.candidates { add(candidate) }
    if candidates.count >= limit { trim() }
  }

  /// Sorted in the query's direction, at most `limit`.
  mutating func finish() -> [LogCandidate] {
    trim()
    return candidates
  }

  private mutating func trim() {
    if direction == .backward {
      candidates.sort { LogCandidate.isEarlier($1, $0) }
    } else {
      candidates.sort(by: LogCandidate.isEarlier)
    }
    guard candidates.count >= limit else { return }
    for candidate in candidates[limit...] { if let made = candidate.made { memoryBytes -= made.memoryBytes } }
    candidates.removeLast(candidates.count - limit)
    bound = candidates.last?.time
  }
}
