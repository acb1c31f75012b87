import LakeModel
import LakeSchema

/// One span as the wire has it, without its attributes, events and links.
struct SpanFields {
  var traceID = RawBytes.none
  var spanID = RawBytes.none
  var traceState = RawBytes.none
  var parentSpanID = RawBytes.none
  var name = RawBytes.none
  var kind: Int32 = 0
  var start: UInt64 = 0
  var end: UInt64 = 0
  var droppedAttributes: UInt32 = 0
  var droppedEvents: UInt32 = 0
  var droppedLinks: UInt32 = 0
  var flags: UInt32 = 0
  var statusCode: Int32 = 0
  var statusMessage = RawBytes.none
}

/// Builds the columns of `LakeTable.spans`, a span at a time. The mapping is in README.md.
struct SpansBuilder: ~Copyable {
  let context: DecodeContext
  var arena = Arena()
  var group: GroupBuilder
  var attributes: AttributesBuilder
  var events: SpanEventsBuilder
  var links: SpanLinksBuilder
  private(set) var rowCount = 0
  private(set) var hasRecordWithoutTime = false
  private(set) var rejections = SpanRejections()

  private var traceID = IDColumn(width: IDs.traceBytes)
  private var spanID = IDColumn(width: IDs.spanBytes)
  private var parentSpanID = IDColumn(width: IDs.spanBytes)
  private var start = BufferBuilder<Int64>(capacity: 256)
  private var startNanos = OptionalColumn<Int32>()
  private var end = BufferBuilder<Int64>(capacity: 256)
  private var endNanos = OptionalColumn<Int32>()
  private var duration = BufferBuilder<Int64>(capacity: 256)
  private var traceState: RareTextColumn
  private var name: TextColumnBuilder
  private var kind = BufferBuilder<Int32>(capacity: 256)
  private var statusCode = BufferBuilder<Int32>(capacity: 256)
  private var statusMessage: RareTextColumn
  private var flags = BufferBuilder<Int32>(capacity: 256)
  private var droppedAttributes = BufferBuilder<Int32>(capacity: 256)
  private var droppedEvents = BufferBuilder<Int32>(capacity: 256)
  private var droppedLinks = BufferBuilder<Int32>(capacity: 256)
  private var extra = RareBytesColumn()

  init(context: DecodeContext, bodyBytes: Int) {
    self.context = context
    let (limits, seed) = (context.limits, context.hashSeed)
    group = GroupBuilder(limits: limits, seed: seed, door: .otlp)
    attributes = AttributesBuilder(limits: limits, seed: seed, bodyBytes: bodyBytes)
    events = SpanEventsBuilder(limits: limits, seed: seed)
    links = SpanLinksBuilder(limits: limits, seed: seed)
    traceState = RareTextColumn(seed: seed)
    name = TextColumnBuilder(seed: seed)
    statusMessage = RareTextColumn(seed: seed)
  }

  /// Makes room for the rows of a scope.
  mutating func reserve(rows: Int) {
    traceID.reserve(rows)
    spanID.reserve(rows)
    parentSpanID.reserve(rows)
    _ = start.reserve(rows)
    startNanos.reserve(rows)
    _ = end.reserve(rows)
    endNanos.reserve(rows)
    _ = duration.reserve(rows)
    _ = kind.reserve(rows)
    _ = statusCode.reserve(rows)
    _ = flags.reserve(rows)
    _ = droppedAttributes.reserve(rows)
    _ = droppedEvents.reserve(rows)
    _ = droppedLinks.reserve(rows)
  }

  /// Ends a span whose attributes were given to `attributes` since `beginRow`, and its events and links noted; `reserve` made room.
  mutating func endSpan(_ fields: borrowing SpanFields, message: RawBytes) throws(WireError) {
    guard IDs.isValid(fields.traceID, count: IDs.traceBytes) else {
      rejections.withoutTraceID += 1
      return attributes.dropRow()
    }
    guard IDs.isValid(fields.spanID, count: IDs.spanBytes) else {
      rejections.withoutSpanID += 1
      return attributes.dropRow()
    }
    var isRepaired = attributes.hasRepairedText
    try attributes.endRow()
    if try !events.endRow(arena: &arena) { isRepaired = true }
    if try !links.endRow(arena: &arena) { isRepaired = true }
    _ = traceID.push(fields.traceID)
    _ = spanID.push(fields.spanID)
    let isParentFine = parentSpanID.push(fields.parentSpanID)
    appendTimes(fields.start, fields.end)
    if !name.append(fields.name) { isRepaired = true }
    if !fields.traceState.isEmpty, !traceState.set(fields.traceState, row: rowCount) { isRepaired = true }
    if !fields.statusMessage.isEmpty, !statusMessage.set(fields.statusMessage, row: rowCount) { isRepaired = true }
    kind.push(fields.kind)
    statusCode.push(fields.statusCode)
    flags.push(Int32(bitPattern: fields.flags))
    droppedAttributes.push(Int32(bitPattern: fields.droppedAttributes))
    droppedEvents.push(Int32(bitPattern: fields.droppedEvents))
    droppedLinks.push(Int32(bitPattern: fields.droppedLinks))
    if isRepaired || !isParentFine || attributes.hasRepeatedKey || attributes.hasInexactValue {
      try appendExtra(fields, message: message, isRepaired: isRepaired, isParentFine: isParentFine)
    }
    rowCount &+= 1
  }

  /// A start of 0 leaves the row to its end's day, then to the day of ingest. A missing end is the start.
  private mutating func appendTimes(_ startTime: UInt64, _ endTime: UInt64) {
    let stand = startTime != 0 ? startTime : endTime
    let micros = stand != 0 ? Int64(truncatingIfNeeded: stand / 1000) : context.ingested.microseconds
    if stand == 0 { hasRecordWithoutTime = true }
    start.push(micros)
    if startTime != 0 { startNanos.push(Int32(truncatingIfNeeded: startTime % 1000)) } else { startNanos.pushAbsent() }
    if endTime != 0 {
      end.push(Int64(truncatingIfNeeded: endTime / 1000))
      endNanos.push(Int32(truncatingIfNeeded: endTime % 1000))
    } else {
      end.push(micros)
      endNanos.pushAbsent()
    }
    let isKnown = startTime != 0 && endTime > startTime
    duration.push(isKnown ? Int64(truncatingIfNeeded: (endTime - startTime) / 1000) : 0)
  }

  private mutating func appendExtra(
    _ fields: borrowing SpanFields, message: RawBytes, isRepaired: Bool, isParentFine: Bool
  ) throws(WireError) {
    var writer = ExtraWriter(limits: context.limits)
    if isRepaired {
      writer.member("bytes", base64: message)
    } else {
      if !isParentFine { writer.member("parentSpanId", hex: fields.parentSpanID) }
      if attributes.hasRepeatedKey || attributes.hasInexactValue {
        try writer.member("attributes", field: 9, message: message)
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
    let columns: [Column] = [
      constant.tenant, constant.account, traceID.column(), spanID.column(), parentSpanID.column(),
      Column(.int64(start.finish()), count: count), Column(.int64(end.finish()), count: count), constant.ingested,
      Column(.int64(duration.finish()), count: count), traceState.column(count: count), name.column(),
      Column(.int32(kind.finish()), count: count), Column(.int32(statusCode.finish()), count: count),
      statusMessage.column(count: count), map, Column(.int32(flags.finish()), count: count),
      Column(.int32(droppedAttributes.finish()), count: count), Column(.int32(droppedEvents.finish()), count: count),
      Column(.int32(droppedLinks.finish()), count: count), events.column(), links.column(), group.serviceName,
      startNanos.column(), endNanos.column(), group.scopeName, group.scopeVersion, group.resourceSchemaURL,
      group.scopeSchemaURL, shapes, group.resource, group.scope, extra.column(count: count),
    ]
    return ColumnBatch(schema: LakeTable.spans.schema, columns: columns, count: count)
  }
}
