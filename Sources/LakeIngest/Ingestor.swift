import LakeModel
package import LakePorts
import LakeSchema
package import LakeWAL

/// Takes requests in, and acknowledges them once they are durable in the WAL.
///
/// One task runs `run`; any number call `ingest`. Rows wait in a bounded queue per topic; writers, one lane each, take
/// batches from it. What is decided is decided in `TopicQueue` and `DedupMemory`.
package actor Ingestor {
  private let ports: Ports
  private let settings: QueueSettings
  private var queues: [Topic: TopicQueue] = [:]
  private let wakeups: [Topic: [Wakeup]]
  private var memory: DedupMemory
  private var outstanding: [Int: Outstanding] = [:]
  /// Numbers in the order of their deadlines; settled ones are passed over.
  private var deadlines: [Int] = []
  private var lastNumber = 0
  private var bytesHeld = 0
  private let deadlineWakeup = Wakeup()
  private var phase = Phase.idle
  private var drainers: [CheckedContinuation<Void, Never>] = []
  package private(set) var counters = IngestCounters()
  private let instruments: IngestInstruments

  private enum Phase { case idle, running, draining, finished }

  /// A request without an outcome yet, and everyone who waits for it.
  private struct Outstanding {
    let topic: Topic
    let identity: RequestIdentity
    let received: ClockInstant
    let deadline: ClockInstant
    let bytes: Int
    let rowCount: Int
    var waiters: [CheckedContinuation<Result<IngestReceipt, IngestError>, Never>] = []
    var isDeduplicated: [Bool] = []
  }

  package init(ports: Ports, settings: QueueSettings = QueueSettings()) {
    self.ports = ports
    self.settings = settings
    memory = DedupMemory(capacity: settings.dedupEntriesMax)
    instruments = IngestInstruments(ports.metrics)
    var wakeups: [Topic: [Wakeup]] = [:]
    for topic in Topic.allCases where settings.tables[topic] != nil {
      queues[topic] = TopicQueue(settings: settings)
      wakeups[topic] = (0..<max(1, settings.lanesMax)).map { _ in Wakeup() }
    }
    self.wakeups = wakeups
  }

  // MARK: callers

  /// Returns when the rows are known to be durable, within `ackDelayMax` of the call (WAL-5).
  package func ingest(_ request: IngestRequest) async throws(IngestError) -> IngestReceipt {
    let received = ports.clock.now
    guard phase == .idle || phase == .running else { throw .draining }
    guard let table = settings.tables[request.topic], request.rows.schema == table.schema else {
      throw .unfit("rows of another schema than that of topic \(request.topic.rawValue)")
    }
    guard request.rows.count > 0 else { return IngestReceipt(isDeduplicated: false) }
    let bytes = request.rows.memoryBytes
    // WAL-3: a request lies whole in one segment.
    guard bytes <= settings.flushBytesMax else { throw .tooLarge(bytes: bytes, limit: settings.flushBytesMax) }
    // DUP-6
    let identity = settings.isDedupEnabled ? request.identity : .unique
    lastNumber += 1
    let number = lastNumber
    switch memory.receive(identity, topic: request.topic, number: number) {
    case .keyReused: throw .keyReused
    case .durable:
      counters.deduplicated += 1
      ports.journal.note(.debug, "ingest.repeated", [("topic", request.topic.rawValue)])
      instruments.of(request.topic).deduplicated.add()
      return IngestReceipt(isDeduplicated: true)
    case .inFlight(let first):
      if ports.hasPlanted(.acknowledgeInFlightRepeat) { return IngestReceipt(isDeduplicated: true) }
      ports.journal.note(.debug, "ingest.followed", [("topic", request.topic.rawValue)])
      return try await follow(first)
    case .new: break
    }
    let queued = QueuedRequest(
      number: number, rows: request.rows, fingerprint: identity.fingerprint, received: received, bytes: bytes)
    // WAL-7: a full queue is refused at once.
    guard bytesHeld + bytes <= settings.queueBytesMax, queues[request.topic]!.append(queued) else {
      memory.settle(identity, topic: request.topic, isDurable: false)
      counters.refused += 1
      ports.journal.note(.debug, "ingest.full", [("topic", request.topic.rawValue)])
      instruments.of(request.topic).refused.add()
      throw .queueFull
    }
    bytesHeld += bytes
    counters.bytesHeldMax = max(counters.bytesHeldMax, bytesHeld)
    outstanding[number] = Outstanding(
      topic: request.topic, identity: identity, received: received,
      deadline: received.advanced(by: settings.ackDelayMax), bytes: bytes, rowCount: request.rows.count)
    instruments.bytesHeld.set(Double(bytesHeld))
    if deadlines.isEmpty { deadlineWakeup.wake() }
    deadlines.append(number)
    wakeNextWriter(request.topic)
    return try await outcome(of: number, isDeduplicated: false).get()
  }

  /// DUP-3: a repeat of a request in flight waits for that outcome and shares it.
  private func follow(_ first: Int) async throws(IngestError) -> IngestReceipt {
    guard let leader = outstanding[first], leader.waiters.count < settings.channelCapacity else {
      counters.refused += 1
      throw .queueFull
    }
    return try await outcome(of: first, isDeduplicated: true).get()
  }

  private func outcome(of number: Int, isDeduplicated: Bool) async -> Result<IngestReceipt, IngestError> {
    // The body runs before anything else happens on this actor: the request cannot have been settled yet.
    await withCheckedContinuation { continuation in
      outstanding[number]!.waiters.append(continuation)
      outstanding[number]!.isDeduplicated.append(isDeduplicated)
    }
  }

  /// Refuses new requests, writes those that wait, ends the lanes, and returns when all that is done. `run` returns then.
  package func drain() async {
    switch phase {
    case .finished: return
    case .idle:
      phase = .finished
      settleAll(.draining)
    case .running, .draining:
      phase = .draining
      for topic in wakeups.keys.sorted() { for wakeup in wakeups[topic]! { wakeup.wake() } }
      await withCheckedContinuation { drainers.append($0) }
    }
  }

  // MARK: writing

  /// Writes what is ingested, until `drain` or cancellation; to be called once.
  package func run() async {
    guard phase == .idle else { return }
    phase = .running
    await withTaskGroup(of: Void.self) { group in
      let watch = group.addTaskUnlessCancelled { await self.watchDeadlines() }
      guard watch else { return }
      await withTaskGroup(of: Void.self) { writers in
        for topic in wakeups.keys.sorted() {
          for writer in wakeups[topic]!.indices {
            writers.addTask { await self.work(topic, writer: writer) }
          }
        }
      }
      group.cancelAll()
    }
    phase = .finished
    settleAll(.draining)
    for drainer in drainers { drainer.resume() }
    drainers = []
  }

  private enum Work: Sendable {
    case write([QueuedRequest])
    case endLane
    case stop
  }

  /// One writer: batches into its lane, one after another.
  private nonisolated func work(_ topic: Topic, writer: Int) async {
    let lane = LaneWriter(ports: ports, settings: settings, topic: topic)
    while !Task.isCancelled {
      let openedAt = await lane.openedAt
      switch await nextWork(topic, writer, laneEnd: openedAt?.advanced(by: settings.laneAgeMax)) {
      case .write(let batch):
        await write(batch, topic, lane)
        await lane.endAbandoned()
      case .endLane: await lane.endLane()
      case .stop:
        await lane.endLane()
        return
      }
    }
  }

  /// - Parameter laneEnd: when the writer's lane is too old to go on (WAL-6).
  private func nextWork(_ topic: Topic, _ writer: Int, laneEnd: ClockInstant?) async -> Work {
    defer {
      queues[topic]!.leave(writer: writer)
      // What still waits is now the next writer's.
      if queues[topic]!.count > 0 { wakeNextWriter(topic) }
    }
    while !Task.isCancelled {
      let now = ports.clock.now
      if let laneEnd, now >= laneEnd { return .endLane }
      switch queues[topic]!.decide(writer: writer, isDraining: phase == .draining, now: now) {
      case .write(let batch): return .write(batch)
      case .stop: return .stop
      case .wait(let until):
        let deadline = [until, laneEnd].compactMap { $0 }.min()
        await wakeups[topic]![writer].wait(until: deadline, on: ports.clock)
      }
    }
    return .stop
  }

  private func wakeNextWriter(_ topic: Topic) {
    if let writer = queues[topic]!.nextWriter { wakeups[topic]![writer].wake() }
  }

  /// Encodes and writes one batch, and settles its requests.
  private nonisolated func write(_ batch: [QueuedRequest], _ topic: Topic, _ lane: LaneWriter) async {
    let began = ports.clock.now
    await writeUntraced(batch, topic, lane)
    // Exported to this very lake, a span of writing spans would bring forth the next.
    guard topic != .spans else { return }
    ports.tracer?.record(
      "wal.write \(topic.rawValue)", began: began,
      [
        ("icegate.requests", .number(batch.count)),
        ("icegate.rows", .number(batch.reduce(0) { $0 + $1.rows.count })),
      ])
  }

  private nonisolated func writeUntraced(_ batch: [QueuedRequest], _ topic: Topic, _ lane: LaneWriter) async {
    var requests = batch
    var encoded: EncodedSegment?
    while true {
      let inTime = await dropExpired(requests)
      if inTime.count != requests.count { encoded = nil }
      requests = inTime
      guard let deadline = requests.map(\.received).max()?.advanced(by: settings.ackDelayMax) else { return }
      let segment: EncodedSegment
      do throws(WALError) {
        if let encoded { segment = encoded } else { segment = try encode(requests, topic) }
      } catch {
        ports.journal.note(.error, "ingest.unfit", [("topic", topic.rawValue), ("error", "\(error)")])
        return await settle(requests, .failure(.unfit("\(error)")))
      }
      if encoded == nil {
        // Encoding may have taken long: WAL-5 lets nothing late into a lane.
        encoded = segment
        continue
      }
      if ports.hasPlanted(.acknowledgeBeforePut) {
        await settle(requests, .success(IngestReceipt(isDeduplicated: false)))
      }
      switch await lane.write(segment, deadline: deadline) {
      case .durable(let id):
        await settleDurable(requests, segment, id)
        return
      case .notWritten(let message): return await giveUp(requests, topic, message)
      case .elsewhere: continue
      // WAL-4: the rows go nowhere else; whether they are there, only a repeat can make sure of.
      case .unknown: return await giveUp(requests, topic, "the outcome of the write is not known")
      }
    }
  }

  private nonisolated func encode(_ requests: [QueuedRequest], _ topic: Topic) throws(WALError) -> EncodedSegment {
    try SegmentEncoder.encode(
      requests.map { SegmentRequest(batch: $0.rows, fingerprint: $0.fingerprint) }, topic: topic,
      contentID: ContentID(high: ports.random.next(), low: ports.random.next()), settings: settings)
  }

  // MARK: outcomes

  /// Callers hear that they may try again; why it came to this is for who runs the service.
  private func giveUp(_ requests: [QueuedRequest], _ topic: Topic, _ why: String) {
    ports.journal.note(
      .warning, "ingest.failed", [("topic", topic.rawValue), ("requests", "\(requests.count)"), ("why", why)])
    settle(requests, .failure(.notAcknowledged(why)))
  }

  /// WAL-5: what was received too long ago enters no lane. - Returns: the others.
  private func dropExpired(_ requests: [QueuedRequest]) -> [QueuedRequest] {
    if ports.hasPlanted(.acknowledgeLate) { return requests }
    let now = ports.clock.now
    return requests.filter { request in
      if now < request.received.advanced(by: settings.ackDelayMax), outstanding[request.number] != nil { return true }
      ports.journal.note(.debug, "ingest.expired", [("request", "\(request.number)")])
      settle(request.number, .failure(.notAcknowledged("not written in time")))
      return false
    }
  }

  private func settleDurable(_ requests: [QueuedRequest], _ segment: EncodedSegment, _ id: SegmentID) {
    let now = ports.clock.now
    counters.segments += 1
    counters.segmentBytes += segment.bytes.count
    let instruments = instruments.of(segment.metadata.topic)
    instruments.segments.add()
    instruments.segmentBytes.add(segment.bytes.count)
    ports.journal.note(
      .debug, "wal.segment",
      [
        ("segment", "\(id)"), ("requests", "\(requests.count)"), ("rows", "\(segment.metadata.rowCount)"),
        ("bytes", "\(segment.bytes.count)"),
      ])
    for request in requests {
      // WAL-5: known durable, but too late to say so.
      let isLate = now > request.received.advanced(by: settings.ackDelayMax) && !ports.hasPlanted(.acknowledgeLate)
      if isLate { ports.journal.note(.debug, "ingest.late", [("request", "\(request.number)")]) }
      settle(
        request.number,
        isLate ? .failure(.notAcknowledged("durable too late")) : .success(IngestReceipt(isDeduplicated: false)))
    }
  }

  private func settle(_ requests: [QueuedRequest], _ result: Result<IngestReceipt, IngestError>) {
    for request in requests { settle(request.number, result) }
  }

  private func settle(_ number: Int, _ result: Result<IngestReceipt, IngestError>) {
    guard let settled = outstanding.removeValue(forKey: number) else { return }
    bytesHeld -= settled.bytes
    instruments.bytesHeld.set(Double(bytesHeld))
    var isDurable = false
    if case .success = result { isDurable = true }
    memory.settle(
      settled.identity, topic: settled.topic, isDurable: isDurable || ports.hasPlanted(.rememberFailed))
    let instruments = instruments.of(settled.topic)
    if isDurable {
      instruments.rows.add(settled.rowCount)
      let delay = settled.received.duration(to: ports.clock.now)
      instruments.acknowledgeSeconds.observe(Double(delay.nanoseconds) / 1e9)
    }
    for (waiter, isDeduplicated) in zip(settled.waiters, settled.isDeduplicated) {
      if isDurable { counters.acknowledged += 1 } else { counters.failed += 1 }
      if isDurable && isDeduplicated { counters.deduplicated += 1 }
      (isDurable ? (isDeduplicated ? instruments.deduplicated : instruments.acknowledged) : instruments.failed).add()
      waiter.resume(returning: result.map { _ in IngestReceipt(isDeduplicated: isDeduplicated) })
    }
  }

  private func settleAll(_ error: IngestError) {
    for number in outstanding.keys.sorted() { settle(number, .failure(error)) }
    for topic in queues.keys { queues[topic]!.remove { _ in true } }
  }

  // MARK: deadlines

  /// WAL-5: nobody waits longer than `ackDelayMax`, whatever the store does.
  private func watchDeadlines() async {
    while !Task.isCancelled {
      let next = ports.hasPlanted(.acknowledgeLate) ? nil : settleExpired()
      await deadlineWakeup.wait(until: next, on: ports.clock)
    }
  }

  /// - Returns: the next deadline.
  private func settleExpired() -> ClockInstant? {
    let now = ports.clock.now
    var passed = 0
    defer { deadlines.removeFirst(passed) }
    for number in deadlines {
      guard let request = outstanding[number] else {
        passed += 1
        continue
      }
      guard now >= request.deadline else { return request.deadline }
      passed += 1
      queues[request.topic]!.remove { $0.number == number }
      settle(number, .failure(.notAcknowledged("not durable within \(settings.ackDelayMax)")))
    }
    return nil
  }
}

/// What an ingestor has done in its life.
package struct IngestCounters: Hashable, Sendable {
  package var acknowledged = 0
  package var deduplicated = 0
  package var failed = 0
  package var refused = 0
  package var segments = 0
  package var segmentBytes = 0
  package var bytesHeldMax = 0
}
