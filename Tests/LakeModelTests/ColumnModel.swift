import LakeModel

/// A value as a test thinks of it: what a column holds at one row, whatever the layout.
indirect enum ModelValue: Hashable {
  case absent
  case integer(Int64)
  case double(UInt64)
  case bytes([UInt8])
  case list([ModelValue])
  case structure([ModelValue])
  case map([[ModelValue]])
}

extension Column {
  func modelValues() -> [ModelValue] { (0..<count).map { modelValue($0) } }

  func modelValue(_ row: Int) -> ModelValue {
    guard isPresent(row) else { return .absent }
    switch values {
    case .boolean(let values): return .integer(Int64(values[row]))
    case .int32(let values): return .integer(Int64(values[row]))
    case .int64(let values): return .integer(values[row])
    case .float(let values): return .double(UInt64(values[row].bitPattern))
    case .double(let values): return .double(values[row].bitPattern)
    case .fixed(let data, let width): return .bytes(Array(data.array[row * width..<(row + 1) * width]))
    case .bytes(let offsets, let data): return .bytes(Array(data.array[Int(offsets[row])..<Int(offsets[row + 1])]))
    case .dictionary(let indices, let dictionary): return dictionary.modelValue(Int(indices[row]))
    case .list(let offsets, let element):
      return .list((Int(offsets[row])..<Int(offsets[row + 1])).map { element.modelValue($0) })
    case .structure(let children): return .structure(children.map { $0.modelValue(row) })
    case .map(let offsets, let keys, let values):
      return .map(
        (Int(offsets[row])..<Int(offsets[row + 1])).map { [keys.modelValue($0), values.modelValue($0)] })
    }
  }
}

/// A small deterministic generator (SplitMix64) for columns of every shape.
struct ColumnMaker {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

  enum Shape: CaseIterable {
    case boolean, int32, int64, float, double, fixed, bytes, dictionary, fixedDictionary, bytesOrDictionary, list,
      structure, map
  }

  mutating func validity(_ count: Int) -> Buffer<UInt8>? {
    if below(3) == 0 { return nil }
    return Buffer((0..<count).map { _ in UInt8(below(4) == 0 ? 0 : 1) })
  }

  mutating func text() -> [UInt8] {
    // A few texts with common prefixes, some longer than a word, one empty.
    let choices = ["", "a", "ab", "abcdefgh", "abcdefghi", "abcdefghj", "zz", "service-name-long-enough"]
    return Array(choices[below(choices.count)].utf8)
  }

  mutating func bytesColumn(_ count: Int, validity: Buffer<UInt8>?) -> Column {
    var builder = BytesColumnBuilder()
    for index in 0..<count {
      if let validity, validity[index] == 0 {
        builder.appendAbsent()
      } else {
        text().withUnsafeBytes { builder.append($0) }
      }
    }
    return builder.column()
  }

  mutating func fixedColumn(_ count: Int, width: Int) -> Column {
    Column(.fixed(Buffer((0..<count * width).map { _ in UInt8(below(3)) }), width: width), count: count)
  }

  mutating func offsets(_ count: Int) -> [UInt32] {
    var offsets: [UInt32] = [UInt32(below(2))]
    for _ in 0..<count { offsets.append(offsets.last! + UInt32(below(4))) }
    return offsets
  }

  mutating func column(_ shape: Shape, _ count: Int) -> Column {
    let validity = validity(count)
    switch shape {
    case .boolean:
      return Column(.boolean(Buffer((0..<count).map { _ in UInt8(below(2)) })), count: count, validity: validity)
    case .int32:
      return Column(
        .int32(Buffer((0..<count).map { _ in Int32(truncatingIfNeeded: next()) })), count: count, validity: validity)
    case .int64:
      let wide = below(2) == 0
      return Column(
        .int64(Buffer((0..<count).map { _ in wide ? Int64(bitPattern: next()) : Int64(below(9)) - 4 })), count: count,
        validity: validity)
    case .float:
      return Column(
        .float(Buffer((0..<count).map { _ in Float(bitPattern: UInt32(truncatingIfNeeded: next())) })), count: count,
        validity: validity)
    case .double:
      return Column(
        .double(Buffer((0..<count).map { _ in Double(bitPattern: next()) })), count: count, validity: validity)
    case .fixed:
      let plain = fixedColumn(count, width: 16)
      return Column(plain.values, count: count, validity: validity)
    case .bytes: return bytesColumn(count, validity: validity)
    case .dictionary, .fixedDictionary:
      let entries = 1 + below(6)
      let dictionary = shape == .dictionary ? bytesColumn(entries, validity: nil) : fixedColumn(entries, width: 8)
      let indices = (0..<count).map { row -> UInt32 in
        if let validity, validity[row] == 0 { return 0 }
        return UInt32(below(entries))
      }
      return Column(
        .dictionary(indices: Buffer(indices), dictionary: dictionary), count: count, validity: validity)
    case .bytesOrDictionary: return column(below(3) == 0 ? .bytes : .dictionary, count)
    case .list:
      let offsets = offsets(count)
      return Column(
        .list(offsets: Buffer(offsets), element: column(.bytesOrDictionary, Int(offsets.last!) + below(2))),
        count: count, validity: validity)
    case .structure:
      return Column(
        .structure([column(.int64, count), column(.bytesOrDictionary, count)]), count: count, validity: validity)
    case .map:
      let offsets = offsets(count)
      let entries = Int(offsets.last!) + below(2)
      var keys = column(.dictionary, entries)
      keys = Column(keys.values, count: entries)
      return Column(
        .map(offsets: Buffer(offsets), keys: keys, values: column(.bytesOrDictionary, entries)), count: count,
        validity: validity)
    }
  }
}
