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

  /// nil when no row has attributes.
  func attributes() async throws(QueryError) -> AttributeIndex? {
    if let index { return index }
    var loaded: AttributeIndex?
    if let attributes = try await block.column(.attributes) {
      loaded = try AttributeIndex(attributes: attributes, shape: try await block.column(.attributesShape))
    }
    index = .some(loaded)
    return loaded
  }

  private func load(_ label: LabelReference) async throws(QueryError) -> LabelVector {
    var own: LabelVector?
    if let field = label.field, let column = try await block.column(field) {
      guard let vector = BlockLabels.vector(of: column, field: field) else {
        throw .corrupt("column \(field.rawValue) is of another type")
      }
      // A column wins over attributes; where it is absent, they stand in. Hidden labels are their columns only.
      if column.validity == nil || label.isHidden { return vector }
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

  private static func vector(of column: Column, field: LogField) -> LabelVector? {
    switch field {
    case .traceID, .spanID: LabelVector(column, form: .hex)
    case .severityNumber: LabelVector(numbers: column)
    default: LabelVector(column)
    }
  }
}

extension AttributeIndex {
  /// For each row the entry of `values` that the label has there, or `LabelVector.absent`.
  func slotCodes(_ name: Int32, rowCount: Int) -> Buffer<UInt32> {
    let keyCodes = keys.codes!  // made a dictionary at init
    return nameOfKey.withUnsafeBufferPointer { nameOfKey in
      Buffer<UInt32>(count: rowCount) { out in
        let offset = offsets.unsafeBase
        let code = keyCodes.unsafeBase
        for row in 0..<rowCount {
          var found = LabelVector.absent
          for slot in Int(offset[row])..<Int(offset[row &+ 1])
          where nameOfKey[Int(code[slot])] == name && values.isPresent(slot) {
            let entry = values.code(slot)
            // Of two keys with one label an empty value does not hide the other.
            if hasAliases && values.entry(entry).isEmpty { continue }
            found = UInt32(truncatingIfNeeded: entry)
          }
          out[row] = found
        }
      }
    }
  }
}

extension LabelVector {
  /// Whole numbers as decimal text.
  init?(numbers column: Column) {
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
