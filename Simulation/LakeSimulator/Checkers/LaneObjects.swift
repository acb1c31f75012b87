import LakeModel
import LakePorts

/// WAL-1, WAL-2, WAL-6: what may happen to the objects of a lane, as the store sees it.
///
/// Written against the names and sizes that SPEC fixes, without the engine's code: `{base}/{topic}/{lane}/{sequence:020}.parquet`,
/// an empty opening at 0, a tombstone of 16 bytes. It does not see what is in a segment.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class LaneObjects: @unchecked Sendable {
  struct Place: Hashable, CustomStringConvertible {
    /// Everything before the sequence: base path, topic and lane.
    let lane: String
    let sequence: Int

    init?(_ key: ObjectKey, basePath: String) {
      let bytes = key.text.utf8
      // {sequence:020}.parquet
      guard key.text.hasPrefix(basePath), key.text.hasSuffix(".parquet"), bytes.count > basePath.utf8.count + 30 else {
        return nil
      }
      let slash = bytes.index(bytes.endIndex, offsetBy: -29)
      let afterBase = bytes.index(bytes.startIndex, offsetBy: basePath.utf8.count)
      guard bytes[slash] == UInt8(ascii: "/"), bytes[afterBase] == UInt8(ascii: "/"),
        bytes[bytes.index(after: afterBase)] != UInt8(ascii: "_"),
        let sequence = Int(key.text[bytes.index(after: slash)..<bytes.index(slash, offsetBy: 21)])
      else { return nil }
      lane = String(key.text[..<slash])
      self.sequence = sequence
    }

    var description: String { "\(lane)/\(sequence)" }
  }

  private struct Lane {
    var writer: Life?
    var hasOpening = false
    /// The lowest sequence at which no segment has stood yet.
    var next = 1
    var end: Int?
  }

  static let tombstoneBytes = 16

  private let simulation: Simulation
  private let basePath: String
  private var lanes: [String: Lane] = [:]

  init(_ world: World, basePath: String) {
    simulation = world.simulation
    self.basePath = basePath
    world.cloud.afterPut.append { [unowned self] key, bytes, condition, life in
      if let place = Place(key, basePath: basePath) { put(place, bytes, condition, life) }
    }
  }

  private func put(_ place: Place, _ bytes: Bytes, _ condition: PutCondition, _ life: Life) {
    guard condition == .ifAbsent else {
      return simulation.fail(.segmentNeverChanges, "\(place) was put without if-absent by \(life)")
    }
    var lane = lanes[place.lane] ?? Lane()
    defer { lanes[place.lane] = lane }
    if place.sequence == 0 && bytes.isEmpty {
      lane.hasOpening = true
      own(&lane, place, life)
    } else if bytes.count == LaneObjects.tombstoneBytes {
      // Anybody may end a lane. One that lands before a segment that is still on its way keeps that segment out.
      if lane.end == nil && place.sequence >= lane.next { lane.end = place.sequence }
    } else {
      own(&lane, place, life)
      // Below `next` something stood and was deleted: what lands there again is past for every table.
      if place.sequence > lane.next && lane.end == nil {
        simulation.fail(.laneIsUnbroken, "\(place) landed while nothing has ever stood at \(lane.next)")
      }
      lane.next = max(lane.next, place.sequence + 1)
    }
  }

  private func own(_ lane: inout Lane, _ place: Place, _ life: Life) {
    if let writer = lane.writer, writer !== life {
      simulation.fail(.laneHasOneWriter, "\(place) was written by \(life), the lane is \(writer)'s")
    }
    lane.writer = life
  }

  var laneCount: Int { lanes.count }
}
