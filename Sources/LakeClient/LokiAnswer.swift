import LakeJSON
package import LakeModel

/// An answer of a Loki port, read.
package struct LokiAnswer: Sendable {
  package enum Data: Sendable {
    /// In the order of the answer: stream by stream.
    case entries([LogEntry])
    case series([MetricSeries])
    case scalar(time: Double, value: String)
  }

  package var data: Data
  package var statistics: Statistics
  package var warnings: [String]

  package struct Statistics: Sendable, Hashable {
    package var bytes: Int64 = 0
    package var lines: Int64 = 0
    package var seconds = 0.0

    package init(bytes: Int64 = 0, lines: Int64 = 0, seconds: Double = 0) {
      self.bytes = bytes
      self.lines = lines
      self.seconds = seconds
    }

    package static func += (a: inout Statistics, b: Statistics) {
      a.bytes += b.bytes
      a.lines += b.lines
      a.seconds += b.seconds
    }
  }

  package struct Malformed: Error, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// `{"status":"success","data":{...}}`
  package init(_ bytes: Bytes) throws(Malformed) {
    let root = try LokiAnswer.root(bytes)
    guard let data = root["data"], let type = data["resultType"]?.string, let result = data["result"] else {
      throw Malformed(description: "the answer is none of a Loki port")
    }
    switch type {
    case "streams": self.data = .entries(try LokiAnswer.entries(result))
    case "matrix": self.data = .series(try LokiAnswer.series(result, "values"))
    case "vector": self.data = .series(try LokiAnswer.series(result, "value"))
    case "scalar":
      let parts = Array(result.elements)
      guard parts.count == 2, let time = LokiAnswer.number(parts[0]), let value = parts[1].string else {
        throw Malformed(description: "a scalar has a time and a value")
      }
      self.data = .scalar(time: time, value: value)
    default: throw Malformed(description: "result type `\(type)` is not known")
    }
    let summary = data["stats"]?["summary"]
    statistics = Statistics(
      bytes: summary?["totalBytesProcessed"]?.int64 ?? 0, lines: summary?["totalLinesProcessed"]?.int64 ?? 0,
      seconds: summary?["execTime"].flatMap { LokiAnswer.number($0) } ?? 0)
    warnings = root["warnings"]?.elements.compactMap { $0.string } ?? []
  }

  /// One message of a tail: `{"streams":[...]}`.
  package static func tailed(_ bytes: Bytes) throws(Malformed) -> [LogEntry] {
    guard let streams = try root(bytes)["streams"] else { throw Malformed(description: "the message has no streams") }
    return try entries(streams)
  }

  /// `{"status":"success","data":["...",...]}`
  package static func names(_ bytes: Bytes) throws(Malformed) -> [String] {
    try root(bytes)["data"]?.elements.compactMap { $0.string } ?? []
  }

  /// `{"status":"success","data":[{...},...]}`
  package static func labelSets(_ bytes: Bytes) throws(Malformed) -> [[String: String]] {
    try root(bytes)["data"]?.elements.map { labels($0) } ?? []
  }

  /// What an error says: the manual's JSON, or plain text.
  package static func message(_ bytes: Bytes) -> String {
    if let text = (try? JSONDocument(bytes))?.root["error"]?.string { return text }
    return String(bytes.text.prefix(2000)).trimmingLineEnds
  }

  private static func root(_ bytes: Bytes) throws(Malformed) -> JSONValue {
    do throws(JSONError) { return try JSONDocument(bytes).root } catch {
      throw Malformed(description: "the answer is not JSON")
    }
  }

  private static func entries(_ streams: JSONValue) throws(Malformed) -> [LogEntry] {
    var entries: [LogEntry] = []
    for stream in streams.elements {
      let labels = labels(stream["stream"])
      guard let values = stream["values"] else { throw Malformed(description: "a stream has no values") }
      for value in values.elements {
        let parts = Array(value.elements)
        guard parts.count >= 2, let time = parts[0].string.flatMap({ UInt64($0) }), let line = parts[1].string else {
          throw Malformed(description: "an entry has a time and a line")
        }
        let more = parts.count > 2 ? parts[2] : nil
        entries.append(
          LogEntry(
            time: time, labels: labels, metadata: self.labels(more?["structuredMetadata"]),
            parsed: self.labels(more?["parsed"]), line: line))
      }
    }
    return entries
  }

  private static func series(_ result: JSONValue, _ member: String) throws(Malformed) -> [MetricSeries] {
    var found: [MetricSeries] = []
    for one in result.elements {
      guard let values = one[member] else { throw Malformed(description: "a series has no values") }
      var samples: [(time: Double, value: String)] = []
      for value in member == "value" ? [values] : Array(values.elements) {
        let parts = Array(value.elements)
        guard parts.count == 2, let time = number(parts[0]), let text = parts[1].string else {
          throw Malformed(description: "a sample has a time and a value")
        }
        samples.append((time, text))
      }
      found.append(MetricSeries(labels: labels(one["metric"]), samples: samples))
    }
    return found
  }

  private static func labels(_ object: JSONValue?) -> [String: String] {
    var labels: [String: String] = [:]
    guard let object, object.kind == .object else { return labels }
    for member in object.members { labels[member.nameText] = member.value.string ?? "" }
    return labels
  }

  private static func number(_ value: JSONValue) -> Double? { value.double ?? value.int64.map(Double.init) }
}

extension String {
  var trimmingLineEnds: String {
    var text = Substring(self)
    while let last = text.last, last.isNewline { text.removeLast() }
    return String(text)
  }
}
