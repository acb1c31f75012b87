import LakeJSON
import LakeModel
import LakeSchema

/// One log record as the wire has it.
struct LogFields {
  var time: UInt64 = 0
  var observed: UInt64 = 0
  var severityNumber: Int32 = 0
  var severityText = RawBytes.none
  var body = AnyValueWire.absent
  var dropped: UInt32 = 0
  var flags: UInt32 = 0
  var traceID = RawBytes.none
  var spanID = RawBytes.none
  var eventName = RawBytes.none
}

/// Builds the columns of `LakeTable.logs`, a record at a time. The mapping is in README.md.
struct LogsBuilder: ~Copyable {
  let context: DecodeContext
  var arena = Arena()
  var group: GroupBuilder
  var attributes: AttributesBuilder
  private(set) var rowCount = 0
  private(set) var hasRecordWithoutTime = false

  private var timestamp = BufferBuilder<Int64>(capacity: 256)
  private var timestampNanos = FixedColumnBuilder<Int32>(capacity: 256)
  private var observed = BufferBuilder<Int64>(capacity: 256)
  private var observedNanos = FixedColumnBuilder<Int32>(capacity: 256)
  private var traceID = FixedBytesColumnBuilder(width: IDs.traceBytes, capacity: 256)
  private var spanID = FixedBytesColumnBuilder(width: IDs.spanBytes, capacity: 256)
  private var severityNumber = FixedColumnBuilder<Int32>(capacity: 256)
  private var severityText: TextColumnBuilder
  private var severityDerived = BufferBuilder<UInt8>(capacity: 256)
  private var body = BytesColumnBuilder(capacity: 256, bytesPerValue: 128)
  private var bodyKind: TextColumnBuilder
  private var flags = BufferBuilder<Int32>(capacity: 256)
  private var dropped = BufferBuilder<Int32>(capacity: 256)
  private var eventName: TextColumnBuilder
  private var extra = BytesColumnBuilder(capacity: 256, bytesPerValue: 1)

  init(context: DecodeContext, door: GroupBuilder.Door) {
    self.context = context
    let seed = context.hashSeed
    group = GroupBuilder(limits: context.limits, seed: seed, door: door)
    attributes = AttributesBuilder(limits: context.limits, seed: seed)
    severityText = TextColumnBuilder(seed: seed)
    bodyKind = TextColumnBuilder(seed: seed)
    eventName = TextColumnBuilder(seed: seed)
  }

  /// Ends a record whose attributes were given to `attributes` since `beginRow`.
  /// - Parameter message: the whole LogRecord, kept when some text of it had to be repaired.
  @inline(__always)
  mutating func endRecord(_ fields: borrowing LogFields, message: RawBytes) throws(WireError) {
    var isRepaired = attributes.hasRepairedText
    try attributes.endRow()
    appendTimes(fields.time, fields.observed)
    if !appendSeverity(fields.severityNumber, fields.severityText) { isRepaired = true }
    if try !appendBody(fields.body) { isRepaired = true }
    flags.append(Int32(bitPattern: fields.flags))
    dropped.append(Int32(bitPattern: fields.dropped))
    if fields.eventName.isEmpty {
      eventName.appendAbsent()
    } else if !eventName.append(fields.eventName) {
      isRepaired = true
    }
    let hasOddID = appendIDs(trace: fields.traceID, span: fields.spanID)
    if isRepaired || hasOddID || attributes.hasRepeatedKey || attributes.hasInexactValue {
      try appendExtra(fields, message: message, isRepaired: isRepaired)
    } else {
      extra.appendAbsent()
    }
    rowCount += 1
    guard rowCount <= context.limits.recordsMax else { throw WireError(.manyRecords, at: message.start) }
  }

  @inline(__always)
  private mutating func appendTimes(_ time: UInt64, _ observedTime: UInt64) {
    if observedTime != 0 {
      let (micros, rest) = observedTime.quotientAndRemainder(dividingBy: 1000)
      observed.append(Int64(truncatingIfNeeded: micros))
      observedNanos.append(Int32(truncatingIfNeeded: rest))
    } else {
      observed.append(context.ingested.microseconds)
      observedNanos.appendAbsent()
    }
    if time != 0 {
      let (micros, rest) = time.quotientAndRemainder(dividingBy: 1000)
      timestamp.append(Int64(truncatingIfNeeded: micros))
      timestampNanos.append(Int32(truncatingIfNeeded: rest))
    } else {
      // The observed time's column holds the ingest time by now if there was no observed time either.
      timestamp.append(observed.base[observed.count - 1])
      timestampNanos.appendAbsent()
      if observedTime == 0 { hasRecordWithoutTime = true }
    }
  }

  /// - Returns: false when invalid UTF-8 was repaired.
  @inline(__always)
  private mutating func appendSeverity(_ number: Int32, _ text: RawBytes) -> Bool {
    if number != 0 { severityNumber.append(number) } else { severityNumber.appendAbsent() }
    if !text.isEmpty {
      severityDerived.append(0)
      return severityText.append(text)
    }
    if let name = Severity.text(of: number) {
      severityDerived.append(1)
      return severityText.append(RawBytes(name))
    }
    severityDerived.append(0)
    severityText.appendAbsent()
    return true
  }

  /// - Returns: false when invalid UTF-8 was repaired.
  @inline(__always)
  private mutating func appendBody(_ value: AnyValueWire) throws(WireError) -> Bool {
    guard value.kind == .string else { return try appendOtherBody(value) }
    bodyKind.appendAbsent()
    guard value.bytes.isValidUTF8 else {
      body.append(String(decoding: value.bytes.buffer, as: UTF8.self))
      try checkBody()
      return false
    }
    copyBytes(value.bytes.start, to: body.data.reserve(value.bytes.count), value.bytes.count)
    body.data.count &+= value.bytes.count
    try checkBody()
    body.finishValue()
    return true
  }

  @inline(__always)
  private func checkBody() throws(WireError) {
    guard body.data.count <= context.limits.columnBytesMax else { throw WireError(.bigColumn, at: nil) }
  }

  /// OTLP JSON of the value, as in `{"intValue":"5"}`.
  private mutating func appendOtherBody(_ value: AnyValueWire) throws(WireError) -> Bool {
    guard value.kind != .none else {
      body.appendAbsent()
      bodyKind.appendAbsent()
      return true
    }
    var json = ProtoToJSON(keepsNaN: true, valueDepthMax: context.limits.valueDepthMax)
    var message = BufferBuilder<UInt8>(capacity: value.bytes.count + 16)
    message.append(value)
    try json.append(.anyValue, message.written, to: &body.data)
    try checkBody()
    body.finishValue()
    bodyKind.append(RawBytes(value.kind.jsonName))
    return !json.isRepaired
  }

  /// - Returns: true when an id is there that the columns cannot hold.
  @inline(__always)
  private mutating func appendIDs(trace: RawBytes, span: RawBytes) -> Bool {
    var isOdd = false
    if IDs.isValid(trace, count: IDs.traceBytes) {
      traceID.append(UnsafeRawBufferPointer(trace.buffer))
    } else {
      traceID.appendAbsent()
      isOdd = !trace.isEmpty
    }
    if IDs.isValid(span, count: IDs.spanBytes) {
      spanID.append(UnsafeRawBufferPointer(span.buffer))
    } else {
      spanID.appendAbsent()
      isOdd = isOdd || !span.isEmpty
    }
    return isOdd
  }

  private mutating func appendExtra(
    _ fields: borrowing LogFields, message: RawBytes, isRepaired: Bool
  ) throws(WireError) {
    var writer = ExtraWriter(limits: context.limits)
    if isRepaired {
      writer.member("bytes", base64: message)
    } else {
      if !IDs.isValid(fields.traceID, count: IDs.traceBytes) { writer.member("traceId", hex: fields.traceID) }
      if !IDs.isValid(fields.spanID, count: IDs.spanBytes) { writer.member("spanId", hex: fields.spanID) }
      if attributes.hasRepeatedKey || attributes.hasInexactValue {
        try writer.member("attributes", of: .logRecord, field: 6, message: message)
      }
    }
    writer.finish(into: &extra)
    guard extra.data.count <= context.limits.columnBytesMax else { throw WireError(.bigColumn, at: message.start) }
  }

  consuming func finish() -> ColumnBatch {
    let count = rowCount
    let constant = ConstantColumns(context: context, count: count)
    let group = group.columns()
    let (map, shapes) = attributes.columns()
    let derived = Column(.boolean(severityDerived.finish()), count: count)
    let columns: [Column] = [
      constant.tenant, constant.account, group.serviceName,
      Column(.int64(timestamp.finish()), count: count), Column(.int64(observed.finish()), count: count),
      constant.ingested, traceID.column(), spanID.column(), severityNumber.column(), severityText.column(),
      body.column(), map, Column(.int32(flags.finish()), count: count), Column(.int32(dropped.finish()), count: count),
      timestampNanos.column(), observedNanos.column(), eventName.column(), bodyKind.column(), derived,
      group.scopeName, group.scopeVersion, group.resourceSchemaURL, group.scopeSchemaURL, shapes, group.resource,
      group.scope, extra.column(),
    ]
    return ColumnBatch(schema: LakeTable.logs.schema, columns: columns, count: count)
  }
}
