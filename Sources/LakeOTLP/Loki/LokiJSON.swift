import LakeJSON
import LakeModel

/// `{"streams":[{"stream":{...},"values":[["<nanoseconds>","<line>",{...}]]}]}`.
enum LokiJSON {
  /// What Loki's JSON library says, by what it found; we add where.
  private enum Complaint {
    static let string = "Value is string, but can't find closing '\"' symbol"
    static let array = "Value is array, but can't find closing ']' symbol"
    static let object = "Value looks like object, but can't find closing '}' symbol"
    static let number = "Value looks like Number/Boolean/None, but can't find its end: ',' or '}' symbol"
    static let overflow = "Value is number, but overflowed while parsing"
  }

  private static func fault(_ what: String, _ path: String) -> LokiPushError {
    LokiPushError(
      "loghttp.PushRequest.Streams: []loghttp.LogProtoStream: unmarshalerDecoder: \(what), error found at \(path)")
  }

  static func read(
    _ body: Bytes, _ form: LokiPushForm, into request: inout LokiRequestWriter
  ) throws(LokiPushError) {
    let document: JSONDocument
    do throws(OTLPError) { document = try JSONBody.parse(body) } catch {
      throw LokiPushError("loghttp.PushRequest: \(error)")
    }
    try document.withTape { (tape: JSONTape) throws(LokiPushError) in try readRequest(tape, form, into: &request) }
  }

  private static func readRequest(
    _ tape: JSONTape, _ form: LokiPushForm, into request: inout LokiRequestWriter
  ) throws(LokiPushError) {
    switch tape.kind(JSONTape.root) {
    case .null: return
    case .object: break
    default: throw LokiPushError("loghttp.PushRequest: ReadObject: expect { or , or } or n")
    }
    guard let streams = tape.member("streams", of: JSONTape.root), tape.kind(streams) != .null else { return }
    guard tape.kind(streams) == .array else {
      throw LokiPushError("loghttp.PushRequest.Streams: decode slice: expect [ or n")
    }
    var index = 0
    try tape.forEachElement(of: streams) { (stream: Int) throws(LokiPushError) in
      let path = "$.streams[\(index)]"
      if form == .legacy, LokiLegacyJSON.isStream(tape, stream) {
        try LokiLegacyJSON.readStream(tape, stream, path, into: &request)
      } else if tape.kind(stream) != .null {
        try readStream(tape, stream, path, into: &request)
      }
      index += 1
    }
  }

  private static func readStream(
    _ tape: JSONTape, _ stream: Int, _ path: String, into request: inout LokiRequestWriter
  ) throws(LokiPushError) {
    guard tape.kind(stream) == .object else { throw fault(Complaint.object, path) }
    var members: [(name: String, value: String)] = []
    if let labelsAt = tape.member("stream", of: stream) {
      guard tape.kind(labelsAt) == .object else { throw fault(Complaint.object, path + ".stream") }
      try tape.forEachMember(of: labelsAt) { (name: RawBytes, value: Int) throws(LokiPushError) in
        guard let text = labelValue(tape, value) else { throw fault(Complaint.string, path + ".stream") }
        members.append((name.text, text))
      }
    }
    request.beginStream(try LokiLabels(members))
    if let values = tape.member("values", of: stream), tape.kind(values) != .null {
      guard tape.kind(values) == .array else { throw fault(Complaint.array, path + ".values") }
      var index = 0
      try tape.forEachElement(of: values) { (entry: Int) throws(LokiPushError) in
        if tape.kind(entry) != .null { try readEntry(tape, entry, path, index, into: &request) }
        index += 1
      }
    }
    request.endStream()
  }

  /// Loki takes numbers and words as they are written; nil for objects and arrays.
  private static func labelValue(_ tape: JSONTape, _ value: Int) -> String? {
    switch tape.kind(value) {
    case .string: tape.text(value).text
    case .integer: "\(Int64(bitPattern: tape.bits(value)))"
    case .unsigned: "\(tape.bits(value))"
    case .double: "\(Double(bitPattern: tape.bits(value)))"
    case .bool: tape.isTrue(value) ? "true" : "false"
    case .null: "null"
    case .object, .array: nil
    }
  }

  private static func readEntry(
    _ tape: JSONTape, _ entry: Int, _ path: String, _ number: Int, into request: inout LokiRequestWriter
  ) throws(LokiPushError) {
    func place(_ part: Int) -> String { "\(path).values[\(number)][\(part)]" }
    guard tape.kind(entry) == .array else { throw fault(Complaint.array, "\(path).values[\(number)]") }
    let end = tape.end(entry)
    var at = entry + 1
    var time: Int64 = 0
    if at < end {
      guard tape.kind(at) == .string else { throw fault(Complaint.string, place(0)) }
      time = try readTime(tape.text(at), place(0))
      at = tape.after(at)
    }
    var line = RawBytes.none
    if at < end {
      guard tape.kind(at) == .string else { throw fault(Complaint.string, place(1)) }
      line = tape.text(at)
      at = tape.after(at)
    }
    var metadata: Int?
    if at < end {
      guard tape.kind(at) == .object else { throw fault(Complaint.object, place(2)) }
      try tape.forEachMember(of: at) { (_: RawBytes, value: Int) throws(LokiPushError) in
        guard tape.kind(value) == .string else { throw fault(Complaint.string, place(2)) }
      }
      metadata = at
    }
    guard let start = request.beginEntry(time: time) else { return }
    request.line(line)
    if let metadata {
      try tape.forEachMember(of: metadata) { (name: RawBytes, value: Int) throws(LokiPushError) in
        request.metadata(name, tape.text(value))
      }
    }
    request.endEntry(start)
  }

  private static func readTime(_ text: RawBytes, _ place: String) throws(LokiPushError) -> Int64 {
    if text.count > 0, text.start[0] != UInt8(ascii: "+"), let time = NumberText.int64(text) { return time }
    let digits = text.buffer.drop { $0 == UInt8(ascii: "-") }
    let isNumber = !digits.isEmpty && digits.allSatisfy { (48...57).contains($0) }
    throw fault(isNumber ? Complaint.overflow : Complaint.number, place)
  }
}

extension JSONTape {
  func text(_ index: Int) -> RawBytes {
    let bytes = string(index)
    return RawBytes(bytes.baseAddress!, bytes.count)
  }

  /// The last member of this name.
  func member(_ name: StaticString, of object: Int) -> Int? {
    var found: Int?
    forEachMember(of: object) { (key: RawBytes, value: Int) in
      if key.equals(RawBytes(name)) { found = value }
    }
    return found
  }

  func forEachMember<E: Error>(of object: Int, _ body: (RawBytes, Int) throws(E) -> Void) throws(E) {
    var at = object + 1
    let end = end(object)
    while at < end {
      try body(text(at), at + 1)
      at = after(at + 1)
    }
  }

  func forEachElement<E: Error>(of array: Int, _ body: (Int) throws(E) -> Void) throws(E) {
    var at = array + 1
    let end = end(array)
    while at < end {
      try body(at)
      at = after(at)
    }
  }
}

extension RawBytes {
  /// As a string; invalid UTF-8 is repaired.
  var text: String { String(decoding: buffer, as: UTF8.self) }
}
