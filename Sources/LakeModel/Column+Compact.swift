extension Column {
  /// The same values with nothing beside them: dictionaries hold used entries only, nested children only reachable elements.
  ///
  /// Rows cut out of a batch share its dictionaries; what is written to a file must not name other tenants' values.
  package func compacted() -> Column {
    switch values {
    case .dictionary(let indices, let dictionary):
      return Column(Column.compacted(indices, dictionary, validity), count: count, validity: validity)
    case .list(let offsets, let element):
      let span = Values.span(offsets, count)
      return Column(
        .list(offsets: offsets.rebased(), element: element.slice(span).compacted()), count: count, validity: validity)
    case .structure(let children):
      return Column(.structure(children.map { $0.compacted() }), count: count, validity: validity)
    case .map(let offsets, let keys, let values):
      let span = Values.span(offsets, count)
      return Column(
        .map(
          offsets: offsets.rebased(), keys: keys.slice(span).compacted(), values: values.slice(span).compacted()),
        count: count, validity: validity)
    default: return self
    }
  }

  /// With so many more entries than rows, rows are hashed rather than entries gone through.
  private static let sparseEntriesPerRow = 16

  private static func compactedSparse(
    _ indices: Buffer<UInt32>, _ dictionary: Column, _ validity: Buffer<UInt8>?
  ) -> Values {
    var numbers: [UInt32: UInt32] = [:]
    var kept: [Int32] = []
    let renumbered = Buffer<UInt32>(count: indices.count) { out in
      for index in 0..<indices.count {
        out[index] = 0
        if let validity, validity[index] == 0 { continue }
        let entry = indices[index]
        if let number = numbers[entry] {
          out[index] = number
        } else {
          out[index] = UInt32(kept.count)
          numbers[entry] = UInt32(kept.count)
          kept.append(Int32(bitPattern: entry))
        }
      }
    }
    return .dictionary(indices: renumbered, dictionary: dictionary.gather(Buffer(kept)))
  }

  private static func compacted(_ indices: Buffer<UInt32>, _ dictionary: Column, _ validity: Buffer<UInt8>?) -> Values {
    if indices.count * sparseEntriesPerRow < dictionary.count { return compactedSparse(indices, dictionary, validity) }
    // New number + 1 of each used entry, in the old order; 0 while unused.
    var numbers = [UInt32](repeating: 0, count: dictionary.count)
    indices.withValues { indices in
      if let validity {
        for index in 0..<indices.count where validity[index] != 0 { numbers[Int(indices[index])] = 1 }
      } else {
        for index in indices { numbers[Int(index)] = 1 }
      }
    }
    var kept: [Int32] = []
    for entry in 0..<numbers.count where numbers[entry] != 0 {
      kept.append(Int32(entry))
      numbers[entry] = UInt32(kept.count)
    }
    if kept.count == dictionary.count { return .dictionary(indices: indices, dictionary: dictionary) }
    let renumbered = indices.withValues { indices in
      Buffer<UInt32>(count: indices.count) { out in
        for index in 0..<indices.count {
          // Absent values may stand on an entry that nobody uses.
          let present = validity.map { $0[index] != 0 } ?? true
          out[index] = present ? numbers[Int(indices[index])] &- 1 : 0
        }
      }
    }
    return .dictionary(indices: renumbered, dictionary: dictionary.gather(Buffer(kept)))
  }
}

extension Buffer where Element == UInt32 {
  /// Offsets that start at 0.
  fileprivate func rebased() -> Buffer {
    let first = self[0]
    if first == 0 { return self }
    return withValues { offsets in
      Buffer(count: offsets.count) { out in
        for index in 0..<offsets.count { out[index] = offsets[index] &- first }
      }
    }
  }
}
