import LakeModel
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL

extension Lake {
  /// What no store does to what it answered for, and disks do all the same.
  func damage(_ key: ObjectKey, vanishes: Bool, _ random: inout SeededRandom) {
    guard let bytes = world.peek(key) else { return }
    world.simulation.journal.note("damaged", life: nil, at: world.simulation.scheduler.now, [("key", key.text)])
    world.cloud.objects.delete(key)
    if vanishes { return }
    // The footer is at the end: half of the time it is hit, else some page.
    var rotten = bytes.array
    let start = random.chance(0.5) ? rotten.count - 12 : 4 + random.uniform(0..<24)
    for index in start..<min(start + 8, rotten.count) { rotten[index] ^= 0x5a }
    _ = try? world.cloud.objects.put(key, Bytes(rotten), condition: .ifAbsent, modified: 0)
  }

  /// SHF-5, SHF-6: what could not be taken is told in the state, and nothing else is.
  func judgeQuarantine(_ key: ObjectKey) {
    guard let place = LaneObjects.Place(key, basePath: settings.queue.basePath),
      let lane = place.lane.split(separator: "/").last,
      let state = world.catalog.table(TableIdentifier(.logs))?.metadata.properties[ObservedState.property]
    else { return }
    let quarantined = ObservedState(text: state)?.quarantined ?? []
    let wanted = "\(lane)/\(place.sequence)"
    if quarantined != [wanted] {
      world.simulation.fail(.damageIsTold, "in quarantine: \(quarantined), damaged: \(wanted)")
    }
  }

  /// An operator gives the damaged segment up: it leaves the state, and its object goes.
  func giveUp(_ key: ObjectKey) async throws {
    guard let id = QueueLayout(settings.queue).segment(.logs, key) else { return }
    let desk = QuarantineDesk(ports: world.ports(for: world.story), settings: settings.shift, table: settings.logs)
    let given = try await desk.giveUp([id])
    if given.map(\.segment) != [id] { world.simulation.fail(.damageIsTold, "gave up \(given.map(\.text)), not \(id)") }
    world.restsWhen { [unowned self] in
      let names = progress.state(of: TableIdentifier(.logs))?.quarantined ?? []
      if !names.isEmpty { return "in quarantine after they were given up: \(names)" }
      return world.peek(key) == nil ? nil : "\(key) was given up and is still there"
    }
    try await world.settle(within: .seconds(600))
  }
}
