/// OTLP JSON by the book, with the liberties that senders take chosen by chance: names in camelCase or snake_case, integers of 64
/// bits as text or number, enums by number or name, ids in either case, defaults left out or written.
struct ModelJSON {
  var random: TestRandom

  init(seed: UInt64) { random = TestRandom(seed: seed) }

  static func quote(_ bytes: [UInt8]) -> String {
    var out = "\""
    for scalar in String(decoding: bytes, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"": out += "\\\""
      case "\\": out += "\\\\"
      case "\u{0}"..."\u{1F}":
        let hex = String(scalar.value, radix: 16)
        out += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out + "\""
  }

  private static func snake(_ name: String) -> String {
    name.map { $0.isUppercase ? "_" + $0.lowercased() : String($0) }.joined()
  }

  mutating func member(_ name: String, _ value: String) -> String {
    "\"\(random.chance(3) ? ModelJSON.snake(name) : name)\":\(value)"
  }

  mutating func integer(_ value: some FixedWidthInteger) -> String { random.chance(2) ? "\"\(value)\"" : "\(value)" }

  static func double(_ bits: UInt64) -> String {
    let value = Double(bitPattern: bits)
    if value.isNaN { return "\"NaN\"" }
    if value.isInfinite { return value > 0 ? "\"Infinity\"" : "\"-Infinity\"" }
    return "\(value)"
  }

  static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - $0) & 1 } }
    while bits.count % 6 != 0 { bits.append(0) }
    var out = ""
    for start in stride(from: 0, to: bits.count, by: 6) {
      out.append(digits[bits[start..<start + 6].reduce(0) { $0 * 2 + Int($1) }])
    }
    while out.count % 4 != 0 { out += "=" }
    return out
  }

  mutating func hex(_ bytes: [UInt8]) -> String {
    let text = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    return "\"" + (random.chance(2) ? text.uppercased() : text) + "\""
  }

  mutating func value(_ value: Value) -> String {
    switch value {
    case .none: random.chance(2) ? "{}" : "null"
    case .string(let text): "{" + member("stringValue", ModelJSON.quote(text)) + "}"
    case .bool(let flag): "{" + member("boolValue", "\(flag)") + "}"
    case .int(let number): "{" + member("intValue", integer(number)) + "}"
    case .double(let bits): "{" + member("doubleValue", ModelJSON.double(bits)) + "}"
    case .bytes(let bytes): "{" + member("bytesValue", "\"" + ModelJSON.base64(bytes) + "\"") + "}"
    case .array(let values): "{" + member("arrayValue", list(values) { $0.value($1) }) + "}"
    case .kvlist(let pairs): "{" + member("kvlistValue", list(pairs) { $0.pair($1) }) + "}"
    }
  }

  private mutating func list<T>(_ items: [T], _ write: (inout ModelJSON, T) -> String) -> String {
    if items.isEmpty, random.chance(2) { return "{}" }
    return "{\"values\":" + array(items, write) + "}"
  }

  mutating func array<T>(_ items: [T], _ write: (inout ModelJSON, T) -> String) -> String {
    var texts: [String] = []
    for item in items { texts.append(write(&self, item)) }
    return "[" + texts.joined(separator: ",") + "]"
  }

  mutating func pair(_ pair: Pair) -> String {
    var members: [String] = []
    if !pair.key.isEmpty || random.chance(2) { members.append("\"key\":" + ModelJSON.quote(pair.key)) }
    if pair.value != .none || random.chance(2) { members.append("\"value\":" + value(pair.value)) }
    return object(members)
  }

  /// Sometimes with a member that nobody knows.
  mutating func object(_ members: [String]) -> String {
    var members = members
    if random.chance(8) { members.append("\"later\":{\"x\":[1,null,{\"y\":\"z\"}]}") }
    return "{" + members.joined(separator: ",") + "}"
  }

  mutating func attributes(_ pairs: [Pair], name: String = "attributes") -> [String] {
    if pairs.isEmpty { return random.chance(2) ? [] : [member(name, random.chance(2) ? "[]" : "null")] }
    return [member(name, array(pairs) { $0.pair($1) })]
  }

  mutating func text(_ name: String, _ bytes: [UInt8]) -> [String] {
    if bytes.isEmpty { return random.chance(2) ? [] : [member(name, random.chance(2) ? "\"\"" : "null")] }
    return [member(name, ModelJSON.quote(bytes))]
  }

  mutating func number(_ name: String, _ value: some FixedWidthInteger) -> [String] {
    if value == 0, random.chance(2) { return [] }
    return [member(name, integer(value))]
  }

  mutating func id(_ name: String, _ bytes: [UInt8]) -> [String] {
    if bytes.isEmpty { return random.chance(2) ? [] : [member(name, "\"\"")] }
    return [member(name, hex(bytes))]
  }

  mutating func resource(_ resource: ResourceModel) -> String {
    var members = attributes(resource.attributes) + number("droppedAttributesCount", resource.dropped)
    if !resource.entities.isEmpty {
      members.append(
        member(
          "entityRefs",
          array(resource.entities) { json, entity in
            var inner = json.text("schemaUrl", entity.schemaURL) + json.text("type", entity.type)
            if !entity.idKeys.isEmpty {
              inner.append(json.member("idKeys", json.array(entity.idKeys) { ModelJSON.quote($1) }))
            }
            if !entity.descriptionKeys.isEmpty {
              inner.append(json.member("descriptionKeys", json.array(entity.descriptionKeys) { ModelJSON.quote($1) }))
            }
            return json.object(inner)
          }))
    }
    return object(members)
  }

  mutating func scope(_ scope: ScopeModel) -> String {
    object(
      text("name", scope.name) + text("version", scope.version) + attributes(scope.attributes)
        + number("droppedAttributesCount", scope.dropped))
  }

  mutating func log(_ log: LogModel) -> String {
    var members = number("timeUnixNano", log.time) + number("observedTimeUnixNano", log.observed)
    if (1...24).contains(log.severity), random.chance(2) {
      let names = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
      let (group, rest) = (Int(log.severity) - 1).quotientAndRemainder(dividingBy: 4)
      members.append(
        member("severityNumber", "\"SEVERITY_NUMBER_\(names[group])\(rest == 0 ? "" : "\(rest + 1)")\""))
    } else if log.severity != 0 {
      members.append(member("severityNumber", "\(log.severity)"))
    }
    members += text("severityText", log.severityText)
    if log.body != .none || random.chance(3) { members.append("\"body\":" + value(log.body)) }
    members += attributes(log.attributes) + number("droppedAttributesCount", log.dropped) + number("flags", log.flags)
    members += id("traceId", log.traceID) + id("spanId", log.spanID) + text("eventName", log.eventName)
    return object(random.shuffled(members))
  }

  mutating func request<Row>(
    _ groups: [ResourceGroup<Row>], _ outerName: String, _ innerName: String, _ rowsName: String,
    row: (inout ModelJSON, Row) -> String
  ) -> String {
    let list = array(groups) { json, group in
      var members: [String] = []
      if group.resource != ResourceModel() { members.append("\"resource\":" + json.resource(group.resource)) }
      let scopes = json.array(group.scopes) { json, scope in
        var inner: [String] = []
        if scope.scope != ScopeModel() { inner.append("\"scope\":" + json.scope(scope.scope)) }
        inner.append(json.member(rowsName, json.array(scope.rows, row)))
        return json.object(json.random.shuffled(inner + json.text("schemaUrl", scope.schemaURL)))
      }
      members.append(json.member(innerName, scopes))
      return json.object(json.random.shuffled(members + json.text("schemaUrl", group.schemaURL)))
    }
    return object([member(outerName, list)])
  }
}
