import LakeModel
import LakeSchema

/// One data point of any type as the wire has it, without its attributes, lists and exemplars.
struct PointFields {
  var start: UInt64 = 0
  var time: UInt64 = 0
  var flags: UInt32 = 0
  var value = PointValue.none
  var count: UInt64 = 0
  var sum: Double?
  var min: Double?
  var max: Double?
  var scale: Int32 = 0
  var zeroCount: UInt64 = 0
  var zeroThreshold: Double = 0
  var positiveOffset: Int32 = 0
  var negativeOffset: Int32 = 0
}

/// One metric as the wire has it, without its points.
struct MetricFields {
  var name = RawBytes.none
  var description = RawBytes.none
  var unit = RawBytes.none
  var type = MetricType.gauge
  var temporality: Int32 = 0
  var isMonotonic = false
}

/// Builds the columns of `LakeTable.metrics`, a data point at a time. The mapping is in README.md.
struct MetricsBuilder: ~Copyable {
  let context: DecodeContext
  var arena = Arena()
  var group: GroupBuilder
  var attributes: AttributesBuilder
  var exemplars: ExemplarsBuilder
  var bucketCounts = ListColumn<Int64>()
  var explicitBounds = ListColumn<Double>()
  var positiveCounts = ListColumn<Int64>()
  var negativeCounts = ListColumn<Int64>()
  var quantiles = ListColumn<Double>()
  var quantileValues = BufferBuilder<Double>()
  private(set) var rowCount = 0
  private(set) var hasRecordWithoutTime = false

  private var name: TextColumnBuilder
  private var type: TextColumnBuilder
  private var description: TextColumnBuilder
  private var unit: TextColumnBuilder
  private var temporality: TextColumnBuilder
  private var monotonic = OptionalColumn<UInt8>()
  private var metric: TextColumnBuilder
  private var time = BufferBuilder<Int64>(capacity: 256)
  private var timeNanos = OptionalColumn<Int32>()
  private var start = OptionalColumn<Int64>()
  private var startNanos = OptionalColumn<Int32>()
  private var valueDouble = OptionalColumn<Double>()
  private var valueInt = OptionalColumn<Int64>()
  private var count = OptionalColumn<Int64>()
  private var sum = OptionalColumn<Double>()
  private var min = OptionalColumn<Double>()
  private var max = OptionalColumn<Double>()
  private var scale = OptionalColumn<Int32>()
  private var zeroCount = OptionalColumn<Int64>()
  private var zeroThreshold = OptionalColumn<Double>()
  private var positiveOffset = OptionalColumn<Int32>()
  private var negativeOffset = OptionalColumn<Int32>()
  private var flags = BufferBuilder<Int32>(capacity: 256)
  private var series = BufferBuilder<UInt64>(capacity: 512)
  private var extra = RareBytesColumn()

  private var nameHash = SeriesHash()
  private var scratch = BufferBuilder<UInt8>()
  private var firstRowOfMetric = 0

  init(context: DecodeContext, bodyBytes: Int) {
    self.context = context
    let (limits, seed) = (context.limits, context.hashSeed)
    group = GroupBuilder(limits: limits, seed: seed, door: .otlp)
    attributes = AttributesBuilder(limits: limits, seed: seed, bodyBytes: bodyBytes)
    exemplars = ExemplarsBuilder(limits: limits, seed: seed)
    name = TextColumnBuilder(seed: seed)
    type = TextColumnBuilder(seed: seed)
    description = TextColumnBuilder(seed: seed)
    unit = TextColumnBuilder(seed: seed)
    temporality = TextColumnBuilder(seed: seed)
    metric = TextColumnBuilder(seed: seed)
  }

  /// Makes room for the rows of a scope.
  mutating func reserve(rows: Int) {
    monotonic.reserve(rows)
    _ = time.reserve(rows)
    timeNanos.reserve(rows)
    start.reserve(rows)
    startNanos.reserve(rows)
    valueDouble.reserve(rows)
    valueInt.reserve(rows)
    count.reserve(rows)
    sum.reserve(rows)
    min.reserve(rows)
    max.reserve(rows)
    scale.reserve(rows)
    zeroCount.reserve(rows)
    zeroThreshold.reserve(rows)
    positiveOffset.reserve(rows)
    negativeOffset.reserve(rows)
    _ = flags.reserve(rows)
    _ = series.reserve(rows * 2)
  }

  mutating func beginMetric(_ fields: borrowing MetricFields) {
    firstRowOfMetric = rowCount
    nameHash = SeriesHash()
    scratch.count = 0
    scratch.append(UInt8(ascii: "n"))
    scratch.append(fields.name)
    nameHash.add(scratch.written)
  }

  /// Fills the columns that the metric's points have in common.
  mutating func endMetric(_ fields: borrowing MetricFields, message: RawBytes) throws(WireError) {
    let rows = rowCount - firstRowOfMetric
    guard rows > 0 else { return }
    let (nameEntry, isNameValid) = name.entry(of: fields.name)
    let (descriptionEntry, isDescriptionValid) = description.entry(of: fields.description)
    let (unitEntry, isUnitValid) = unit.entry(of: fields.unit)
    name.append(nameEntry, count: rows)
    description.append(fields.description.isEmpty ? nil : descriptionEntry, count: rows)
    unit.append(fields.unit.isEmpty ? nil : unitEntry, count: rows)
    type.append(type.entry(of: RawBytes(fields.type.name)).0, count: rows)
    var temporalityEntry: UInt32?
    if fields.type.hasTemporality, var text = Temporality.text(of: fields.temporality) {
      temporalityEntry = text.withUTF8 { temporality.entry(of: RawBytes(viewing: $0)).0 }
    }
    temporality.append(temporalityEntry, count: rows)
    for _ in 0..<rows {
      if fields.type == .sum { monotonic.push(fields.isMonotonic ? 1 : 0) } else { monotonic.pushAbsent() }
    }
    let entry = try metricEntry(message, isValid: isNameValid && isDescriptionValid && isUnitValid)
    metric.append(entry, count: rows)
    let bytes = Swift.max(name.dataBytes, description.dataBytes, unit.dataBytes, metric.dataBytes)
    guard bytes <= context.limits.columnBytesMax else { throw WireError(.bigColumn, at: message.start) }
  }

  /// What the metric has beside its columns.
  private mutating func metricEntry(_ message: RawBytes, isValid: Bool) throws(WireError) -> UInt32? {
    var writer = ExtraWriter(limits: context.limits)
    var isMetadataValid = true
    if try Occurrences(of: 12, in: message).count > 0 {
      isMetadataValid = try writer.member("metadata", field: 12, message: message)
    }
    if !isValid || !isMetadataValid {
      var head = BufferBuilder<UInt8>()
      try MetricsWire.appendHead(of: message, to: &head)
      writer.member("bytes", base64: head.written)
    }
    guard let text = writer.finish() else { return nil }
    return metric.entry(of: RawBytes(text.unsafeBase, text.count)).0
  }

  /// Ends a point whose attributes were given to `attributes` since `beginRow`, its lists to theirs, its exemplars noted; `reserve` made room.
  mutating func endPoint(
    _ fields: borrowing PointFields, type: MetricType, message: RawBytes, attributesField: UInt32
  ) throws(WireError) {
    var isRepaired = attributes.hasRepairedText
    try attributes.endRow()
    if try !exemplars.endRow(arena: &arena) { isRepaired = true }
    appendTimes(fields.time, fields.start)
    flags.push(Int32(bitPattern: fields.flags))
    fields.value.push(double: &valueDouble, int: &valueInt)
    appendDistribution(fields, type: type)
    appendSeries()
    let keepsAttributes = attributes.hasRepeatedKey || attributes.hasInexactValue
    if isRepaired || keepsAttributes {
      var writer = ExtraWriter(limits: context.limits)
      if isRepaired {
        writer.member("bytes", base64: message)
      } else {
        try writer.member("attributes", field: attributesField, message: message)
      }
      writer.finish(into: &extra, row: rowCount)
      guard extra.data.count <= context.limits.columnBytesMax else { throw WireError(.bigColumn, at: message.start) }
    }
    rowCount &+= 1
  }

  /// A point without time stands at its start, then at ingest.
  @inline(__always)
  private mutating func appendTimes(_ pointTime: UInt64, _ startTime: UInt64) {
    start.push(time: startTime, nanos: &startNanos)
    if pointTime != 0 {
      time.push(Int64(truncatingIfNeeded: pointTime / 1000))
      timeNanos.push(Int32(truncatingIfNeeded: pointTime % 1000))
      return
    }
    timeNanos.pushAbsent()
    if startTime == 0 { hasRecordWithoutTime = true }
    time.push(startTime != 0 ? Int64(truncatingIfNeeded: startTime / 1000) : context.ingested.microseconds)
  }

  private mutating func appendDistribution(_ fields: borrowing PointFields, type: MetricType) {
    let isExponential = type == .exponentialHistogram
    let isDistribution = isExponential || type == .histogram || type == .summary
    if isDistribution { count.push(Int64(bitPattern: fields.count)) } else { count.pushAbsent() }
    if let value = fields.sum { sum.push(value) } else { sum.pushAbsent() }
    if let value = fields.min { min.push(value) } else { min.pushAbsent() }
    if let value = fields.max { max.push(value) } else { max.pushAbsent() }
    bucketCounts.endRow(isPresent: type == .histogram)
    explicitBounds.endRow(isPresent: type == .histogram)
    positiveCounts.endRow(isPresent: isExponential)
    negativeCounts.endRow(isPresent: isExponential)
    quantiles.endRow(isPresent: type == .summary)
    if isExponential {
      scale.push(fields.scale)
      zeroCount.push(Int64(bitPattern: fields.zeroCount))
      zeroThreshold.push(fields.zeroThreshold)
      positiveOffset.push(fields.positiveOffset)
      negativeOffset.push(fields.negativeOffset)
    } else {
      scale.pushAbsent()
      zeroCount.pushAbsent()
      zeroThreshold.pushAbsent()
      positiveOffset.pushAbsent()
      negativeOffset.pushAbsent()
    }
  }

  private mutating func appendSeries() {
    var hash = nameHash
    attributes.forEachEntryOfLastRow { key, value in
      scratch.count = 0
      scratch.append(UInt8(ascii: "a"))
      scratch.append(key)
      scratch.append(0)
      scratch.append(UInt8(ascii: value == nil ? "n" : "s"))
      if let value { scratch.append(value) }
      hash.add(scratch.written)
    }
    series.push(hash.high.bigEndian)
    series.push(hash.low.bigEndian)
  }

  consuming func finish() -> ColumnBatch {
    let rows = rowCount
    let constant = ConstantColumns(context: context, count: rows)
    let group = group.columns()
    let (map, shapes) = attributes.columns()
    let (monotonicValues, monotonicValidity) = monotonic.finish()
    let seriesBytes = series.finish()
    let seriesColumn = Column(
      .fixed(Buffer(storage: seriesBytes.storage, offset: seriesBytes.offset, count: rows * 16), width: 16), count: rows
    )
    let columns: [Column] = [
      constant.tenant, constant.account, group.serviceName, Column(.int64(time.finish()), count: rows), start.column(),
      constant.ingested, name.column(), type.column(), description.column(), unit.column(), temporality.column(),
      Column(.boolean(monotonicValues), count: rows, validity: monotonicValidity), map, valueDouble.column(),
      valueInt.column(), count.column(), sum.column(), min.column(), max.column(), bucketCounts.column(),
      explicitBounds.column(), scale.column(), zeroCount.column(), zeroThreshold.column(), positiveOffset.column(),
      positiveCounts.column(), negativeOffset.column(), negativeCounts.column(),
      MetricsBuilder.quantileColumn(quantiles, quantileValues), Column(.int32(flags.finish()), count: rows),
      exemplars.column(), seriesColumn, timeNanos.column(), startNanos.column(), group.scopeName, group.scopeVersion,
      group.resourceSchemaURL, group.scopeSchemaURL, shapes, group.resource, group.scope, metric.column(),
      extra.column(count: rows),
    ]
    return ColumnBatch(schema: LakeTable.metrics.schema, columns: columns, count: rows)
  }

  private static func quantileColumn(
    _ quantiles: consuming ListColumn<Double>, _ values: consuming BufferBuilder<Double>
  ) -> Column {
    let (quantile, offsets, validity) = quantiles.finish()
    let count = quantile.count
    let structure = Column(
      .structure([Column(.double(quantile), count: count), Column(.double(values.finish()), count: count)]),
      count: count)
    return Column(.list(offsets: offsets, element: structure), count: offsets.count - 1, validity: validity)
  }
}
