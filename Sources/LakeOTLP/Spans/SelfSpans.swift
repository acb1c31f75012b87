package import LakeModel
package import LakePorts

/// Our own spans -> ExportTraceServiceRequest.
package enum SelfSpans {
  /// - Parameter resource: attributes that say who we are, `service.name` first.
  package static func encode(_ spans: [TraceSpan], resource: [(name: String, value: String)]) -> Bytes {
    var out = BufferBuilder<UInt8>(capacity: 256 + spans.count * 256)
    let resourceSpans = out.beginMessage(1)
    let described = out.beginMessage(1)
    for (name, value) in resource { attribute(1, name, .text(value), into: &out) }
    out.endMessage(described)
    let scopeSpans = out.beginMessage(2)
    let scope = out.beginMessage(1)
    text(1, "icegate", into: &out)
    out.endMessage(scope)
    for span in spans { encode(span, into: &out) }
    out.endMessage(scopeSpans)
    out.endMessage(resourceSpans)
    let buffer = out.finish()
    return Bytes(storage: buffer.storage, offset: buffer.offset, count: buffer.count)
  }

  private static func encode(_ span: TraceSpan, into out: inout BufferBuilder<UInt8>) {
    let message = out.beginMessage(2)
    bytes(1, [span.context.traceHigh, span.context.traceLow], into: &out)
    bytes(2, [span.context.span], into: &out)
    if span.parent != 0 { bytes(4, [span.parent], into: &out) }
    text(5, span.name, into: &out)
    out.field(6, varint: UInt64(span.kind.rawValue))
    out.field(7, fixed64: span.start.nanoseconds)
    out.field(8, fixed64: span.end.nanoseconds)
    for (name, value) in span.attributes { attribute(9, name, value, into: &out) }
    if let failure = span.failure {
      let status = out.beginMessage(15)
      text(2, failure, into: &out)
      out.field(3, varint: 2)
      out.endMessage(status)
    }
    out.endMessage(message)
  }

  private static func attribute(
    _ number: UInt32, _ name: String, _ value: TraceSpan.Value, into out: inout BufferBuilder<UInt8>
  ) {
    let pair = out.beginMessage(number)
    text(1, name, into: &out)
    let any = out.beginMessage(2)
    switch value {
    case .text(let value): text(1, value, into: &out)
    case .number(let value): out.field(3, varint: UInt64(bitPattern: Int64(value)))
    }
    out.endMessage(any)
    out.endMessage(pair)
  }

  private static func text(_ number: UInt32, _ text: String, into out: inout BufferBuilder<UInt8>) {
    var text = text
    text.withUTF8 { utf8 in
      out.tag(number, 2)
      out.varint(UInt64(utf8.count))
      out.append(UnsafeRawBufferPointer(utf8))
    }
  }

  private static func bytes(_ number: UInt32, _ words: [UInt64], into out: inout BufferBuilder<UInt8>) {
    out.tag(number, 2)
    out.varint(UInt64(words.count * 8))
    for word in words { withUnsafeBytes(of: word.bigEndian) { out.append($0) } }
  }
}
