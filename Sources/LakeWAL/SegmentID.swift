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
    segment(below: lanesPrefix(topic), key)
  }

  /// - Parameter prefix: of the topic's lanes.
  func segment(below prefix: String, _ key: ObjectKey) -> SegmentID? {
    var text = key.text
    let start = prefix.utf8.count
    guard text.utf8.count == start + QueueLayout.nameBytes, text.hasPrefix(prefix) else { return nil }
    return text.withUTF8 { bytes in
      let name = UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(bytes)[start...])
      guard let lane = LaneID(digits: UnsafeRawBufferPointer(rebasing: name[..<32])), name[32] == UInt8(ascii: "/"),
        name[53...].elementsEqual(QueueLayout.suffix.utf8)
      else { return nil }
      var sequence = 0
      for digit in name[33..<53] {
        guard (48...57).contains(digit) else { return nil }
        let (tens, isTooLarge) = sequence.multipliedReportingOverflow(by: 10)
        let (sum, overflows) = tens.addingReportingOverflow(Int(digit) - 48)
        if isTooLarge || overflows { return nil }
        sequence = sum
      }
      return SegmentID(lane: lane, sequence: sequence)
    }
  }

  private static let suffix = ".parquet"
  /// Lane, slash, sequence, suffix.
  private static let nameBytes = 32 + 1 + sequenceDigits + 8

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
