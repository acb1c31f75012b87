import LakeModel

/// `logproto.PushRequest`, decompressed:
///
///     PushRequest     1 streams
///     Stream          1 labels, `{app="x"}`   2 entries   3 hash (unused)
///     Entry           1 timestamp (1 seconds, 2 nanos)   2 line   3 structured metadata   4 parsed (unused)
///     LabelPair       1 name   2 value
enum LokiProtobuf {
  static func read(_ body: Bytes, into request: inout LokiRequestWriter) throws(LokiPushError) {
    let whole = RawBytes(body.unsafeBase.assumingMemoryBound(to: UInt8.self), body.count)
    var reader = ProtoReader(whole)
    var refusal: LokiPushError?
    do throws(WireError) {
      while !reader.isAtEnd, refusal == nil {
        let tag = try reader.tag()
        if tag == 0x0A {
          refusal = try readStream(try reader.bytes(), into: &request)
        } else {
          try reader.skip(tag, known: 0b10)
        }
      }
    } catch {
      throw LokiPushError(error.described(in: whole).description)
    }
    withExtendedLifetime(body) {}
    if let refusal { throw refusal }
  }

  /// - Returns: why the labels are none, if they are none.
  private static func readStream(
    _ message: RawBytes, into request: inout LokiRequestWriter
  ) throws(WireError) -> LokiPushError? {
    var labels = RawBytes.none
    var scan = ProtoReader(message)
    while !scan.isAtEnd {
      let tag = try scan.tag()
      if tag == 0x0A { labels = try scan.bytes() } else { try scan.skip(tag, known: 0b10) }
    }
    do throws(LokiPushError) {
      if labels.count == 0 {
        request.beginStream(LokiLabels())
      } else {
        var parser = LokiLabelText(labels.text)
        request.beginStream(try LokiLabels(try parser.parse()))
      }
    } catch {
      return error
    }
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x12 { try readEntry(try reader.bytes(), into: &request) } else { try reader.skip(tag, known: 0b100) }
    }
    request.endStream()
    return nil
  }

  private static func readEntry(_ message: RawBytes, into request: inout LokiRequestWriter) throws(WireError) {
    var seconds: Int64 = 0
    var nanos: Int64 = 0
    var line = RawBytes.none
    var scan = ProtoReader(message)
    while !scan.isAtEnd {
      let tag = try scan.tag()
      switch tag {
      case 0x0A:
        var time = ProtoReader(try scan.bytes())
        while !time.isAtEnd {
          let part = try time.tag()
          switch part {
          case 0x08: seconds = Int64(bitPattern: try time.varint())
          case 0x10: nanos = Int64(Int32(truncatingIfNeeded: try time.varint()))
          default: try time.skip(part, known: 0b110)
          }
        }
      case 0x12: line = try scan.bytes()
      default: try scan.skip(tag, known: 0b110)
      }
    }
    let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = whole.addingReportingOverflow(nanos)
    if overflow || carry { return request.rejectTime(seconds: seconds) }
    guard let start = request.beginEntry(time: sum) else { return }
    request.line(line)
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      if tag == 0x1A { try readPair(try reader.bytes(), into: &request) } else { try reader.skip(tag, known: 0b1000) }
    }
    request.endEntry(start)
  }

  private static func readPair(_ message: RawBytes, into request: inout LokiRequestWriter) throws(WireError) {
    var name = RawBytes.none
    var value = RawBytes.none
    var reader = ProtoReader(message)
    while !reader.isAtEnd {
      let tag = try reader.tag()
      switch tag {
      case 0x0A: name = try reader.bytes()
      case 0x12: value = try reader.bytes()
      default: try reader.skip(tag, known: 0b110)
      }
    }
    request.metadata(name, value)
  }
}

/// Reads `{name="value", ...}`: what a client made of its labels, in PromQL's notation.
struct LokiLabelText {
  private let scalars: [Unicode.Scalar]
  private var at = 0

  init(_ text: String) { scalars = Array(text.unicodeScalars) }

  mutating func parse() throws(LokiPushError) -> [(name: String, value: String)] {
    skipSpace()
    try expect("{")
    var pairs: [(name: String, value: String)] = []
    skipSpace()
    while peek != "}" {
      let name = try name()
      skipSpace()
      try expect("=")
      skipSpace()
      pairs.append((name, try quoted()))
      skipSpace()
      if peek == "," {
        at += 1
        skipSpace()
      } else if peek != "}" {
        throw unexpected("in label set, expected \",\" or \"}\"")
      }
    }
    at += 1
    skipSpace()
    guard at == scalars.count else { throw unexpected("after the label set") }
    return pairs
  }

  private var peek: Unicode.Scalar? { at < scalars.count ? scalars[at] : nil }

  private func fault(_ what: String) -> LokiPushError {
    LokiPushError("couldn't parse labels: 1:\(at + 1): parse error: \(what)")
  }

  private func unexpected(_ context: String) -> LokiPushError {
    guard let peek else { return fault("unexpected end of input") }
    return fault("unexpected \(LokiLabels.quote(String(peek))) \(context)")
  }

  private mutating func skipSpace() {
    while let scalar = peek, scalar == " " || scalar == "\t" || scalar == "\n" || scalar == "\r" { at += 1 }
  }

  private mutating func expect(_ scalar: Unicode.Scalar) throws(LokiPushError) {
    guard peek == scalar else { throw unexpected("in label set, expected \"\(scalar)\"") }
    at += 1
  }

  private mutating func name() throws(LokiPushError) -> String {
    var name = ""
    while let scalar = peek, scalar == "_" || isLetter(scalar) || isDigit(scalar) {
      if name.isEmpty, isDigit(scalar) { throw fault("unexpected character inside braces: '\(scalar)'") }
      name.unicodeScalars.append(scalar)
      at += 1
    }
    if name.isEmpty {
      guard let scalar = peek else { throw fault("unexpected end of input inside braces") }
      throw fault("unexpected character inside braces: '\(scalar)'")
    }
    return name
  }

  private func isLetter(_ scalar: Unicode.Scalar) -> Bool {
    ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar)
  }
  private func isDigit(_ scalar: Unicode.Scalar) -> Bool { ("0"..."9").contains(scalar) }

  /// Double or single quotes with Go's escapes, or backquotes without any.
  private mutating func quoted() throws(LokiPushError) -> String {
    guard let quote = peek, quote == "\"" || quote == "'" || quote == "`" else {
      throw unexpected("in label set, expected string")
    }
    at += 1
    var bytes: [UInt8] = []
    while let scalar = peek {
      at += 1
      if scalar == quote { return String(decoding: bytes, as: UTF8.self) }
      if scalar == "\\", quote != "`" { try appendEscape(to: &bytes) } else { bytes += Array(String(scalar).utf8) }
    }
    throw fault("unterminated quoted string")
  }

  private mutating func appendEscape(to bytes: inout [UInt8]) throws(LokiPushError) {
    guard let scalar = peek else { throw fault("escape sequence not terminated") }
    at += 1
    switch scalar {
    case "n": bytes.append(10)
    case "r": bytes.append(13)
    case "t": bytes.append(9)
    case "a": bytes.append(7)
    case "b": bytes.append(8)
    case "f": bytes.append(12)
    case "v": bytes.append(11)
    case "\\", "\"", "'": bytes.append(UInt8(scalar.value))
    case "x": bytes.append(UInt8(try digits(2, radix: 16)))
    case "u", "U":
      guard let decoded = Unicode.Scalar(try digits(scalar == "u" ? 4 : 8, radix: 16)) else {
        throw fault("escape sequence is an invalid Unicode code point")
      }
      bytes += Array(String(decoded).utf8)
    case "0"..."7":
      at -= 1
      let value = try digits(3, radix: 8)
      guard value < 256 else { throw fault("octal escape value > 255") }
      bytes.append(UInt8(value))
    default: throw fault("unknown escape sequence '\(scalar)'")
    }
  }

  private mutating func digits(_ count: Int, radix: UInt32) throws(LokiPushError) -> UInt32 {
    var value: UInt64 = 0
    for _ in 0..<count {
      guard let scalar = peek, let digit = Hex.value(of: UInt8(truncatingIfNeeded: scalar.value)), scalar.isASCII,
        UInt32(digit) < radix
      else { throw fault("unknown escape sequence") }
      value = value * UInt64(radix) + UInt64(digit)
      at += 1
    }
    return value > 0xFFFF_FFFF ? .max : UInt32(value)
  }
}
