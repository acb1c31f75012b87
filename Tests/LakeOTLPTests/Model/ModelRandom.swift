/// Random requests that love the corners.
struct ModelRandom {
  var random: TestRandom
  /// Bytes that are not UTF-8, which JSON cannot carry; and NaN with other bits than usual.
  let allowsProtobufOnly: Bool

  init(seed: UInt64, allowsProtobufOnly: Bool) {
    random = TestRandom(seed: seed)
    self.allowsProtobufOnly = allowsProtobufOnly
  }

  mutating func text() -> [UInt8] {
    if allowsProtobufOnly, random.chance(25) {
      return random.pick([[0xFF], [0x61, 0xC3], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xC0, 0x80, 0x62]])
    }
    switch random.below(8) {
    case 0: return []
    case 1: return Array("é日本🚀".utf8)
    case 2: return Array("\"quoted\\\" \u{1}\n\t\u{7F}\u{2028}".utf8)
    case 3: return Array("{\"intValue\":\"5\"}".utf8)
    case 4: return (0..<random.below(400)).map { _ in UInt8(ascii: "a") + UInt8(random.below(26)) }
    default: return Array("text \(random.below(20))".utf8)
    }
  }

  mutating func key() -> [UInt8] {
    if allowsProtobufOnly, random.chance(60) { return [0xFF, UInt8(random.below(256))] }
    return random.chance(15)
      ? []
      : Array(
        random.pick(["service.name", "a", "b", "c", "http.status_code", "k8s.pod.name", "é", "a.b.c.d.e.f"]).utf8)
  }

  mutating func double() -> UInt64 {
    switch random.below(12) {
    case 0: return Double.infinity.bitPattern
    case 1: return (-Double.infinity).bitPattern
    case 2: return allowsProtobufOnly ? 0x7FF0_0000_0000_0002 : Double.nan.bitPattern
    case 3: return Double.nan.bitPattern
    case 4: return (-0.0).bitPattern
    case 5: return 1
    case 6: return Double.greatestFiniteMagnitude.bitPattern
    case 7: return (Double(random.below(1_000_000)) / 1000).bitPattern
    case 8: return (-Double(random.below(1_000_000_000))).bitPattern
    default:
      let value = Double(bitPattern: random.next())
      return value.isNaN ? 1.bitPattern64 : value.bitPattern
    }
  }

  mutating func value(depth: Int = 0) -> Value {
    switch random.below(depth > 3 ? 12 : 14) {
    case 0: return .none
    case 1, 2, 3, 4, 5: return .string(text())
    case 6: return .bool(random.chance(2))
    case 7, 8, 9: return .int(random.chance(4) ? random.pick([.min, .max, -1, 0]) : Int64(random.below(300)))
    case 10: return .double(double())
    case 11: return .bytes((0..<random.below(6)).map { _ in UInt8(random.below(256)) })
    case 12: return .array((0..<random.below(4)).map { _ in value(depth: depth + 1) })
    default: return .kvlist((0..<random.below(4)).map { _ in pair(depth: depth + 1) })
    }
  }

  mutating func pair(depth: Int = 0) -> Pair { Pair(bytes: key(), value(depth: depth)) }
  mutating func pairs() -> [Pair] { random.chance(5) ? [] : (0..<random.below(7)).map { _ in pair() } }

  mutating func time() -> UInt64 {
    switch random.below(6) {
    case 0: 0
    case 1: .max
    case 2: UInt64(random.below(2000))
    default: 1_768_471_200_000_000_000 + random.next() % 1_000_000_000_000
    }
  }

  mutating func count() -> UInt32 { random.chance(2) ? 0 : random.pick([1, 7, .max]) }

  mutating func id(_ count: Int) -> [UInt8] {
    switch random.below(6) {
    case 0: []
    case 1: [UInt8](repeating: 0, count: count)
    case 2: (0..<random.below(20)).map { _ in UInt8(random.below(256)) }
    default: (0..<count).map { _ in UInt8(random.below(256)) }
    }
  }

  mutating func resource() -> ResourceModel {
    var resource = ResourceModel(attributes: pairs(), dropped: random.chance(3) ? count() : 0)
    if random.chance(4) {
      resource.entities = (0..<random.below(3)).map { _ in
        Entity(
          schemaURL: text(), type: text(), idKeys: (0..<random.below(3)).map { _ in key() },
          descriptionKeys: (0..<random.below(2)).map { _ in key() })
      }
    }
    return resource
  }

  mutating func scope() -> ScopeModel {
    random.chance(4)
      ? ScopeModel()
      : ScopeModel(
        name: text(), version: text(), attributes: random.chance(2) ? pairs() : [],
        dropped: random.chance(4) ? count() : 0)
  }

  mutating func log() -> LogModel {
    LogModel(
      time: time(), observed: time(), severity: random.pick([0, 1, 4, 9, 10, 17, 24, 25, -3, .max]),
      severityText: random.chance(2) ? [] : text(), body: value(), attributes: pairs(), dropped: count(),
      flags: count(),
      traceID: id(16), spanID: id(8), eventName: random.chance(3) ? text() : [])
  }

  mutating func groups<Row>(row: (inout ModelRandom) -> Row) -> [ResourceGroup<Row>] {
    let resources = (0..<2).map { _ in resource() }
    let scopes = (0..<2).map { _ in scope() }
    return (0..<random.below(4)).map { _ in
      var group = ResourceGroup<Row>(
        resource: random.chance(3) ? resource() : random.pick(resources), schemaURL: random.chance(3) ? text() : [])
      group.scopes = (0..<random.below(4)).map { _ in
        var rows: [Row] = []
        for _ in 0..<random.below(5) { rows.append(row(&self)) }
        return ScopeGroup(
          scope: random.chance(3) ? scope() : random.pick(scopes), schemaURL: random.chance(4) ? text() : [], rows: rows
        )
      }
      return group
    }
  }
}

extension Int {
  fileprivate var bitPattern64: UInt64 { Double(self).bitPattern }
}
