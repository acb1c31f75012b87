import LakeIngest
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL
import Testing

@Suite struct TopicQueueTests {
  private var settings: QueueSettings {
    var settings = QueueSettings()
    settings.channelCapacity = 4
    settings.rowGroupRowsMax = 100
    settings.flushBytesMax = 1000
    settings.flushDelayMax = .milliseconds(200)
    settings.flushQuietRows = 50
    settings.flushQuietBytes = 500
    settings.flushQuietDelay = .milliseconds(5)
    return settings
  }

  private func at(_ milliseconds: Int64) -> ClockInstant { ClockInstant(nanoseconds: milliseconds * 1_000_000) }

  private func request(_ number: Int, rows: Int = 1, bytes: Int = 10, at milliseconds: Int64 = 0) -> QueuedRequest {
    QueuedRequest(
      number: number, rows: ColumnBatch(schema: Schema(id: 0, fields: []), columns: [], count: rows), fingerprint: nil,
      received: at(milliseconds), bytes: bytes)
  }

  private func numbers(_ decision: TopicQueue.Decision) -> [Int]? {
    if case .write(let batch) = decision { batch.map(\.number) } else { nil }
  }

  private func waitsUntil(_ decision: TopicQueue.Decision) -> ClockInstant?? {
    if case .wait(let until) = decision { .some(until) } else { .none }
  }

  @Test("a batch is written when its oldest request is old enough")
  func age() {
    var queue = TopicQueue(settings: settings)
    #expect(waitsUntil(queue.decide(writer: 0, isDraining: false, now: at(0))) == .some(nil))
    #expect(queue.append(request(1, at: 10)) == true)
    #expect(queue.append(request(2, at: 50)) == true)
    #expect(waitsUntil(queue.decide(writer: 0, isDraining: false, now: at(50))) == .some(at(210)))
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(210))) == [1, 2])
    #expect(queue.count == 0)
  }

  @Test("rows or bytes enough are written at once")
  func sizes() {
    var queue = TopicQueue(settings: settings)
    #expect(queue.append(request(1, rows: 99)) == true)
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(1))) == nil)
    #expect(queue.append(request(2, rows: 1)) == true)
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(1))) == [1, 2])
    #expect(queue.append(request(3, bytes: 1000)) == true)
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(1))) == [3])
  }

  @Test("rows that are worth a segment are written once nobody sends any more")
  func quiet() {
    var queue = TopicQueue(settings: settings)
    #expect(queue.append(request(1, rows: 49, at: 0)) == true)
    #expect(waitsUntil(queue.decide(writer: 0, isDraining: false, now: at(1))) == .some(at(200)))
    #expect(queue.append(request(2, rows: 1, at: 3)) == true)
    #expect(waitsUntil(queue.decide(writer: 0, isDraining: false, now: at(4))) == .some(at(8)))
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(8))) == [1, 2])
  }

  @Test("a few long rows that are worth a segment too")
  func quietBytes() {
    var queue = TopicQueue(settings: settings)
    #expect(queue.append(request(1, bytes: 499, at: 0)) == true)
    #expect(waitsUntil(queue.decide(writer: 0, isDraining: false, now: at(1))) == .some(at(200)))
    #expect(queue.append(request(2, bytes: 1, at: 3)) == true)
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(8))) == [1, 2])
  }

  @Test("a batch takes what fits into a segment, and never nothing")
  func batchSize() {
    var queue = TopicQueue(settings: settings)
    for number in 1...3 { #expect(queue.append(request(number, bytes: 600)) == true) }
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(0))) == [1])
    #expect(numbers(queue.decide(writer: 1, isDraining: false, now: at(200))) == [2])
    #expect(numbers(queue.decide(writer: 1, isDraining: false, now: at(200))) == [3])
  }

  @Test("a full queue refuses")
  func full() {
    var queue = TopicQueue(settings: settings)
    for number in 1...4 { #expect(queue.append(request(number)) == true) }
    #expect(queue.append(request(5)) == false)
    queue.remove { $0.number == 2 }
    #expect(queue.append(request(6)) == true)
    #expect(numbers(queue.decide(writer: 0, isDraining: true, now: at(0))) == [1, 3, 4, 6])
  }

  @Test("the waiting writer with the lowest number gets the batch")
  func lowestWriter() {
    var queue = TopicQueue(settings: settings)
    for writer in 0..<3 { _ = queue.decide(writer: writer, isDraining: false, now: at(0)) }
    #expect(queue.append(request(1, rows: 100)) == true)
    #expect(queue.nextWriter == 0)
    #expect(waitsUntil(queue.decide(writer: 1, isDraining: false, now: at(0))) == .some(nil))
    #expect(numbers(queue.decide(writer: 0, isDraining: false, now: at(0))) == [1])
    #expect(queue.nextWriter == 1)
    queue.leave(writer: 1)
    #expect(queue.nextWriter == 2)
  }

  @Test("draining writes what waits, and stops everybody else")
  func draining() {
    var queue = TopicQueue(settings: settings)
    for writer in 0..<2 { _ = queue.decide(writer: writer, isDraining: false, now: at(0)) }
    #expect(queue.append(request(1)) == true)
    guard case .stop = queue.decide(writer: 1, isDraining: true, now: at(0)) else {
      Issue.record("writer 1 goes on")
      return
    }
    #expect(numbers(queue.decide(writer: 0, isDraining: true, now: at(0))) == [1])
    guard case .stop = queue.decide(writer: 0, isDraining: true, now: at(0)) else {
      Issue.record("writer 0 goes on")
      return
    }
  }
}
