import LakeJSON
import LakeModel

/// Streams of `/api/prom/push`: `{"labels":"{app=\"x\"}","entries":[{"ts":"2026-01-15T10:40:00Z","line":"...","structuredMetadata":{...}}]}`.
enum LokiLegacyJSON {
  /// What Go's clock says of a time that is not there: the year 1.
  private static let secondsOfNoTime: Int64 = -62_135_596_800

  private static func fault(_ field: String, _ what: String, _ path: String) -> LokiPushError {
    LokiPushError(
      "push.PushRequest.Streams: []push.Stream: push.Stream.\(field): \(what), error found at \(path)")
  }

  /// Whether the stream is in this form and not in the current one.
  static func isStream(_ tape: JSONTape, _ stream: Int) -> Bool {
    guard tape.kind(stream) == .object else { return false }
    return tape.member("labels", of: stream) != nil || tape.member("entries", of: stream) != nil
  }

  static func readStream(
    _ tape: JSONTape, _ stream: Int, _ path: String, into request: inout LokiRequestWriter
  ) throws(LokiPushError) {
    var labels = LokiLabels()
    if let at = tape.member("labels", of: stream) {
      guard tape.kind(at) == .string else {
        throw fault("Labels", #"ReadString: expects " or n"#, path + ".labels")
      }
      if tape.text(at).count > 0 {
        var parser = LokiLabelText(tape.text(at).text)
        labels = try LokiLabels(try parser.parse())
      }
    }
    request.beginStream(labels)
    if let entries = tape.member("entries", of: stream), tape.kind(entries) != .null {
      guard tape.kind(entries) == .array else {
        throw fault("Entries", "decode slice: expect [ or n", path + ".entries")
      }
      var index = 0
      try tape.forEachElement(of: entries) { (entry: Int) throws(LokiPushError) in
        try readEntry(tape, entry, "\(path).entries[\(index)]", into: &request)
        index += 1
      }
    }
    request.endStream()
  }

  private static func readEntry(
    _ tape: JSONTape, _ entry: Int, _ path: String, into request: inout LokiRequestWriter
  ) throws(LokiPushError) {
    guard tape.kind(entry) == .object else {
      throw fault("Entries: []push.Entry", "readObjectStart: expect { or n", path)
    }
    let time = try readTime(tape, entry, path)
    var line = RawBytes.none
    if let at = tape.member("line", of: entry), tape.kind(at) != .null {
      guard tape.kind(at) == .string else {
        throw fault("Entries: []push.Entry: push.Entry.Line", #"ReadString: expects " or n"#, path + ".line")
      }
      line = tape.text(at)
    }
    var metadata: Int?
    if let at = tape.member("structuredMetadata", of: entry), tape.kind(at) != .null {
      var isMap = tape.kind(at) == .object
      if isMap { tape.forEachMember(of: at) { (_, value) in isMap = isMap && tape.kind(value) == .string } }
      guard isMap else {
        throw fault(
          "Entries: []push.Entry: push.Entry.StructuredMetadata", "wanted are names with texts",
          path + ".structuredMetadata")
      }
      metadata = at
    }
    guard let nanoseconds = Int64(exactly: time) else {
      return request.rejectTime(seconds: Int64(clamping: time / 1_000_000_000))
    }
    guard let start = request.beginEntry(time: nanoseconds) else { return }
    request.line(line)
    if let metadata {
      tape.forEachMember(of: metadata) { (name, value) in request.metadata(name, tape.text(value)) }
    }
    request.endEntry(start)
  }

  /// Nanoseconds since the epoch.
  private static func readTime(_ tape: JSONTape, _ entry: Int, _ path: String) throws(LokiPushError) -> Int128 {
    guard let at = tape.member("ts", of: entry), tape.kind(at) != .null else {
      return Int128(secondsOfNoTime) * 1_000_000_000
    }
    let field = "Entries: []push.Entry: push.Entry.Timestamp: unmarshalerDecoder"
    guard tape.kind(at) == .string else {
      throw fault(field, "Time.UnmarshalJSON: input is not a JSON string", path + ".ts")
    }
    let text = tape.text(at).text
    guard let time = RFC3339.parse(text) else {
      throw fault(field, "\"\(text.prefix(64))\" is no time of RFC 3339", path + ".ts")
    }
    return time
  }
}
