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
  private var timestampNanos = OptionalColumn<Int32>()
  private var observed = BufferBuilder<Int64>(capacity: 256)
  private var observedNanos = OptionalColumn<Int32>()
  private var traceID = IDColumn(width: IDs.traceBytes)
  private var spanID = IDColumn(width: IDs.spanBytes)
  private var severityNumber = OptionalColumn<Int32>()
  private var severityText: TextColumnBuilder
  private var severityDerived = BufferBuilder<UInt8>(capacity: 256)
  private var bodyOffsets = BufferBuilder<UInt32>(capacity: 256)
  private var bodyData: BufferBuilder<UInt8>
  private var bodyPresence = Presence()
  private var bodyKind: RareTextColumn
  private var flags = BufferBuilder<Int32>(capacity: 256)
  private var dropped = BufferBuilder<Int32>(capacity: 256)
  private var eventName: RareTextColumn
  private var extra = RareBytesColumn()

  /// - Parameter bodyBytes: size of the request, from which the columns' sizes are guessed.
  init(context: DecodeContext, door: GroupBuilder.Door, bodyBytes: Int) {
    self.context = context
    let seed = context.hashSeed
    group = GroupBuilder(limits: context.limits, seed: seed, door: door)
    attributes = AttributesBuilder(limits: context.limits, seed: seed, bodyBytes: bodyBytes)
    bodyData = BufferBuilder(capacity: bodyBytes / 2 + 64)
    severityText = TextColumnBuilder(seed: seed)
    bodyKind = RareTextColumn(seed: seed)
    eventName = RareTextColumn(seed: seed)
    bodyOffsets.append(0)
  }

  /// Makes room for the rows of a scope.
  mutating func reserve(rows: Int) {
    _ = timestamp.reserve(rows)
    timestampNanos.reserve(rows)
    _ = observed.reserve(rows)
    observedNanos.reserve(rows)
    traceID.reserve(rows)
    spanID.reserve(rows)
    severityNumber.reserve(rows)
    _ = severityDerived.reserve(rows)
    _ = bodyOffsets.reserve(rows)
    _ = flags.reserve(rows)
    _ = dropped.reserve(rows)
  }

  /// Ends a record whose attributes were given to `attributes` since `beginRow`; `reserve` made room for it.
  /// - Parameter message: the whole LogRecord, kept when some text of it had to be repaired.
  @inline(__always)
  mutating func endRecord(_ fields: borrowing LogFields, message: RawBytes) throws(WireError) {
    var isRepaired = attributes.hasRepairedText
    try attributes.endRow()
    appendTimes(fields.time, fields.observed)
    if !appendSeverity(fields.severityNumber, fields.severityText) { isRepaired = true }
    if try !appendBody(fields.body) { isRepaired = true }
    flags.push(Int32(bitPattern: fields.flags))
    dropped.push(Int32(bitPattern: fields.dropped))
    if !fields.eventName.isEmpty, !eventName.set(fields.eventName, row: rowCount) { isRepaired = true }
    let isTraceFine = traceID.push(fields.traceID)
    let isSpanFine = spanID.push(fields.spanID)
    if isRepaired || !isTraceFine || !isSpanFine || attributes.hasRepeatedKey || attributes.hasInexactValue {
      try appendExtra(fields, message: message, isRepaired: isRepaired)
    }
    rowCount &+= 1
  }

  @inline(__always)
  private mutating func appendTimes(_ time: UInt64, _ observedTime: UInt64) {
    if observedTime != 0 {
      let (micros, rest) = observedTime.quotientAndRemainder(dividingBy: 1000)
      observed.push(Int64(truncatingIfNeeded: micros))
      observedNanos.push(Int32(truncatingIfNeeded: rest))
    } else {
      observed.push(context.ingested.microseconds)
      observedNanos.pushAbsent()
    }
    if time != 0 {
      let (micros, rest) = time.quotientAndRemainder(dividingBy: 1000)
      timestamp.push(Int64(truncatingIfNeeded: micros))
      timestampNanos.push(Int32(truncatingIfNeeded: rest))
    } else {
      // The observed time's column holds the ingest time by now if there was no observed time either.
      timestamp.push(observed.base[observed.count - 1])
      timestampNanos.pushAbsent()
      if observedTime == 0 { hasRecordWithoutTime = true }
    }
  }

  /// - Returns: false when invalid UTF-8 was repaired.
  @inline(__always)
  private mutating func appendSeverity(_ number: Int32, _ text: RawBytes) -> Bool {
    if number != 0 { severityNumber.push(number) } else { severityNumber.pushAbsent() }
    if !text.isEmpty {
      severityDerived.push(0)
      return severityText.append(text)
    }
    if let name = Severity.text(of: number) {
      severityDerived.push(1)
      return severityText.append(RawBytes(name))
    }
    severityDerived.push(0)
    severityText.appendAbsent()
    return true
  }

  /// - Returns: false when invalid UTF-8 was repaired.
  @inline(__always)
  private mutating func appendBody(_ value: AnyValueWire) throws(WireError) -> Bool {
    guard value.kind == .string else { return try appendOtherBody(value) }
    let isValid = value.bytes.isValidUTF8
    if isValid {
      copyBytes(value.bytes.start, to: bodyData.reserve(value.bytes.count), value.bytes.count)
      bodyData.count &+= value.bytes.count
    } else {
      var repaired = String(repairing: value.bytes.buffer)
      repaired.withUTF8 { bodyData.append(RawBytes(viewing: $0)) }
    }
    try endBody(isPresent: true)
    return isValid
  }

  @inline(__always)
  private mutating func endBody(isPresent: Bool) throws(WireError) {
    guard bodyData.count <= context.limits.columnBytesMax else { throw WireError(.bigColumn, at: nil) }
    bodyPresence.append(isPresent, after: rowCount)
    bodyOffsets.push(UInt32(truncatingIfNeeded: bodyData.count))
  }

  /// OTLP JSON of the value, as in `{"intValue":"5"}`.
  private mutating func appendOtherBody(_ value: AnyValueWire) throws(WireError) -> Bool {
    guard value.kind != .none else {
      try endBody(isPresent: false)
      return true
    }
    var json = ProtoToJSON(keepsNaN: true, valueDepthMax: context.limits.valueDepthMax)
    var message = BufferBuilder<UInt8>(capacity: value.bytes.count + 16)
    message.append(value)
    try json.append(.anyValue, message.written, to: &bodyData)
    try endBody(isPresent: true)
    _ = bodyKind.set(RawBytes(value.kind.jsonName), row: rowCount)
    return !json.isRepaired
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
        try writer.member("attributes", field: 6, message: message)
      }
    }
    writer.finish(into: &extra, row: rowCount)
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
      Column(
        .bytes(offsets: bodyOffsets.finish(), data: bodyData.finish()), count: count, validity: bodyPresence.finish()),
      map, Column(.int32(flags.finish()), count: count), Column(.int32(dropped.finish()), count: count),
      timestampNanos.column(), observedNanos.column(), eventName.column(count: count), bodyKind.column(count: count),
      derived,
      group.scopeName, group.scopeVersion, group.resourceSchemaURL, group.scopeSchemaURL, shapes, group.resource,
      group.scope, extra.column(count: count),
    ]
    return ColumnBatch(schema: LakeTable.logs.schema, columns: columns, count: count)
  }
}
