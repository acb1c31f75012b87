import LakeJSON
package import LakeModel
package import LakeSchema

/// Names the content of one segment: two objects with the same id hold the same bytes (WAL-4).
package struct ContentID: Hashable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  package init?(_ text: some StringProtocol) {
    guard let id = LaneID(text) else { return nil }
    self.init(high: id.high, low: id.low)
  }

  package var description: String { Hex.text(high) + Hex.text(low) }
}

/// What the footer of a segment says beyond Parquet (WAL-3).
package struct SegmentMetadata: Hashable, Sendable {
  package struct RowGroup: Hashable, Sendable {
    package let key: PartitionKey
    package let rowCount: Int
    /// Whether rows of it may be events; nil: the writer did not look. Spares the shift of events a second reading of all logs.
    package let mayHoldEvents: Bool?

    package init(key: PartitionKey, rowCount: Int, mayHoldEvents: Bool? = nil) {
      self.key = key
      self.rowCount = rowCount
      self.mayHoldEvents = mayHoldEvents
    }
  }

  /// A request that lies whole in this segment. Its number is its index; the column `request` holds it.
  package struct Request: Hashable, Sendable {
    /// nil: not recognisable, never a repeat (DUP-2, DUP-6).
    package let fingerprint: Fingerprint?
    /// Row groups that hold rows of it, ascending, and how many.
    package let shares: [Share]

    package init(fingerprint: Fingerprint?, shares: [Share]) {
      self.fingerprint = fingerprint
      self.shares = shares
    }
  }

  package struct Share: Hashable, Sendable {
    package let rowGroup: Int
    package let rowCount: Int

    package init(rowGroup: Int, rowCount: Int) {
      self.rowGroup = rowGroup
      self.rowCount = rowCount
    }
  }

  package let contentID: ContentID
  package let topic: Topic
  package let rowGroups: [RowGroup]
  package let requests: [Request]

  package init(contentID: ContentID, topic: Topic, rowGroups: [RowGroup], requests: [Request]) {
    self.contentID = contentID
    self.topic = topic
    self.rowGroups = rowGroups
    self.requests = requests
  }

  package var rowCount: Int { rowGroups.reduce(0) { $0 + $1.rowCount } }
}

extension SegmentMetadata {
  /// Footer entry that tells the version; read before anything else.
  static let formatKey = "icegate.segment.format"
  static let format = "1"
  /// Footer entry with what follows.
  static let contentKey = "icegate.segment.content"

  /// `requests` is written tersely, because there may be thousands: `["<fingerprint>", rowGroup, rows, rowGroup, rows, ...]`.
  var json: String {
    var json = JSONWriter(capacity: 1024 + requests.count * 64)
    json.object { json in
      json.member("content", contentID.description)
      json.member("topic", topic.rawValue)
      json.key("rowGroups")
      json.array { json in
        for group in rowGroups {
          json.object { json in
            json.partition(group.key)
            json.member("rows", group.rowCount)
            if let mayHoldEvents = group.mayHoldEvents { json.member("events", mayHoldEvents) }
          }
        }
      }
      json.key("requests")
      json.array { json in
        for request in requests {
          json.array { json in
            if let fingerprint = request.fingerprint { json.value(fingerprint.description) } else { json.null() }
            for share in request.shares {
              json.value(share.rowGroup)
              json.value(share.rowCount)
            }
          }
        }
      }
    }
    return json.finish().text
  }

  init(json text: String) throws(JSONError) {
    let root = try JSONDocument(Bytes(text)).root
    guard let content = root["content"]?.string.flatMap({ ContentID($0) }) else {
      throw .unexpected(path: "$.content", expected: "32 hex digits")
    }
    guard let topic = root["topic"]?.string.flatMap({ Topic(rawValue: $0) }) else {
      throw .unexpected(path: "$.topic", expected: "a topic")
    }
    var groups: [RowGroup] = []
    for value in root.list("rowGroups") {
      groups.append(
        RowGroup(
          key: try value.partition(), rowCount: try value.natural("rows"), mayHoldEvents: value["events"]?.bool))
    }
    var requests: [Request] = []
    for value in root.list("requests") { requests.append(try SegmentMetadata.request(value, rowGroups: groups.count)) }
    self.init(contentID: content, topic: topic, rowGroups: groups, requests: requests)
    try check()
  }

  private static func request(_ value: JSONValue, rowGroups: Int) throws(JSONError) -> Request {
    let elements = Array(value.elements)
    guard let first = elements.first, elements.count % 2 == 1 else {
      throw .unexpected(path: "$.requests", expected: "a fingerprint and pairs of numbers")
    }
    var fingerprint: Fingerprint?
    if !first.isNull {
      fingerprint = first.string.flatMap { Fingerprint($0) }
      if fingerprint == nil { throw .unexpected(path: "$.requests[0]", expected: "32 hex digits or null") }
    }
    var shares: [Share] = []
    for index in stride(from: 1, to: elements.count, by: 2) {
      guard let group = elements[index].int, let rows = elements[index + 1].int,
        group > (shares.last?.rowGroup ?? -1), group < rowGroups, rows > 0
      else { throw .unexpected(path: "$.requests", expected: "ascending row groups with rows") }
      shares.append(Share(rowGroup: group, rowCount: rows))
    }
    return Request(fingerprint: fingerprint, shares: shares)
  }

  /// The rows of the requests must be the rows of the row groups: counting from the footer relies on it (RDR-3).
  private func check() throws(JSONError) {
    var rows = [Int](repeating: 0, count: rowGroups.count)
    for request in requests {
      for share in request.shares {
        let (sum, overflow) = rows[share.rowGroup].addingReportingOverflow(share.rowCount)
        if overflow { throw .unexpected(path: "$.requests", expected: "fewer rows") }
        rows[share.rowGroup] = sum
      }
    }
    for (group, count) in zip(rowGroups, rows) where group.rowCount != count {
      throw .unexpected(path: "$.requests", expected: "\(group.rowCount) rows in a row group, not \(count)")
    }
  }
}
