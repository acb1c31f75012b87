/// How large one record of a tenant may be. nil: as large as the request lets it.
package struct RecordLimits: Hashable, Sendable {
  package enum OnExcess: Hashable, Sendable {
    /// Texts are cut and marked, surplus attributes left out and added to the dropped count.
    case truncate
    /// The record is left out and counted in the partial success.
    case reject
  }

  /// Attributes of one resource, scope, record, span event, link or exemplar.
  package var attributesMax: Int?
  /// Bytes of an attribute's key, and of its value: texts as they are, everything else as protobuf.
  package var attributeBytesMax: Int?
  /// Bytes of a log record's body, likewise.
  package var bodyBytesMax: Int?
  package var onExcess = OnExcess.truncate

  package init(
    attributesMax: Int? = nil, attributeBytesMax: Int? = nil, bodyBytesMax: Int? = nil, onExcess: OnExcess = .truncate
  ) {
    self.attributesMax = attributesMax
    self.attributeBytesMax = attributeBytesMax
    self.bodyBytesMax = bodyBytesMax
    self.onExcess = onExcess
  }

  package static let none = RecordLimits()

  var areNone: Bool { attributesMax == nil && attributeBytesMax == nil && bodyBytesMax == nil }
}

/// What was done to the records of a request that went over a limit.
package struct Excess: Hashable, Sendable {
  package var cutAttributes = 0
  package var droppedAttributes = 0
  package var cutBodies = 0
  /// Records left out.
  package var manyAttributes = 0
  package var longAttribute = 0
  package var longBody = 0

  package init() {}

  var rejections: [Rejection] {
    [
      Rejection(.manyAttributes, manyAttributes), Rejection(.longAttribute, longAttribute),
      Rejection(.longBody, longBody),
    ]
  }

  func reasons(_ limits: RecordLimits) -> [String] {
    func records(_ count: Int) -> String { count == 1 ? "1 record" : "\(count) records" }
    var reasons: [String] = []
    if manyAttributes > 0 {
      reasons.append("\(records(manyAttributes)) with more than \(limits.attributesMax ?? 0) attributes on one level")
    }
    if longAttribute > 0 {
      reasons.append("\(records(longAttribute)) with an attribute of more than \(limits.attributeBytesMax ?? 0) bytes")
    }
    if longBody > 0 {
      reasons.append("\(records(longBody)) with a body of more than \(limits.bodyBytesMax ?? 0) bytes")
    }
    return reasons
  }
}
