import LakeJSON
import LakeModel
import LakeSchema

extension QueueState {
  static let format = 1

  /// The property's text: members in a fixed order, lanes ascending, so that equal states are equal texts.
  package var json: String {
    var json = JSONWriter()
    json.object { json in
      json.member("format", QueueState.format)
      json.member("generation", generation)
      json.key("lanes")
      json.object { json in
        for (lane, position) in lanes.sorted(by: { $0.key < $1.key }) {
          json.key(lane.description)
          json.object { json in
            switch position {
            case .next(let sequence): json.member("next", sequence)
            case .ended(let sequence): json.member("end", sequence)
            }
          }
        }
      }
      json.key("fingerprints")
      json.array { json in
        for object in fingerprints {
          json.object { json in
            json.member("name", object.name)
            json.member("generation", object.generation)
            json.member("requests", object.requestCount)
          }
        }
      }
      if !quarantine.isEmpty {
        json.key("quarantine")
        json.array { json in for entry in quarantine { entry.write(&json) } }
      }
    }
    return json.finish().text
  }

  package init(json text: String) throws(WALError) {
    do throws(JSONError) {
      let root = try JSONDocument(Bytes(text)).root
      guard root["format"]?.int == QueueState.format else { throw .unexpected(path: "$.format", expected: "1") }
      generation = try root.natural("generation")
      guard let members = root["lanes"]?.members else { throw .unexpected(path: "$.lanes", expected: "an object") }
      for member in members {
        guard let lane = LaneID(member.nameText) else { throw .unexpected(path: "$.lanes", expected: "a lane id") }
        lanes[lane] =
          member.value["end"] == nil
          ? .next(try member.value.natural("next")) : .ended(try member.value.natural("end"))
      }
      for value in root.list("fingerprints") {
        guard let name = value["name"]?.string, FingerprintSet.isName(name) else {
          throw .unexpected(path: "$.fingerprints.name", expected: "a name")
        }
        fingerprints.append(
          FingerprintObject(
            name: name, generation: try value.natural("generation"), requestCount: try value.natural("requests")))
      }
      for value in root.list("quarantine") { quarantine.append(try QuarantineEntry(value)) }
    } catch {
      throw .stateMalformed("\(error)")
    }
  }
}

extension QuarantineEntry {
  fileprivate func write(_ json: inout JSONWriter) {
    json.object { json in
      json.member("lane", segment.lane.description)
      json.member("sequence", segment.sequence)
      switch reason {
      case .missing: json.member("reason", "missing")
      case .unreadable(let message):
        json.member("reason", "unreadable")
        json.member("message", message)
      case .unreadableRowGroups(let groups, let message):
        json.member("reason", "unreadable-row-groups")
        json.member("message", message)
        json.key("rowGroups")
        json.array { json in
          for group in groups {
            json.object { json in
              json.member("index", group.index)
              json.partition(group.key)
            }
          }
        }
      }
    }
  }

  fileprivate init(_ value: JSONValue) throws(JSONError) {
    guard let lane = value["lane"]?.string.flatMap({ LaneID($0) }) else {
      throw .unexpected(path: "$.quarantine.lane", expected: "a lane id")
    }
    segment = SegmentID(lane: lane, sequence: try value.natural("sequence"))
    let message = value["message"]?.string ?? ""
    switch value["reason"]?.string {
    case "missing": reason = .missing
    case "unreadable": reason = .unreadable(message)
    case "unreadable-row-groups":
      var groups: [BadRowGroup] = []
      for group in value.list("rowGroups") {
        groups.append(BadRowGroup(index: try group.natural("index"), key: try group.partition()))
      }
      reason = .unreadableRowGroups(groups, message)
    default: throw .unexpected(path: "$.quarantine.reason", expected: "missing, unreadable or unreadable-row-groups")
    }
  }
}

extension JSONWriter {
  /// Members `tenant`, `account` (left out when there is none) and `day`.
  mutating func partition(_ key: PartitionKey) {
    member("tenant", key.tenant.text)
    if let account = key.account { member("account", account.text) }
    member("day", Int(key.day))
  }
}

extension JSONValue {
  /// A whole number from 0 on.
  func natural(_ name: String) throws(JSONError) -> Int {
    guard let value = self[name]?.int, value >= 0 else { throw .unexpected(path: "$.\(name)", expected: "a number") }
    return value
  }

  /// Elements of an array member; none when it is missing.
  func list(_ name: String) -> [JSONValue] { self[name].map { Array($0.elements) } ?? [] }

  func partition() throws(JSONError) -> PartitionKey {
    guard let tenant = self["tenant"]?.string.flatMap({ TenantID($0) }) else {
      throw .unexpected(path: "$.tenant", expected: "a tenant id")
    }
    var account: AccountID?
    if let value = self["account"] {
      account = value.string.flatMap { AccountID($0) }
      if account == nil { throw .unexpected(path: "$.account", expected: "an account id") }
    }
    guard let day = self["day"]?.int.flatMap({ Int32(exactly: $0) }) else {
      throw .unexpected(path: "$.day", expected: "a day")
    }
    return PartitionKey(tenant: tenant, account: account, day: day)
  }
}
