import LakeModel
import LakePorts
import LakeWAL

extension Lake {
  /// Somebody who ends lanes whose writers live (WAL-6), by what it saw a while ago: a shift of another replica whose
  /// clock runs fast, an operator.
  func unleashSealer() {
    let life = world.simulation.life(of: "sealer")
    let ports = world.ports(for: life)
    let random = LifeRandomness(world.simulation.random.fork("sealer"))
    life.start { [self] in
      while world.simulation.faults.isActive {
        do { try await ports.clock.sleep(for: .milliseconds(random.uniform(500..<10_000))) } catch { return }
        guard world.simulation.faults.occurs(.laneSealed), let end = openEnds.randomElement(random) else { continue }
        if random.uniform(0..<2) == 0 {
          do { try await ports.clock.sleep(for: .milliseconds(random.uniform(1..<20_000))) } catch { return }
        }
        _ = try? await ports.store.put(end, Bytes("icegate-lane-end"), condition: .ifAbsent)
      }
    }
  }

  /// Tombstones at one place of every lane there is, where nothing stands: by somebody who last looked long ago.
  func endLanes(at sequence: Int) {
    var places: Set<String> = []
    for key in world.peekKeys() {
      if let place = LaneObjects.Place(key, basePath: settings.queue.basePath) { places.insert(place.lane) }
    }
    for lane in places.sorted() {
      _ = world.cloud.put(Lake.key(lane, sequence), Bytes("icegate-lane-end"), .ifAbsent, by: world.story)
    }
  }

  private static func key(_ lane: String, _ sequence: Int) -> ObjectKey {
    let digits = String(sequence)
    return ObjectKey(trusted: "\(lane)/\(String(repeating: "0", count: 20 - digits.count))\(digits).parquet")
  }

  /// Where the next object of each lane without tombstone would go.
  private var openEnds: [ObjectKey] {
    var ends: [String: Int] = [:]
    for key in world.peekKeys() {
      guard let place = LaneObjects.Place(key, basePath: settings.queue.basePath), let bytes = world.peek(key)
      else { continue }
      let isEnd = bytes.count == LaneObjects.tombstoneBytes
      ends[place.lane] = isEnd ? Int.max : max(ends[place.lane] ?? 0, place.sequence + 1)
    }
    return ends.filter { $0.value != Int.max }.sorted { $0.key < $1.key }.map { Lake.key($0, $1) }
  }
}

extension Array {
  fileprivate func randomElement(_ random: LifeRandomness) -> Element? {
    isEmpty ? nil : self[random.uniform(0..<count)]
  }
}
