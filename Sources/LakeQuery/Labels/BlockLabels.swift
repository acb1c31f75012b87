import LakeModel

/// The labels of one block's rows, loaded as they are asked for. Used by one task.
final class BlockLabels {
  let block: any LogBlock
  private var vectors: [String: LabelVector] = [:]
  private var index: AttributeIndex??
  var loadedTimes: BlockTimes?

  init(_ block: any LogBlock) { self.block = block }

  /// The value of a label in every row.
  func vector(_ label: LabelReference) async throws(QueryError) -> LabelVector {
    if let vector = vectors[label.name] { return vector }
    let vector = try await load(label)
    vectors[label.name] = vector
    return vector
  }

  /// Whether the label's vector has been made.
  func isLoaded(_ label: LabelReference) -> Bool { vectors[label.name] != nil }

  /// nil when no row has attributes.
  func attributes() async throws(QueryError) -> AttributeIndex? {
    if let index { return index }
    let loaded = try await block.attributes()
    index = .some(loaded)
    return loaded
  }

  /// Whether no row has any of the labels.
  func lacks(_ labels: [LabelReference]) async throws(QueryError) -> Bool {
    for label in labels {
      if let field = label.field {
        let isAbsent = block.bounds(field)?.isAllNull ?? false
        if !isAbsent, try await block.vector(field) != nil { return false }
      }
      if let attributes = try await attributes(), attributes.number(ofName: label.utf8) != nil { return false }
    }
    return true
  }

  private func load(_ label: LabelReference) async throws(QueryError) -> LabelVector {
    var own: LabelVector?
    if let field = label.field, let vector = try await block.vector(field) {
      // A column wins over attributes; where it is absent, they stand in. Hidden labels are their columns only.
      if vector.isPresentEverywhere || label.isHidden { return vector }
      own = vector
    } else if label.isHidden {
      return LabelVector(constant: nil)
    }
    guard let attributes = try await attributes(), let name = attributes.number(ofName: label.utf8) else {
      return own ?? LabelVector(constant: nil)
    }
    let codes = attributes.slotCodes(name, rowCount: block.rowCount)
    let vector = LabelVector(values: attributes.values, codes: codes, isShared: attributes.values.codes != nil)
    guard let own else { return vector }
    return LabelVector.joined(own, or: vector, rowCount: block.rowCount)
  }
}

extension LabelVector {
  /// A label's column of the table; nil when it is absent in every row.
  static func make(_ column: Column, _ field: LogField) throws(QueryError) -> LabelVector? {
    if column.count > 0 && column.absentCount == column.count { return nil }
    let vector: LabelVector? =
      switch field {
      case .traceID, .spanID: LabelVector(column, form: .hex)
      case .severityNumber: LabelVector(numbers: column)
      default: LabelVector(column)
      }
    guard let vector else { throw .corrupt("column \(field.rawValue) is of another type") }
    return vector
  }
}

extension LabelVector {
  /// Whole numbers as decimal text.
  convenience init?(numbers column: Column) {
    guard case .int32(let numbers) = column.values else { return nil }
    var entryOf: [Int32: UInt32] = [:]
    var entries = BytesColumnBuilder()
    let codes = Buffer<UInt32>(count: column.count) { out in
      for row in 0..<column.count {
        guard column.isPresent(row) else {
          out[row] = LabelVector.absent
          continue
        }
        let number = numbers[row]
        if let entry = entryOf[number] {
          out[row] = entry
        } else {
          out[row] = UInt32(entries.count)
          entryOf[number] = UInt32(entries.count)
          entries.append(String(number))
        }
      }
    }
    self.init(values: BytesView(entries.column())!, codes: codes, isShared: true)
  }

  /// The first vector's values, and the second's where the first has none.
  static func joined(_ first: LabelVector, or second: LabelVector, rowCount: Int) -> LabelVector {
    var entryOf: [[UInt8]: UInt32] = [:]
    var entries = BytesColumnBuilder()
    let codes = Buffer<UInt32>(count: rowCount) { out in
      for row in 0..<rowCount {
        let source = first.code(of: row) == LabelVector.absent ? second : first
        let text = source.withText(of: row) { Array($0) }
        if text.isEmpty {
          out[row] = LabelVector.absent
        } else if let entry = entryOf[text] {
          out[row] = entry
        } else {
          out[row] = UInt32(entries.count)
          entryOf[text] = UInt32(entries.count)
          text.withUnsafeBytes { entries.append($0) }
        }
      }
    }
    return LabelVector(values: BytesView(entries.column())!, codes: codes, isShared: true)
  }
}
