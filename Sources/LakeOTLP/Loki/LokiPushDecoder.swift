import LakeJSON
package import LakeModel

/// Why a push was refused as a whole, with Loki's own message.
package struct LokiPushError: Error, Hashable, Sendable, CustomStringConvertible {
  /// Loki's status: 400, or 422 for a push without streams.
  package let status: Int
  package let message: String
  package init(_ message: String, status: Int = 400) {
    self.message = message
    self.status = status
  }
  package var description: String { message }
}

/// Which JSON a push may be in; protobuf is the same everywhere.
package enum LokiPushForm: Sendable, Hashable {
  /// `{"streams":[{"stream":{...},"values":[...]}]}`
  case current
  /// That of `/api/prom/push`, `{"streams":[{"labels":"{...}","entries":[{"ts":...,"line":...}]}]}`, or the current one.
  case legacy
}

/// Bodies of `/loki/api/v1/push` -> rows of the logs table. The mapping is in README.md.
package enum LokiPushDecoder {
  /// Entries that Loki would refuse one by one are left out, counted in `rejectedCount` and told in `rejectionReasons` (each reason once):
  /// Loki takes the others in and answers 400 with the reasons.
  /// - Parameter body: JSON text, or the protobuf `logproto.PushRequest` after snappy decompression.
  package static func decode(
    _ body: Bytes, encoding: OTLPEncoding, form: LokiPushForm = .current, context: DecodeContext
  ) throws(LokiPushError) -> DecodedLogs {
    guard body.count <= RequestBody.bytesMax else { throw LokiPushError("body of \(body.count) bytes is too large") }
    var request = LokiRequestWriter(bodyBytes: body.count)
    switch encoding {
    case .json: try LokiJSON.read(body, form, into: &request)
    case .protobuf: try LokiProtobuf.read(body, into: &request)
    }
    guard request.streamCount > 0 else {
      throw LokiPushError("error at least one valid stream is required for ingestion", status: 422)
    }
    let (rejected, reasons) = (request.rejectedCount, request.reasons)
    let bytes = request.finish()
    let whole = RawBytes(bytes.unsafeBase.assumingMemoryBound(to: UInt8.self), bytes.count)
    var builder = LogsBuilder(context: context, door: .loki, bodyBytes: bytes.count)
    var trimmer = RequestTrimmer(limits: context.recordLimits, signal: .logs)
    do throws(WireError) {
      if let trimmed = try trimmer.trim(whole) {
        try builder.read(RawBytes(trimmed.unsafeBase.assumingMemoryBound(to: UInt8.self), trimmed.count))
        withExtendedLifetime(trimmed) {}
      } else {
        try builder.read(whole)
      }
    } catch {
      throw LokiPushError(error.described(in: nil).description)
    }
    withExtendedLifetime(bytes) {}
    return DecodedLogs(
      batch: builder.finish(), rejectedCount: rejected, rejections: [Rejection(.invalidEntry, rejected)],
      rejectionReasons: reasons, hasRecordWithoutTime: false
    ).trimmed(trimmer.excess, context.recordLimits)
  }
}

/// Writes what a push says as an ExportLogsServiceRequest: a stream is a resource whose attributes are its labels.
struct LokiRequestWriter: ~Copyable {
  private var out: BufferBuilder<UInt8>
  private(set) var streamCount = 0
  private(set) var rejectedCount = 0
  private(set) var reasons: [String] = []
  private var labels = LokiLabels()
  private var resourceStart = 0
  private var scopeStart = 0

  static let reasonsMax = 10

  init(bodyBytes: Int) { out = BufferBuilder(capacity: bodyBytes + 256) }

  consuming func finish() -> Bytes { Bytes(out.finish()) }

  mutating func beginStream(_ labels: LokiLabels) {
    self.labels = labels
    streamCount += 1
    resourceStart = out.beginMessage(1)
    let resource = out.beginMessage(1)
    for label in labels.pairs { pair(1, label.name, label.value) }
    out.endMessage(resource)
    scopeStart = out.beginMessage(2)
  }

  mutating func endStream() {
    out.endMessage(scopeStart)
    out.endMessage(resourceStart)
  }

  private mutating func pair(_ field: UInt32, _ name: String, _ value: String) {
    var (name, value) = (name, value)
    name.withUTF8 { name in
      value.withUTF8 { value in
        self.pair(field, RawBytes(viewing: name), RawBytes(viewing: value))
      }
    }
  }

  private mutating func pair(_ field: UInt32, _ name: RawBytes, _ value: RawBytes) {
    let pair = out.beginMessage(field)
    out.field(1, bytes: name)
    let any = out.beginMessage(2)
    out.field(1, bytes: value)
    out.endMessage(any)
    out.endMessage(pair)
  }

  /// Starts an entry of the stream. - Parameter time: nanoseconds since 1970.
  /// - Returns: where the entry starts, for `endEntry`; nil when it was rejected.
  mutating func beginEntry(time: Int64) -> Int? {
    if labels.pairs.isEmpty {
      reject("error at least one label pair is required per stream")
      return nil
    }
    // The table's times are unsigned, and 0 means that there is none.
    guard time > 0 else {
      let seconds = time / 1_000_000_000 - (time % 1_000_000_000 < 0 ? 1 : 0)
      reject(
        "entry for stream '\(labels.text)' has timestamp too old: \(LokiTime.text(seconds: seconds)), oldest acceptable timestamp is: 1970-01-01T00:00:00Z"
      )
      return nil
    }
    let start = out.beginMessage(2)
    out.field(1, fixed64: UInt64(time))
    if let severity = labels.value(of: "severity_text") {
      var severity = severity
      severity.withUTF8 { out.field(3, bytes: RawBytes(viewing: $0)) }
    }
    return start
  }

  /// Counts an entry whose time is beyond 64 bits of nanoseconds.
  mutating func rejectTime(seconds: Int64) {
    // Years of four digits.
    let shown = LokiTime.text(seconds: min(max(seconds, -62_135_596_800), 253_402_300_799))
    if seconds > 0 {
      reject("entry for stream '\(labels.text)' has timestamp too new: \(shown)")
    } else {
      reject(
        "entry for stream '\(labels.text)' has timestamp too old: \(shown), oldest acceptable timestamp is: 1970-01-01T00:00:00Z"
      )
    }
  }

  mutating func line(_ text: RawBytes) {
    let body = out.beginMessage(5)
    out.field(1, bytes: text)
    out.endMessage(body)
  }

  /// One pair of structured metadata. Ids in the form in which they are shown fill their columns too.
  mutating func metadata(_ name: RawBytes, _ value: RawBytes) {
    pair(6, name, value)
    if name.equals(RawBytes("trace_id")) { id(9, value, count: IDs.traceBytes) }
    if name.equals(RawBytes("span_id")) { id(10, value, count: IDs.spanBytes) }
  }

  private mutating func id(_ field: UInt32, _ text: RawBytes, count: Int) {
    guard text.count == count * 2, text.buffer.contains(where: { $0 != UInt8(ascii: "0") }),
      text.buffer.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }), let bytes = Hex.bytes(text.buffer)
    else { return }
    bytes.withUnsafeBufferPointer { out.field(field, bytes: RawBytes($0.baseAddress!, $0.count)) }
  }

  mutating func endEntry(_ start: Int) { out.endMessage(start) }

  private mutating func reject(_ reason: String) {
    rejectedCount += 1
    if reasons.count < LokiRequestWriter.reasonsMax, !reasons.contains(reason) { reasons.append(reason) }
  }
}

extension RawBytes {
  /// The bytes of a Swift string, valid as long as its buffer is.
  init(viewing buffer: UnsafeBufferPointer<UInt8>) {
    if let start = buffer.baseAddress { self.init(start, buffer.count) } else { self = .none }
  }
}
