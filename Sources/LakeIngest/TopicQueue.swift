package import LakePorts
package import LakeSchema
package import LakeWAL

/// A request that waits for a lane, or is being written.
package struct QueuedRequest: Sendable {
  /// Counts the requests of one life.
  package let number: Int
  package let rows: ColumnBatch
  package let fingerprint: Fingerprint?
  package let received: ClockInstant
  /// Memory that its rows take.
  package let bytes: Int

  package init(number: Int, rows: ColumnBatch, fingerprint: Fingerprint?, received: ClockInstant, bytes: Int) {
    self.number = number
    self.rows = rows
    self.fingerprint = fingerprint
    self.received = received
    self.bytes = bytes
  }
}

/// The requests of one topic that wait for a lane, and the writers that wait for requests. Decides when a batch is worth
/// writing, and who writes it.
///
/// Of the writers that wait, the one with the lowest number gets the next batch: under a light load one lane takes it
/// all and the others end.
package struct TopicQueue: Sendable {
  package enum Decision: Sendable {
    /// Write these.
    case write([QueuedRequest])
    /// Ask again when woken, or then.
    case wait(until: ClockInstant?)
    /// Nothing will come any more.
    case stop
  }

  private let settings: QueueSettings
  private var waiting: [QueuedRequest] = []
  private var rowCount = 0
  private var bytes = 0
  private var lastArrival = ClockInstant(nanoseconds: 0)
  private var idle: Set<Int> = []

  package init(settings: QueueSettings) { self.settings = settings }

  package var count: Int { waiting.count }
  /// The writer to wake for a request that came in.
  package var nextWriter: Int? { idle.min() }

  /// - Returns: false when the queue is full (WAL-7).
  package mutating func append(_ request: QueuedRequest) -> Bool {
    guard waiting.count < settings.channelCapacity else { return false }
    waiting.append(request)
    rowCount += request.rows.count
    bytes += request.bytes
    lastArrival = request.received
    return true
  }

  /// Takes out requests that were given up while they waited.
  package mutating func remove(_ isGone: (QueuedRequest) -> Bool) {
    waiting.removeAll(where: isGone)
    rowCount = waiting.reduce(0) { $0 + $1.rows.count }
    bytes = waiting.reduce(0) { $0 + $1.bytes }
  }

  /// What an idle writer does now.
  package mutating func decide(writer: Int, isDraining: Bool, now: ClockInstant) -> Decision {
    idle.insert(writer)
    let isNext = idle.min() == writer
    if isDraining && (waiting.isEmpty || !isNext) {
      idle.remove(writer)
      return .stop
    }
    guard !waiting.isEmpty, isNext else { return .wait(until: nil) }
    let due = flushTime
    guard isDraining || now >= due else { return .wait(until: due) }
    idle.remove(writer)
    return .write(takeBatch())
  }

  /// A writer that turned to something else.
  package mutating func leave(writer: Int) { idle.remove(writer) }

  /// When what waits is to be written. - Precondition: something waits.
  private var flushTime: ClockInstant {
    if rowCount >= settings.flushRows || bytes >= settings.flushBytesMax { return waiting[0].received }
    let byAge = waiting[0].received.advanced(by: settings.flushDelayMax)
    // Callers that wait for their answers send nothing meanwhile: with enough at hand, waiting on would gain nothing.
    guard rowCount >= settings.flushQuietRows || bytes >= settings.flushQuietBytes else { return byAge }
    return min(byAge, lastArrival.advanced(by: settings.flushQuietDelay))
  }

  /// As many requests as fit into one segment, oldest first, at least one.
  private mutating func takeBatch() -> [QueuedRequest] {
    var count = 0
    var taken = 0
    while count < waiting.count {
      let size = waiting[count].bytes
      if count > 0 && taken + size > settings.flushBytesMax { break }
      taken += size
      count += 1
    }
    let batch = Array(waiting[..<count])
    waiting.removeFirst(count)
    bytes -= taken
    rowCount -= batch.reduce(0) { $0 + $1.rows.count }
    return batch
  }
}
