struct ExemplarModel: Hashable {
  var time: UInt64 = 0
  var value: NumberModel = .none
  var traceID: [UInt8] = []
  var spanID: [UInt8] = []
  var attributes: [Pair] = []
}

enum NumberModel: Hashable {
  case none
  /// Bits.
  case double(UInt64)
  case int(Int64)
}

struct BucketsModel: Hashable {
  var offset: Int32 = 0
  var counts: [UInt64] = []
}

/// A data point of any type; what a type does not have keeps its default.
struct PointModel: Hashable {
  var start: UInt64 = 0
  var time: UInt64 = 0
  var flags: UInt32 = 0
  var attributes: [Pair] = []
  var exemplars: [ExemplarModel] = []
  var value: NumberModel = .none
  var count: UInt64 = 0
  /// Bits; of a summary nil stands for 0.
  var sum: UInt64?
  var min: UInt64?
  var max: UInt64?
  var bucketCounts: [UInt64] = []
  var bounds: [UInt64] = []
  var scale: Int32 = 0
  var zeroCount: UInt64 = 0
  var zeroThreshold: UInt64 = 0
  var positive = BucketsModel()
  var negative = BucketsModel()
  /// Bits of quantile and value.
  var quantiles: [[UInt64]] = []
}

struct MetricModel: Hashable {
  enum Kind: Int, Hashable, CaseIterable {
    case gauge = 5
    case sum = 7
    case histogram = 9
    case exponential = 10
    case summary = 11
  }
  var name: [UInt8] = []
  var description: [UInt8] = []
  var unit: [UInt8] = []
  var metadata: [Pair] = []
  var kind = Kind.gauge
  var temporality: Int32 = 0
  var isMonotonic = false
  var points: [PointModel] = []
}

/// Metrics without points dropped, equal ones of a scope merged where the first of them stands.
func normalMetrics(_ groups: [ResourceGroup<MetricModel>]) -> [ResourceGroup<MetricModel>] {
  var groups = groups
  for group in groups.indices {
    for scope in groups[group].scopes.indices { groups[group].scopes[scope].rows.removeAll { $0.points.isEmpty } }
  }
  groups = normalForm(groups)
  for group in groups.indices {
    for scope in groups[group].scopes.indices {
      var merged: [MetricModel] = []
      for metric in groups[group].scopes[scope].rows {
        func head(_ metric: MetricModel) -> MetricModel {
          var head = metric
          head.points = []
          return head
        }
        if let same = merged.firstIndex(where: { head($0) == head(metric) }) {
          merged[same].points += metric.points
        } else {
          merged.append(metric)
        }
      }
      groups[group].scopes[scope].rows = merged
    }
  }
  return groups
}

extension Wire {
  mutating func sint(_ number: Int, _ value: Int32) {
    uint(number, UInt64(UInt32(bitPattern: (value << 1) ^ (value >> 31))))
  }
  mutating func optional(_ number: Int, _ bits: UInt64?) {
    if let bits { fixed64(number, bits, always: true) }
  }
  /// Packed, or one by one.
  mutating func fixedList(_ number: Int, _ values: [UInt64], packed: Bool) {
    guard packed else {
      for value in values { fixed64(number, value, always: true) }
      return
    }
    if values.isEmpty { return }
    message(number, values.flatMap { value in (0..<8).map { UInt8(value >> (8 * $0) & 0xFF) } })
  }
}

extension ExemplarModel {
  var wire: [UInt8] {
    var out = Wire()
    out.fixed64(2, time)
    if case .double(let bits) = value { out.fixed64(3, bits, always: true) }
    out.string(4, spanID)
    out.string(5, traceID)
    if case .int(let int) = value { out.fixed64(6, UInt64(bitPattern: int), always: true) }
    for pair in attributes { out.message(7, pair.wire) }
    return out.bytes
  }

  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 2: time = field.int
      case 3: value = .double(field.int)
      case 4: spanID = field.bytes
      case 5: traceID = field.bytes
      case 6: value = .int(Int64(bitPattern: field.int))
      default: attributes.append(Pair(wire: field.bytes))
      }
    }
  }
}

extension BucketsModel {
  func wire(packed: Bool) -> [UInt8] {
    var out = Wire()
    out.sint(1, offset)
    if packed, !counts.isEmpty {
      var list = Wire()
      for count in counts { list.varint(count) }
      out.message(2, list.bytes)
    } else {
      for count in counts { out.always(2, varint: count) }
    }
    return out.bytes
  }

  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      if field.number == 1 {
        offset = unzigzag(field.int)
      } else if case .number(let value) = field.payload {
        counts.append(value)
      } else {
        var list = Wire()
        // Each varint as a field of its own, so that `fields` splits them.
        var at = 0
        let bytes = field.bytes
        while at < bytes.count {
          list.tag(1, 0)
          repeat {
            list.bytes.append(bytes[at])
            at += 1
          } while bytes[at - 1] >= 0x80
        }
        counts += fields(list.bytes).map(\.int)
      }
    }
  }
}

private func unzigzag(_ value: UInt64) -> Int32 {
  let bits = UInt32(truncatingIfNeeded: value)
  return Int32(bitPattern: bits >> 1) ^ -Int32(bitPattern: bits & 1)
}

/// A list of eight-byte numbers, packed or one of them.
private func words(_ field: Field) -> [UInt64] {
  guard case .bytes(let bytes) = field.payload else { return [field.int] }
  return stride(from: 0, to: bytes.count, by: 8).map { start in
    (0..<8).reduce(0) { $0 | UInt64(bytes[start + $1]) << UInt64(8 * $1) }
  }
}

extension MetricModel {
  func wire(packed: Bool) -> [UInt8] {
    var data = Wire()
    for point in points { data.message(1, wire(of: point, packed: packed)) }
    if kind == .sum || kind == .histogram || kind == .exponential {
      data.uint(2, UInt64(bitPattern: Int64(temporality)))
    }
    if kind == .sum, isMonotonic { data.uint(3, 1) }
    var out = Wire()
    out.string(1, name)
    out.string(2, description)
    out.string(3, unit)
    out.message(kind.rawValue, data.bytes)
    for pair in metadata { out.message(12, pair.wire) }
    return out.bytes
  }

  private func wire(of point: PointModel, packed: Bool) -> [UInt8] {
    var out = Wire()
    out.fixed64(2, point.start)
    out.fixed64(3, point.time)
    let attributesField = [Kind.gauge: 7, .sum: 7, .histogram: 9, .exponential: 1, .summary: 7][kind]!
    for pair in point.attributes { out.message(attributesField, pair.wire) }
    switch kind {
    case .gauge, .sum:
      if case .double(let bits) = point.value { out.fixed64(4, bits, always: true) }
      if case .int(let value) = point.value { out.fixed64(6, UInt64(bitPattern: value), always: true) }
      for exemplar in point.exemplars { out.message(5, exemplar.wire) }
      out.uint(8, UInt64(point.flags))
    case .histogram:
      out.fixed64(4, point.count)
      out.optional(5, point.sum)
      out.fixedList(6, point.bucketCounts, packed: packed)
      out.fixedList(7, point.bounds, packed: packed)
      for exemplar in point.exemplars { out.message(8, exemplar.wire) }
      out.uint(10, UInt64(point.flags))
      out.optional(11, point.min)
      out.optional(12, point.max)
    case .exponential:
      out.fixed64(4, point.count)
      out.optional(5, point.sum)
      out.sint(6, point.scale)
      out.fixed64(7, point.zeroCount)
      if point.positive != BucketsModel() { out.message(8, point.positive.wire(packed: packed)) }
      if point.negative != BucketsModel() { out.message(9, point.negative.wire(packed: packed)) }
      out.uint(10, UInt64(point.flags))
      for exemplar in point.exemplars { out.message(11, exemplar.wire) }
      out.optional(12, point.min)
      out.optional(13, point.max)
      out.fixed64(14, point.zeroThreshold)
    case .summary:
      out.fixed64(4, point.count)
      out.fixed64(5, point.sum ?? 0)
      for pair in point.quantiles {
        var inner = Wire()
        inner.fixed64(1, pair[0])
        inner.fixed64(2, pair[1])
        out.message(6, inner.bytes)
      }
      out.uint(8, UInt64(point.flags))
    }
    return out.bytes
  }

  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: name = field.bytes
      case 2: description = field.bytes
      case 3: unit = field.bytes
      case 12: metadata.append(Pair(wire: field.bytes))
      default:
        kind = Kind(rawValue: field.number)!
        for inner in fields(field.bytes) {
          switch inner.number {
          case 1: points.append(PointModel(wire: inner.bytes, kind: kind))
          case 2: temporality = Int32(truncatingIfNeeded: inner.int)
          default: isMonotonic = inner.int != 0
          }
        }
      }
    }
  }
}

extension PointModel {
  init(wire: [UInt8], kind: MetricModel.Kind) {
    self.init()
    for field in fields(wire) {
      switch (field.number, kind) {
      case (2, _): start = field.int
      case (3, _): time = field.int
      case (7, .gauge), (7, .sum), (9, .histogram), (1, .exponential), (7, .summary):
        attributes.append(Pair(wire: field.bytes))
      case (4, .gauge), (4, .sum): value = .double(field.int)
      case (6, .gauge), (6, .sum): value = .int(Int64(bitPattern: field.int))
      case (5, .gauge), (5, .sum), (8, .histogram), (11, .exponential):
        exemplars.append(ExemplarModel(wire: field.bytes))
      case (8, .gauge), (8, .sum), (8, .summary), (10, _): flags = UInt32(field.int)
      case (4, _): count = field.int
      case (5, _): sum = field.int
      case (6, .histogram): bucketCounts += words(field)
      case (7, .histogram): bounds += words(field)
      case (11, .histogram), (12, .exponential): min = field.int
      case (12, .histogram), (13, .exponential): max = field.int
      case (6, .exponential): scale = unzigzag(field.int)
      case (7, .exponential): zeroCount = field.int
      case (8, .exponential): positive = BucketsModel(wire: field.bytes)
      case (9, .exponential): negative = BucketsModel(wire: field.bytes)
      case (14, .exponential): zeroThreshold = field.int
      case (6, .summary):
        var pair: [UInt64] = [0, 0]
        for inner in fields(field.bytes) { pair[inner.number - 1] = inner.int }
        quantiles.append(pair)
      default: fatalError("point field \(field.number) of \(kind)")
      }
    }
  }
}

extension ModelRandom {
  mutating func metric() -> MetricModel {
    var metric = MetricModel(
      name: text(), description: random.chance(2) ? text() : [], unit: random.pick([[], Array("ms".utf8)]),
      metadata: random.chance(4) ? pairs() : [], kind: random.pick(MetricModel.Kind.allCases))
    if metric.kind != .gauge, metric.kind != .summary { metric.temporality = random.pick([0, 1, 2, 7]) }
    metric.isMonotonic = metric.kind == .sum && random.chance(2)
    let kind = metric.kind
    metric.points = (0..<random.below(4)).map { _ in point(kind) }
    return metric
  }

  private mutating func number() -> NumberModel {
    switch random.below(4) {
    case 0: .none
    case 1: .double(double())
    default: .int(random.pick([0, 1, -1, .min, .max]))
    }
  }

  private mutating func optional() -> UInt64? { random.chance(3) ? nil : double() }
  private mutating func counts() -> [UInt64] {
    (0..<random.below(5)).map { _ in random.pick([0, 1, 300, .max, 1 << 63]) }
  }

  private mutating func point(_ kind: MetricModel.Kind) -> PointModel {
    var point = PointModel(start: time(), time: time(), flags: random.pick([0, 1, .max]), attributes: pairs())
    if kind != .summary {
      point.exemplars = (0..<random.below(3)).map { _ in
        ExemplarModel(time: time(), value: number(), traceID: id(16), spanID: id(8), attributes: pairs())
      }
    }
    switch kind {
    case .gauge, .sum: point.value = number()
    case .histogram:
      (point.count, point.sum, point.min, point.max) = (random.next(), optional(), optional(), optional())
      (point.bucketCounts, point.bounds) = (counts(), (0..<random.below(4)).map { _ in double() })
    case .exponential:
      (point.count, point.sum, point.min, point.max) = (random.next(), optional(), optional(), optional())
      (point.scale, point.zeroCount) = (random.pick([0, 3, -4, .min]), random.pick([0, 9, .max]))
      point.zeroThreshold = random.chance(2) ? 0 : double()
      point.positive = BucketsModel(offset: random.pick([0, 5, -5, .max]), counts: counts())
      point.negative = BucketsModel(offset: random.pick([0, .min]), counts: counts())
    case .summary:
      let sum = double()
      (point.count, point.sum) = (random.next(), sum == 0 ? nil : sum)
      point.quantiles = (0..<random.below(4)).map { _ in [double(), double()] }
    }
    return point
  }
}

extension ModelJSON {
  mutating func metric(_ metric: MetricModel) -> String {
    var members = text("name", metric.name) + text("description", metric.description) + text("unit", metric.unit)
    members += attributes(metric.metadata, name: "metadata")
    let kind = metric.kind
    var data = [member("dataPoints", array(metric.points) { $0.point($1, kind) })]
    if kind != .gauge, kind != .summary {
      data += enumeration(
        "aggregationTemporality", metric.temporality, names: ["DELTA", "CUMULATIVE"], prefix: "AGGREGATION_TEMPORALITY_"
      )
    }
    if metric.isMonotonic { data.append(member("isMonotonic", "true")) }
    let names = [MetricModel.Kind.gauge: "gauge", .sum: "sum", .histogram: "histogram", .summary: "summary"]
    members.append(member(names[kind] ?? "exponentialHistogram", object(random.shuffled(data))))
    return object(random.shuffled(members))
  }

  private mutating func double(_ name: String, _ bits: UInt64?) -> [String] {
    bits.map { [member(name, ModelJSON.double($0))] } ?? []
  }

  private mutating func value(_ value: NumberModel) -> [String] {
    switch value {
    case .none: []
    case .double(let bits): [member("asDouble", ModelJSON.double(bits))]
    case .int(let int): [member("asInt", integer(int))]
    }
  }

  private mutating func numbers(_ name: String, _ values: [UInt64]) -> [String] {
    values.isEmpty ? [] : [member(name, array(values) { $0.integer($1) })]
  }

  private mutating func buckets(_ buckets: BucketsModel) -> String {
    let offset = buckets.offset == 0 ? [] : ["\"offset\":\(buckets.offset)"]
    return object(offset + numbers("bucketCounts", buckets.counts))
  }

  mutating func point(_ point: PointModel, _ kind: MetricModel.Kind) -> String {
    var members = number("startTimeUnixNano", point.start) + number("timeUnixNano", point.time)
    members += attributes(point.attributes) + number("flags", point.flags)
    if !point.exemplars.isEmpty {
      let list = array(point.exemplars) { json, exemplar in
        let value = json.number("timeUnixNano", exemplar.time) + json.value(exemplar.value)
        let ids = json.id("traceId", exemplar.traceID) + json.id("spanId", exemplar.spanID)
        return json.object(value + ids + json.attributes(exemplar.attributes, name: "filteredAttributes"))
      }
      members.append(member("exemplars", list))
    }
    members += value(point.value) + number("count", point.count) + double("sum", point.sum)
    members += double("min", point.min) + double("max", point.max) + numbers("bucketCounts", point.bucketCounts)
    if !point.bounds.isEmpty { members.append(member("explicitBounds", array(point.bounds) { ModelJSON.double($1) })) }
    if kind == .exponential {
      if point.scale != 0 { members.append(member("scale", "\(point.scale)")) }
      members += number("zeroCount", point.zeroCount)
      if point.zeroThreshold != 0 { members += double("zeroThreshold", point.zeroThreshold) }
      members += ["\"positive\":" + buckets(point.positive), "\"negative\":" + buckets(point.negative)]
    }
    if !point.quantiles.isEmpty {
      let list = array(point.quantiles) { json, pair in
        json.object(json.double("quantile", pair[0]) + json.double("value", pair[1]))
      }
      members.append(member("quantileValues", list))
    }
    return object(random.shuffled(members))
  }
}
