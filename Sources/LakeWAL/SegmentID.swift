package import LakeModel
package import LakePorts

/// The place of one object in a lane. Sequence 0 is the lane's opening; segments and the tombstone follow.
package struct SegmentID: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let lane: LaneID
  package let sequence: Int

  package init(lane: LaneID, sequence: Int) {
    precondition(sequence >= 0)
    self.lane = lane
    self.sequence = sequence
  }

  /// The order in which copies of a request are preferred (DUP-4).
  package static func < (a: SegmentID, b: SegmentID) -> Bool {
    a.lane == b.lane ? a.sequence < b.sequence : a.lane < b.lane
  }
  package var description: String { "\(lane)/\(sequence)" }
}

/// Where the objects of the queue lie. Source: README.md, "Naming and gaps".
package struct QueueLayout: Hashable, Sendable {
  package let basePath: String

  package init(basePath: String) { self.basePath = basePath }
  package init(_ settings: QueueSettings) { self.init(basePath: settings.basePath) }

  /// `{base_path}/{topic}/`
  package func lanesPrefix(_ topic: Topic) -> String { "\(basePath)/\(topic.rawValue)/" }

  /// `{base_path}/{topic}/{lane}/{sequence:020}.parquet`
  package func key(_ topic: Topic, _ id: SegmentID) -> ObjectKey {
    let digits = String(id.sequence)
    let padding = String(repeating: "0", count: max(0, QueueLayout.sequenceDigits - digits.count))
    return ObjectKey(trusted: "\(lanesPrefix(topic))\(id.lane)/\(padding)\(digits).parquet")
  }

  /// - Returns: nil for a key that this layout does not make.
  package func segment(_ topic: Topic, _ key: ObjectKey) -> SegmentID? {
    let prefix = lanesPrefix(topic)
    guard key.text.hasPrefix(prefix), key.text.hasSuffix(".parquet") else { return nil }
    let parts = key.text.dropFirst(prefix.count).dropLast(".parquet".count).split(
      separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let lane = LaneID(parts[0]), parts[1].utf8.count == QueueLayout.sequenceDigits,
      parts[1].utf8.allSatisfy({ (48...57).contains($0) }), let sequence = Int(parts[1])
    else { return nil }
    return SegmentID(lane: lane, sequence: sequence)
  }

  /// `{base_path}/_fingerprints/{table}/`
  package func fingerprintsPrefix(_ table: String) -> String { "\(basePath)/_fingerprints/\(table)/" }

  package func fingerprints(_ table: String, _ name: String) -> ObjectKey {
    ObjectKey(trusted: "\(fingerprintsPrefix(table))\(name).fingerprints")
  }

  /// The name of a fingerprint object, out of its key.
  package func fingerprintsName(_ table: String, _ key: ObjectKey) -> String? {
    let prefix = fingerprintsPrefix(table)
    guard key.text.hasPrefix(prefix), key.text.hasSuffix(".fingerprints") else { return nil }
    return String(key.text.dropFirst(prefix.count).dropLast(".fingerprints".count))
  }

  static let sequenceDigits = 20
}
