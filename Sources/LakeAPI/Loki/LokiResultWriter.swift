import LakeJSON
import LakeModel
import LakeQuery

/// Writes answers in Loki's JSON, straight from columns: no `String` per entry.
enum LokiResultWriter {
  /// `{"status":"success","data":{"resultType":...,"result":...,"stats":...}}`
  ///
  /// - Parameter time: of the evaluation, for scalars.
  static func write(_ result: LogQueryResult, isCategorized: Bool = false, at time: Timestamp? = nil) -> Bytes {
    var json = JSONWriter(capacity: 64 << 10)
    json.object { json in
      json.member("status", "success")
      if !result.warnings.isEmpty {
        json.key("warnings")
        json.array { json in for warning in result.warnings { json.value(warning) } }
      }
      json.key("data")
      json.object { json in
        json.member("resultType", resultType(result.data))
        if isCategorized, case .streams = result.data {
          json.key("encodingFlags")
          json.array { json in json.value("categorize-labels") }
        }
        json.key("result")
        writeData(result.data, isCategorized, time, &json)
        json.key("stats")
        LokiStatistics.write(result.statistics, &json)
      }
    }
    return json.finish()
  }

  /// One message of a tail: `{"streams":[...]}`.
  static func writeTail(_ streams: [LogStream], isCategorized: Bool) -> Bytes {
    var json = JSONWriter(capacity: 16 << 10)
    json.object { json in
      json.key("streams")
      writeData(.streams(streams), isCategorized, nil, &json)
      if isCategorized {
        json.key("encodingFlags")
        json.array { json in json.value("categorize-labels") }
      }
    }
    return json.finish()
  }

  private static func resultType(_ data: LogQueryResult.Data) -> String {
    switch data {
    case .streams: "streams"
    case .matrix: "matrix"
    case .vector: "vector"
    case .scalar: "scalar"
    }
  }

  private static func writeData(
    _ data: LogQueryResult.Data, _ isCategorized: Bool, _ time: Timestamp?, _ json: inout JSONWriter
  ) {
    switch data {
    case .streams(let streams):
      json.array { json in for stream in streams { write(stream, isCategorized: isCategorized, &json) } }
    case .matrix(let series):
      json.array { json in for one in series { write(one, &json) } }
    case .vector(let samples):
      json.array { json in
        for sample in samples {
          json.object { json in
            json.key("metric")
            write(sample.labels, &json)
            json.key("value")
            write(sample.time, sample.value, &json)
          }
        }
      }
    case .scalar(let value):
      json.array { json in
        json.raw(String(scalarSeconds(time ?? Timestamp(nanoseconds: 0))))
        json.value(FloatText.fixed(value))
      }
    }
  }

  /// Loki's time of a scalar overflows on its way out, and the recordings say so (`binop-f3007451d5`); nobody reads it.
  private static func scalarSeconds(_ time: Timestamp) -> Int64 {
    (Int64(bitPattern: time.nanoseconds) &* 1000) / 1_000_000
  }

  static func write(_ labels: LabelSet, _ json: inout JSONWriter) {
    json.open(UInt8(ascii: "{"))
    labels.forEach { name, value in
      json.key(name)
      json.value(value)
    }
    json.close(UInt8(ascii: "}"))
  }

  private static func write(_ stream: LogStream, isCategorized: Bool, _ json: inout JSONWriter) {
    json.open(UInt8(ascii: "{"))
    json.key("stream")
    write(stream.labels, &json)
    json.key("values")
    json.open(UInt8(ascii: "["))
    let lines = LineColumn(stream.lines)
    for (index, time) in stream.times.enumerated() {
      json.open(UInt8(ascii: "["))
      json.quoted(time)
      lines.with(index) { json.value($0) }
      if isCategorized { write(index < stream.metadata.count ? stream.metadata[index] : nil, &json) }
      json.close(UInt8(ascii: "]"))
    }
    json.close(UInt8(ascii: "]"))
    json.close(UInt8(ascii: "}"))
  }

  private static func write(_ metadata: EntryMetadata?, _ json: inout JSONWriter) {
    json.open(UInt8(ascii: "{"))
    if let metadata {
      for (name, labels) in [("structuredMetadata", metadata.structured), ("parsed", metadata.parsed)]
      where labels.count > 0 {
        json.key(name)
        write(labels, &json)
      }
    }
    json.close(UInt8(ascii: "}"))
  }

  private static func write(_ series: SampleSeries, _ json: inout JSONWriter) {
    json.object { json in
      json.key("metric")
      write(series.labels, &json)
      json.key("values")
      json.array { json in
        for (time, value) in zip(series.times, series.values) { write(time, value, &json) }
      }
    }
  }

  /// `[1768471500.5,"0.3"]`: seconds to the millisecond.
  private static func write(_ time: Timestamp, _ value: Double, _ json: inout JSONWriter) {
    json.open(UInt8(ascii: "["))
    let milliseconds = time.nanoseconds / 1_000_000
    var seconds = String(milliseconds / 1000)
    if milliseconds % 1000 != 0 {
      var fraction = String(1000 + milliseconds % 1000).dropFirst()
      while fraction.last == "0" { fraction.removeLast() }
      seconds += "." + fraction
    }
    json.raw(seconds)
    json.value(FloatText.fixed(value))
    json.close(UInt8(ascii: "]"))
  }
}

/// Values of a column of text, plain or behind a dictionary.
struct LineColumn {
  private let indices: Buffer<UInt32>?
  private let offsets: Buffer<UInt32>
  private let data: Buffer<UInt8>

  init(_ column: Column) {
    switch column.values {
    case .bytes(let offsets, let data): (indices, self.offsets, self.data) = (nil, offsets, data)
    case .dictionary(let indices, let dictionary):
      guard case .bytes(let offsets, let data) = dictionary.values else {
        preconditionFailure("lines are text")
      }
      (self.indices, self.offsets, self.data) = (indices, offsets, data)
    default: preconditionFailure("lines are text")
    }
  }

  func with(_ index: Int, _ body: (UnsafeBufferPointer<UInt8>) -> Void) {
    let at = indices.map { Int($0[index]) } ?? index
    let (start, end) = (Int(offsets[at]), Int(offsets[at + 1]))
    precondition(start <= end && end <= data.count)
    data.withValues { body(UnsafeBufferPointer(rebasing: $0[start..<end])) }
  }

  func text(_ index: Int) -> String {
    var text = ""
    with(index) { text = String(decoding: $0, as: UTF8.self) }
    return text
  }
}
