import LakeIngest
import LakeModel
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL

/// What a node runs.
struct Roles: OptionSet {
  let rawValue: Int
  static let ingest = Roles(rawValue: 1)
  static let shift = Roles(rawValue: 2)
  static let read = Roles(rawValue: 4)
}

/// A request on its way to a node, and the answer.
struct IngestCall: Sendable {
  let number: RequestNumber
  let request: IngestRequest
}

enum IngestAnswer: Sendable {
  case acknowledged
  /// 503: worth another try.
  case refused
  /// 413, 422, 400: never.
  case rejected(String)
}

typealias IngestDoor = Mailbox<IngestCall, IngestAnswer>

extension Lake {
  /// Starts a node that runs the production engines of its roles, life after life.
  @discardableResult
  func start(_ name: String, _ roles: Roles) -> Node {
    world.start(name) { [self] ports, life in
      let cache = WALCache(footersMax: settings.queue.footersCachedMax, fingerprintObjectsMax: 4)
      await withTaskGroup(of: Void.self) { group in
        if roles.contains(.ingest) { group.addTask { await self.ingest(ports, life) } }
        if roles.contains(.shift) {
          for table in self.tables { group.addTask { await self.shift(table, ports, life, cache) } }
        }
        if roles.contains(.read) { group.addTask { await self.readForever(ports, life, cache) } }
        await group.waitForAll()
      }
    }
  }

  /// Serves clients until the node is asked to stop; then drains.
  private func ingest(_ ports: Ports, _ life: Life) async {
    let ingestor = Ingestor(ports: ports, settings: settings.queue)
    let serving = ServingIngestor(engine: ingestor, clock: ports.clock)
    let door: IngestDoor = life.mailbox()
    doors[life.node] = door
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      group.addTask {
        await withDiscardingTaskGroup { calls in
          while let call = await door.next() { calls.addTask { await self.serve(call, serving, life) } }
        }
      }
      await life.stopped()
      door.close()
      if !life.isFenced { await ingestor.drain() }
      await group.waitForAll()
    }
    let held = await ingestor.counters.bytesHeldMax
    if held > settings.queue.queueBytesMax {
      world.simulation.fail(.memoryIsBounded, "\(life) held \(held) bytes of \(settings.queue.queueBytesMax)")
    }
  }

  private func serve(_ call: IngestDoor.Call, _ ingestor: ServingIngestor, _ life: Life) async {
    let number = call.question.number
    let (received, pauses) = (ingestor.now, life.executor.pauses)
    ledger.handle(number, begins: true, now: life.scheduler.now)
    defer { ledger.handle(number, begins: false, now: life.scheduler.now) }
    do throws(IngestError) {
      _ = try await ingestor.engine.ingest(call.question.request)
      judgeDelay(received.duration(to: ingestor.now), isTold: pauses == life.executor.pauses, life)
      call.answer(.acknowledged)
    } catch {
      switch error {
      case .queueFull, .notAcknowledged, .draining, .shortOfMemory, .rateLimited: call.answer(.refused)
      case .tooLarge, .keyReused, .unfit, .manyDays: call.answer(.rejected("\(error)"))
      }
    }
  }

  /// WAL-5, by the node's own clock. Nothing but a pause may come between the engine's decision and the answer.
  private func judgeDelay(_ delay: Duration, isTold: Bool, _ life: Life) {
    guard isTold, delay > settings.queue.ackDelayMax else { return }
    world.simulation.fail(
      .acknowledgedInTime, "\(life) acknowledges after \(delay), at most \(settings.queue.ackDelayMax) are allowed")
  }

  private func shift(_ table: LakeTable, _ ports: Ports, _ life: Life, _ cache: WALCache) async {
    let runner = ShiftRunner(
      ports: ports, settings: settings.shift, table: table,
      derivation: table.name == LakeTable.events.name ? EventRows() : SameRows(), consumers: tables, cache: cache)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await runner.run() }
      await life.stopped()
      group.cancelAll()
    }
  }
}

/// An ingestor and the clock it reads.
private struct ServingIngestor: Sendable {
  let engine: Ingestor
  let clock: any LakeClock
  var now: ClockInstant { clock.now }
}
