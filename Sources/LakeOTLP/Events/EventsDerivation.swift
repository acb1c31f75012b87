import LakeModel
package import LakeSchema

/// Rows of the logs table -> rows of the events table.
package enum EventsDerivation {
  /// One row for each log row that has an `event_name`, or else an attribute `event.name` that is not empty, in the same order. The
  /// domain is the attribute `event.domain`, else the name up to its last dot, else empty.
  ///
  /// - Parameter logs: rows of `LakeTable.logs`, in any layout, also read back from a table or a WAL segment; columns beyond the table's
  ///   are passed over. Of several attributes of one name (the map has one) the innermost counts.
  package static func events(from logs: ColumnBatch) -> ColumnBatch {
    var names = BytesColumnBuilder(capacity: 16)
    var domains = BytesColumnBuilder(capacity: 16)
    var rows = BufferBuilder<Int32>(capacity: 16)
    let eventName = TextReader(logs.column("event_name"))
    let attributes = EventAttributes(logs.column("attributes"))
    for row in 0..<logs.count {
      let found = attributes?.find(row)
      guard let name = eventName?[row] ?? found?.name, !name.isEmpty else { continue }
      rows.append(Int32(row))
      names.append(UnsafeRawBufferPointer(name.buffer))
      domains.append(UnsafeRawBufferPointer((found?.domain ?? prefix(of: name)).buffer))
    }
    return batch(logs, rows: rows.finish(), names: names.column(), domains: domains.column())
  }

  /// `a.b` of `a.b.c`.
  private static func prefix(of name: RawBytes) -> RawBytes {
    guard let dot = name.buffer.lastIndex(of: UInt8(ascii: ".")) else { return .none }
    return RawBytes(name.start, dot)
  }

  private static func batch(
    _ logs: ColumnBatch, rows: Buffer<Int32>, names: Column, domains: Column
  ) -> ColumnBatch {
    let schema = LakeTable.events.schema
    let columns = schema.fields.map { field in
      switch field.name {
      case "event_name": names
      case "event_domain": domains
      default: logs.column(field.name)!.gather(rows)
      }
    }
    return ColumnBatch(schema: schema, columns: columns, count: rows.count)
  }
}

/// Looks for the two attributes in a map column. Keys are mostly a dictionary: then the search is for numbers.
private struct EventAttributes {
  private let ranges: RangeReader
  private let keys: TextReader
  private let values: TextReader
  /// Numbers of the keys in the dictionary, when it has them once each and the map uses it.
  private let indices: Buffer<UInt32>?
  private var isName: [Bool] = []
  private var isDomain: [Bool] = []
  private var isWanted = true

  static let name = RawBytes("event.name")
  static let domain = RawBytes("event.domain")

  init?(_ map: Column?) {
    guard let map, case .map(_, let keys, let values) = map.values, let ranges = RangeReader(map),
      let keyReader = TextReader(keys), let valueReader = TextReader(values)
    else { return nil }
    self.ranges = ranges
    self.keys = keyReader
    self.values = valueReader
    guard case .dictionary(let indices, let dictionary) = keys.values, let entries = TextReader(dictionary) else {
      indices = nil
      return
    }
    self.indices = indices
    for entry in 0..<dictionary.count {
      let key = entries[entry] ?? .none
      isName.append(key.equals(EventAttributes.name))
      isDomain.append(key.equals(EventAttributes.domain))
    }
    isWanted = isName.contains(true) || isDomain.contains(true)
  }

  /// nil values and absent keys are nil.
  func find(_ row: Int) -> (name: RawBytes?, domain: RawBytes?) {
    var found: (name: RawBytes?, domain: RawBytes?) = (nil, nil)
    guard isWanted, let range = ranges[row] else { return found }
    for entry in range {
      if let indices {
        let index = Int(indices[entry])
        if isName[index] { found.name = values[entry] }
        if isDomain[index] { found.domain = values[entry] }
      } else if let key = keys[entry] {
        if key.equals(EventAttributes.name) { found.name = values[entry] }
        if key.equals(EventAttributes.domain) { found.domain = values[entry] }
      }
    }
    return found
  }
}
