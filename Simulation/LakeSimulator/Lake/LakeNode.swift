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
    let door: IngestDoor = life.mailbox()
    doors[life.node] = door
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await ingestor.run() }
      group.addTask {
        await withDiscardingTaskGroup { calls in
          while let call = await door.next() { calls.addTask { await self.serve(call, ingestor, life) } }
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

  private func serve(_ call: IngestDoor.Call, _ ingestor: Ingestor, _ life: Life) async {
    let number = call.question.number
    ledger.handle(number, begins: true, now: life.scheduler.now)
    defer { ledger.handle(number, begins: false, now: life.scheduler.now) }
    do throws(IngestError) {
      _ = try await ingestor.ingest(call.question.request)
      call.answer(.acknowledged)
    } catch {
      switch error {
      case .queueFull, .notAcknowledged, .draining: call.answer(.refused)
      case .tooLarge, .keyReused, .unfit: call.answer(.rejected("\(error)"))
      }
    }
  }

  private func shift(_ table: LakeTable, _ ports: Ports, _ life: Life, _ cache: WALCache) async {
    let runner = ShiftRunner(
      ports: ports, settings: settings.shift, table: table, consumers: tables, cache: cache)
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await runner.run() }
      await life.stopped()
      group.cancelAll()
    }
  }
}
