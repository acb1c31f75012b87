extension Column {
  /// The values of a range of rows, sharing memory with this column.
  package func slice(_ range: Range<Int>) -> Column {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    if range.count == count { return self }
    return Column(values.slice(range), count: range.count, validity: validity?.slice(range))
  }

  /// Bytes of memory the values take: what a bounded queue counts. A shared dictionary counts in full each time.
  package var memoryBytes: Int {
    (validity?.count ?? 0) + values.memoryBytes(count)
  }
}

extension Column.Values {
  fileprivate func slice(_ range: Range<Int>) -> Column.Values {
    let bounds = range.lowerBound..<range.upperBound + 1
    switch self {
    case .boolean(let values): return .boolean(values.slice(range))
    case .int32(let values): return .int32(values.slice(range))
    case .int64(let values): return .int64(values.slice(range))
    case .float(let values): return .float(values.slice(range))
    case .double(let values): return .double(values.slice(range))
    case .fixed(let data, let width):
      return .fixed(data.slice(range.lowerBound * width..<range.upperBound * width), width: width)
    case .bytes(let offsets, let data): return .bytes(offsets: offsets.slice(bounds), data: data)
    case .dictionary(let indices, let dictionary):
      return .dictionary(indices: indices.slice(range), dictionary: dictionary)
    case .list(let offsets, let element): return .list(offsets: offsets.slice(bounds), element: element)
    case .structure(let children): return .structure(children.map { $0.slice(range) })
    case .map(let offsets, let keys, let values):
      return .map(offsets: offsets.slice(bounds), keys: keys, values: values)
    }
  }

  fileprivate func memoryBytes(_ count: Int) -> Int {
    switch self {
    case .boolean(let values): return values.count
    case .int32(let values): return values.count * 4
    case .int64(let values): return values.count * 8
    case .float(let values): return values.count * 4
    case .double(let values): return values.count * 8
    case .fixed(let data, _): return data.count
    case .bytes(let offsets, _): return offsets.count * 4 + Column.Values.span(offsets, count).count
    case .dictionary(let indices, let dictionary): return indices.count * 4 + dictionary.memoryBytes
    case .list(let offsets, let element):
      return offsets.count * 4 + element.slice(Column.Values.span(offsets, count)).memoryBytes
    case .structure(let children): return children.reduce(0) { $0 + $1.memoryBytes }
    case .map(let offsets, let keys, let values):
      let span = Column.Values.span(offsets, count)
      return offsets.count * 4 + keys.slice(span).memoryBytes + values.slice(span).memoryBytes
    }
  }

  /// The elements or bytes that `count` runs cover.
  static func span(_ offsets: Buffer<UInt32>, _ count: Int) -> Range<Int> {
    Int(offsets[0])..<Int(offsets[count])
  }
}
