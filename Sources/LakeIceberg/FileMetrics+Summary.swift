package import LakeSchema

/// Counts and bounds of one leaf column over a whole file, as the file's writer counted them.
package struct LeafSummary: Sendable {
  package var fieldID: Int
  /// Bytes on disk.
  package var bytes: Int64
  package var valueCount: Int64
  package var nullCount: Int64
  package var nanCount: Int64
  /// The smallest and largest value, not cut; text may come as `.binary`. nil: none, or not known.
  package var lower: Datum?
  package var upper: Datum?

  package init(
    fieldID: Int, bytes: Int64, valueCount: Int64, nullCount: Int64, nanCount: Int64, lower: Datum?, upper: Datum?
  ) {
    self.fieldID = fieldID
    self.bytes = bytes
    self.valueCount = valueCount
    self.nullCount = nullCount
    self.nanCount = nanCount
    self.lower = lower
    self.upper = upper
  }
}

extension FileMetrics {
  /// The metrics of a file whose writer counted them already: what `MetricsCollector` would find, without a second look at
  /// the rows. Columns inside lists and maps get no bounds.
  package init(_ leaves: [LeafSummary], schema: Schema, modes: MetricsModes) {
    self.init()
    let repeated = FileMetrics.repeatedLeaves(schema.fields, isRepeated: false)
    for leaf in leaves {
      guard let field = schema.field(id: leaf.fieldID), field.type.isPrimitive else { continue }
      let mode = modes.byFieldID[leaf.fieldID] ?? .none
      if mode == .none { continue }
      columnSizes[leaf.fieldID] = leaf.bytes
      valueCounts[leaf.fieldID] = leaf.valueCount
      nullCounts[leaf.fieldID] = leaf.nullCount
      if field.type == .float || field.type == .double { nanCounts[leaf.fieldID] = leaf.nanCount }
      if mode == .counts || repeated.contains(leaf.fieldID) || field.type.isDecimal { continue }
      lowerBounds[leaf.fieldID] = leaf.lower.flatMap { Bounds.lower($0, type: field.type, mode: mode) }
      upperBounds[leaf.fieldID] = leaf.upper.flatMap { Bounds.upper($0, type: field.type, mode: mode) }
    }
  }

  private static func repeatedLeaves(_ fields: [Field], isRepeated: Bool) -> Set<Int> {
    fields.reduce(into: []) { found, field in
      if field.type.isPrimitive {
        if isRepeated { found.insert(field.id) }
        return
      }
      let isStruct = if case .structure = field.type { true } else { false }
      found.formUnion(repeatedLeaves(field.type.children, isRepeated: isRepeated || !isStruct))
    }
  }
}

extension Bounds {
  /// Zeros of either sign are equal, so a bound is the one that holds for both.
  fileprivate static func lower(_ value: Datum, type: FieldType, mode: MetricsModes.Mode) -> [UInt8]? {
    switch value {
    case .string, .binary: truncatedLower(value.singleValue, type: type, mode: mode)
    case .float(let number) where number == 0: Datum.float(-0.0).singleValue
    case .double(let number) where number == 0: Datum.double(-0.0).singleValue
    default: value.singleValue
    }
  }

  fileprivate static func upper(_ value: Datum, type: FieldType, mode: MetricsModes.Mode) -> [UInt8]? {
    switch value {
    case .string, .binary: truncatedUpper(value.singleValue, type: type, mode: mode)
    case .float(let number) where number == 0: Datum.float(0.0).singleValue
    case .double(let number) where number == 0: Datum.double(0.0).singleValue
    default: value.singleValue
    }
  }
}
