import LakeIngest
import LakeModel
import LakePorts
import LakeSchema
import LakeWAL

/// How clients behave in a run.
struct ClientHabits: Sendable {
  /// Rows of a request.
  var rows = 1...4
  /// Between two requests of one client.
  var pause: ClosedRange<Duration> = .milliseconds(10)...(.seconds(20))
  /// Part of the requests that a repeat can be recognised of.
  var fingerprinted = 0.85
  /// Part of the acknowledged requests that are sent once more all the same.
  var stubborn = 0.15
  /// How long a client waits for an answer before it asks again; nil: until no answer can come any more. Impatient ones
  /// repeat what is still in flight.
  var patience: Duration?
}

extension Lake {
  /// Clients that send until `end`, and return when each request is acknowledged or given up.
  func runClients(_ count: Int, until end: Duration, _ wanted: ClientHabits? = nil) async {
    let habits = wanted ?? habits
    await withTaskGroup(of: Void.self) { group in
      for index in 0..<count {
        group.addTask {
          var random = self.world.simulation.random.fork("client", index)
          while self.world.now < end {
            await self.sendOne(habits, &random)
            await self.world.sleep(for: random.logarithmic(habits.pause))
          }
        }
      }
    }
  }

  /// One request of chance, tried until it is acknowledged or given up.
  func sendOne(_ habits: ClientHabits, _ random: inout SeededRandom) async {
    let tenant = random.pick(tenants)
    let number = make(
      rows: random.uniform(habits.rows), tenant: tenant, hasFingerprint: random.chance(habits.fingerprinted))
    await deliver(number, account: random.chance(0.2) ? AccountID("account") : nil, habits, &random)
  }

  /// Enters a request into the model.
  func make(rows: Int, tenant: TenantID, hasFingerprint: Bool = true) -> RequestNumber {
    ledger.add(
      tenant: tenant, rowCount: rows, hasFingerprint: hasFingerprint, now: world.simulation.scheduler.now)
  }

  /// The bytes of a request: the same each time it is sent.
  func call(_ number: RequestNumber, account: AccountID? = nil) -> IngestCall {
    let request = ledger[number]
    // Most rows of one day, some of the next, so that requests span partitions.
    let epoch = Int64(JumpingWallClock.epoch / 1000)
    let times = (0..<request.rowCount).map { row in
      epoch + Int64((number.value * 7 + row) % 9 == 0 ? 86_400_000_000 : 0) + Int64(number.value * 1000 + row)
    }
    return IngestCall(
      number: number,
      request: IngestRequest(
        topic: .logs,
        rows: LogRows.batch(
          number, schema: settings.logs.schema, tenant: request.tenant, account: account, microseconds: times),
        identity: request.hasFingerprint
          ? RequestIdentity(
            tenant: request.tenant, account: account, door: "otlp/logs", idempotencyKey: nil,
            body: Bytes("\(number)"), hasRecordWithoutTime: false) : .unique))
  }

  /// Sends to nodes of chance until the request is acknowledged, or half the window has passed, in which repeats are safe.
  func deliver(
    _ number: RequestNumber, account: AccountID? = nil, _ habits: ClientHabits, _ random: inout SeededRandom
  ) async {
    clientsAtWork += 1
    defer { clientsAtWork -= 1 }
    let call = call(number, account: account)
    let patience = habits.patience ?? settings.queue.ackDelayMax * 2 + .seconds(5)
    while true {
      let answer = doors.isEmpty ? nil : await send(call, to: random.pick(doors.keys.sorted()), patience: patience)
      switch answer {
      case .acknowledged where !random.chance(habits.stubborn): return
      case .rejected(let why):
        world.simulation.fail(.ackedRowOnce, "\(number) was refused for good: \(why)")
        return
      case .acknowledged, .refused, nil: break
      }
      guard ledger[number].hasFingerprint else { return }
      await world.sleep(for: random.logarithmic(.milliseconds(20)...(.seconds(20))))
      let age = world.simulation.scheduler.now - ledger[number].firstSent
      if age > settings.queue.dedupWindow.nanoseconds / 2 - patience.nanoseconds { return }
    }
  }

  /// Sends once. - Returns: nil when no answer came.
  func send(_ call: IngestCall, to node: String, patience: Duration) async -> IngestAnswer? {
    guard let door = doors[node] else { return nil }
    ledger[call.number].sendings += 1
    let answer = await world.ask(door, call, patience: patience)
    if case .acknowledged = answer {
      ledger.acknowledge(call.number, now: world.simulation.scheduler.now)
    }
    return answer
  }
}
