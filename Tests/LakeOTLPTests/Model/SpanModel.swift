struct EventModel: Hashable {
  var time: UInt64 = 0
  var name: [UInt8] = []
  var attributes: [Pair] = []
  var dropped: UInt32 = 0
}

struct LinkModel: Hashable {
  var traceID: [UInt8] = []
  var spanID: [UInt8] = []
  var traceState: [UInt8] = []
  var attributes: [Pair] = []
  var dropped: UInt32 = 0
  var flags: UInt32 = 0
}

struct SpanModel: Hashable {
  var traceID: [UInt8] = []
  var spanID: [UInt8] = []
  var traceState: [UInt8] = []
  var parentSpanID: [UInt8] = []
  var flags: UInt32 = 0
  var name: [UInt8] = []
  var kind: Int32 = 0
  var start: UInt64 = 0
  var end: UInt64 = 0
  var attributes: [Pair] = []
  var droppedAttributes: UInt32 = 0
  var events: [EventModel] = []
  var droppedEvents: UInt32 = 0
  var links: [LinkModel] = []
  var droppedLinks: UInt32 = 0
  var statusMessage: [UInt8] = []
  var statusCode: Int32 = 0

  /// Whether the span is taken; the others are removed by the normal form.
  var hasIDs: Bool {
    traceID.count == 16 && spanID.count == 8 && traceID.contains { $0 != 0 } && spanID.contains { $0 != 0 }
  }
}

extension SpanModel {
  var wire: [UInt8] {
    var out = Wire()
    out.string(1, traceID)
    out.string(2, spanID)
    out.string(3, traceState)
    out.string(4, parentSpanID)
    out.string(5, name)
    out.uint(6, UInt64(bitPattern: Int64(kind)))
    out.fixed64(7, start)
    out.fixed64(8, end)
    for pair in attributes { out.message(9, pair.wire) }
    out.uint(10, UInt64(droppedAttributes))
    for event in events {
      var inner = Wire()
      inner.fixed64(1, event.time)
      inner.string(2, event.name)
      for pair in event.attributes { inner.message(3, pair.wire) }
      inner.uint(4, UInt64(event.dropped))
      out.message(11, inner.bytes)
    }
    out.uint(12, UInt64(droppedEvents))
    for link in links {
      var inner = Wire()
      inner.string(1, link.traceID)
      inner.string(2, link.spanID)
      inner.string(3, link.traceState)
      for pair in link.attributes { inner.message(4, pair.wire) }
      inner.uint(5, UInt64(link.dropped))
      inner.fixed32(6, link.flags)
      out.message(13, inner.bytes)
    }
    out.uint(14, UInt64(droppedLinks))
    var status = Wire()
    status.string(2, statusMessage)
    status.uint(3, UInt64(bitPattern: Int64(statusCode)))
    if !status.bytes.isEmpty { out.message(15, status.bytes) }
    out.fixed32(16, flags)
    return out.bytes
  }

  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: traceID = field.bytes
      case 2: spanID = field.bytes
      case 3: traceState = field.bytes
      case 4: parentSpanID = field.bytes
      case 5: name = field.bytes
      case 6: kind = Int32(truncatingIfNeeded: field.int)
      case 7: start = field.int
      case 8: end = field.int
      case 9: attributes.append(Pair(wire: field.bytes))
      case 10: droppedAttributes = UInt32(field.int)
      case 11: events.append(EventModel(wire: field.bytes))
      case 12: droppedEvents = UInt32(field.int)
      case 13: links.append(LinkModel(wire: field.bytes))
      case 14: droppedLinks = UInt32(field.int)
      case 15:
        for inner in fields(field.bytes) {
          if inner.number == 2 {
            statusMessage = inner.bytes
          } else {
            statusCode = Int32(truncatingIfNeeded: inner.int)
          }
        }
      case 16: flags = UInt32(field.int)
      default: fatalError("Span field \(field.number)")
      }
    }
  }
}

extension EventModel {
  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: time = field.int
      case 2: name = field.bytes
      case 3: attributes.append(Pair(wire: field.bytes))
      default: dropped = UInt32(field.int)
      }
    }
  }
}

extension LinkModel {
  init(wire: [UInt8]) {
    self.init()
    for field in fields(wire) {
      switch field.number {
      case 1: traceID = field.bytes
      case 2: spanID = field.bytes
      case 3: traceState = field.bytes
      case 4: attributes.append(Pair(wire: field.bytes))
      case 5: dropped = UInt32(field.int)
      default: flags = UInt32(field.int)
      }
    }
  }
}

extension ModelRandom {
  mutating func span() -> SpanModel {
    SpanModel(
      traceID: random.chance(8) ? id(16) : (0..<16).map { _ in UInt8(1 + random.below(255)) },
      spanID: random.chance(8) ? id(8) : (0..<8).map { _ in UInt8(1 + random.below(255)) },
      traceState: random.chance(3) ? text() : [], parentSpanID: id(8), flags: count(), name: text(),
      kind: random.pick([0, 1, 2, 5, 7, -1]), start: time(), end: time(), attributes: pairs(),
      droppedAttributes: count(),
      events: (0..<random.below(4)).map { _ in
        EventModel(time: time(), name: text(), attributes: pairs(), dropped: count())
      }, droppedEvents: count(),
      links: (0..<random.below(3)).map { _ in
        LinkModel(
          traceID: id(16), spanID: id(8), traceState: text(), attributes: pairs(), dropped: count(), flags: count())
      }, droppedLinks: count(), statusMessage: random.chance(3) ? text() : [], statusCode: random.pick([0, 1, 2, 9]))
  }
}

extension ModelJSON {
  mutating func span(_ span: SpanModel) -> String {
    var members = id("traceId", span.traceID) + id("spanId", span.spanID) + text("traceState", span.traceState)
    members += id("parentSpanId", span.parentSpanID) + number("flags", span.flags) + text("name", span.name)
    members += enumeration(
      "kind", span.kind, names: ["INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"], prefix: "SPAN_KIND_")
    members += number("startTimeUnixNano", span.start) + number("endTimeUnixNano", span.end)
    members += attributes(span.attributes) + number("droppedAttributesCount", span.droppedAttributes)
    if !span.events.isEmpty {
      let list = array(span.events) { json, event in
        let time = json.number("timeUnixNano", event.time) + json.text("name", event.name)
        return json.object(
          time + json.attributes(event.attributes) + json.number("droppedAttributesCount", event.dropped))
      }
      members.append(member("events", list))
    }
    if !span.links.isEmpty {
      let list = array(span.links) { json, link in
        let ids =
          json.id("traceId", link.traceID) + json.id("spanId", link.spanID) + json.text("traceState", link.traceState)
        let counts = json.number("droppedAttributesCount", link.dropped) + json.number("flags", link.flags)
        return json.object(ids + json.attributes(link.attributes) + counts)
      }
      members.append(member("links", list))
    }
    members += number("droppedEventsCount", span.droppedEvents) + number("droppedLinksCount", span.droppedLinks)
    let status =
      text("message", span.statusMessage)
      + enumeration("code", span.statusCode, names: ["OK", "ERROR"], prefix: "STATUS_CODE_")
    members.append(member("status", object(status)))
    return object(random.shuffled(members))
  }

  /// By name where there is one (numbers from 1), or by number.
  mutating func enumeration(_ name: String, _ value: Int32, names: [String], prefix: String) -> [String] {
    if value == 0, random.chance(2) { return [] }
    let index = Int(value) - 1
    if names.indices.contains(index), random.chance(2) { return [member(name, "\"\(prefix)\(names[index])\"")] }
    return [member(name, "\(value)")]
  }
}
