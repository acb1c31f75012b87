package import LakeModel
package import LakePorts

/// The objects of one topic's lanes, as one listing showed them.
package struct LaneListing: Sendable {
  package struct Entry: Hashable, Sendable {
    package let sequence: Int
    /// Bytes.
    package let size: Int

    package init(sequence: Int, size: Int) {
      self.sequence = sequence
      self.size = size
    }
    package var isTombstone: Bool { LaneMark.isTombstone(size: size) }
  }

  package struct Lane: Sendable {
    package let id: LaneID
    package var hasOpening: Bool
    /// Segments and tombstone, ascending by sequence.
    package var entries: [Entry]

    package init(id: LaneID, hasOpening: Bool, entries: [Entry]) {
      self.id = id
      self.hasOpening = hasOpening
      self.entries = entries
    }

    /// What the listing shows at a sequence from 1 on.
    package func entry(at sequence: Int) -> Entry? {
      var low = 0
      var high = entries.count
      while low < high {
        let middle = (low + high) / 2
        if entries[middle].sequence < sequence { low = middle + 1 } else { high = middle }
      }
      return low < entries.count && entries[low].sequence == sequence ? entries[low] : nil
    }

    /// Adds what a listing that overlapped a write did not show.
    mutating func add(_ entry: Entry) {
      let index = entries.firstIndex { $0.sequence > entry.sequence } ?? entries.count
      entries.insert(entry, at: index)
    }
  }

  /// Ascending by id.
  package var lanes: [Lane]
  /// Keys below the topic's prefix that are no objects of a lane.
  package var strangers: [ObjectKey]

  package init(lanes: [Lane] = [], strangers: [ObjectKey] = []) {
    self.lanes = lanes
    self.strangers = strangers
  }

  /// - Parameter objects: ascending by key, as stores list them.
  package init(_ objects: [ObjectInfo], topic: Topic, layout: QueueLayout) {
    self.init()
    let prefix = layout.lanesPrefix(topic)
    for object in objects {
      guard let id = layout.segment(below: prefix, object.key) else {
        strangers.append(object.key)
        continue
      }
      if lanes.last?.id != id.lane { lanes.append(Lane(id: id.lane, hasOpening: false, entries: [])) }
      if id.sequence == 0 && object.size == LaneMark.opening.count {
        lanes[lanes.count - 1].hasOpening = true
      } else {
        lanes[lanes.count - 1].entries.append(Entry(sequence: id.sequence, size: object.size))
      }
    }
  }

  package func lane(_ id: LaneID) -> Lane? {
    var low = 0
    var high = lanes.count
    while low < high {
      let middle = (low + high) / 2
      if lanes[middle].id < id { low = middle + 1 } else { high = middle }
    }
    return low < lanes.count && lanes[low].id == id ? lanes[low] : nil
  }
}
