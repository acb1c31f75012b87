/// What is done with the dictionaries of `.dictionary` columns as a whole.
enum ColumnDictionary {
  /// The byte runs of a plain column, in order; `body` must not keep them.
  static func forEachRun(_ column: Column, _ body: (UnsafeRawBufferPointer) -> Void) {
    switch column.values {
    case .bytes(let offsets, let data):
      offsets.withValues { offsets in
        data.withValues { data in
          let base = UnsafeRawPointer(data.baseAddress!)
          for index in 0..<column.count {
            let start = Int(offsets[index])
            body(UnsafeRawBufferPointer(start: base + start, count: Int(offsets[index &+ 1]) &- start))
          }
        }
      }
    case .fixed(let data, let width):
      data.withValues { data in
        let base = UnsafeRawPointer(data.baseAddress!)
        for index in 0..<column.count {
          body(UnsafeRawBufferPointer(start: base + index &* width, count: width))
        }
      }
    default: preconditionFailure("not a column of bytes")
    }
  }

  /// The values behind the indices; absent ones empty or zero.
  static func plain(_ indices: Buffer<UInt32>, _ dictionary: Column, _ validity: Buffer<UInt8>?) -> Column.Values {
    if dictionary.count == 0 { return allAbsent(like: dictionary, count: indices.count) }
    let rows = indices.withValues { indices in
      Buffer<Int32>(count: indices.count) { out in
        for index in 0..<indices.count { out[index] = Int32(bitPattern: indices[index]) }
      }
    }
    guard let validity else { return dictionary.gather(rows).values }
    // One more, empty entry stands for the absent values.
    let extended = Column.concatenate([
      dictionary, Column(allAbsent(like: dictionary, count: 1), count: 1),
    ])
    let empty = Int32(dictionary.count)
    let patched = Buffer<Int32>(count: rows.count) { out in
      for index in 0..<rows.count { out[index] = validity[index] != 0 ? rows[index] : empty }
    }
    return extended.gather(patched).values
  }

  private static func allAbsent(like dictionary: Column, count: Int) -> Column.Values {
    if case .fixed(_, let width) = dictionary.values {
      return .fixed(Buffer(repeating: 0, count: count * width), width: width)
    }
    return .bytes(offsets: Buffer(repeating: 0, count: count + 1), data: Buffer([]))
  }

  /// One dictionary for all parts; plain parts bring each of their values as an entry.
  static func united(_ parts: [Column]) -> Column.Values {
    if let shared = sharedDictionary(parts) {
      return .dictionary(indices: indices(parts) { indices, _, _ in indices }, dictionary: shared)
    }
    // Parts cut from one batch share its dictionary: each is gone through once.
    var remaps: [MemoryIdentity: Buffer<UInt32>] = [:]
    var table = ByteInterner(capacity: 64)
    for part in parts {
      let entries = part.dictionaryOrSelf
      if remaps[entries.memoryIdentity] != nil { continue }
      remaps[entries.memoryIdentity] = numbers(of: entries, in: &table)
    }
    let united = column(of: table, like: parts[0].dictionaryOrSelf)
    let indices = indices(parts) { indices, column, validity in
      remapped(indices, by: remaps[column.dictionaryOrSelf.memoryIdentity]!, validity)
    }
    // The table points into the parts' memory.
    withExtendedLifetime(parts) {}
    return .dictionary(indices: indices, dictionary: united)
  }

  /// The dictionaries of all parts one after another, each of them once; entries that several have in common repeat.
  static func laidOut(_ parts: [Column]) -> Column.Values {
    let (starts, dictionary) = endToEnd(parts)
    var start = starts.makeIterator()
    let indices = indices(parts) { indices, _, validity in shifted(indices, by: start.next()!, validity) }
    return .dictionary(indices: indices, dictionary: dictionary)
  }

  /// The same with each part's indices as they are, to be read with the part's start added.
  static func sideBySide(_ parts: [Column]) -> (indices: [Buffer<UInt32>], starts: [UInt32], dictionary: Column) {
    let (starts, dictionary) = endToEnd(parts)
    return (parts.map { ownIndices($0) }, starts, dictionary)
  }

  /// Where each part's entries begin in the dictionary of all.
  private static func endToEnd(_ parts: [Column]) -> (starts: [UInt32], dictionary: Column) {
    if let shared = sharedDictionary(parts) { return (parts.map { _ in 0 }, shared) }
    var known: [MemoryIdentity: UInt32] = [:]
    var starts: [UInt32] = []
    var dictionaries: [Column] = []
    var count = 0
    for part in parts {
      let entries = part.dictionaryOrSelf
      if let start = known[entries.memoryIdentity] {
        starts.append(start)
        continue
      }
      known[entries.memoryIdentity] = UInt32(count)
      starts.append(UInt32(count))
      // A plain part may have absent values; what is absent is the rows' to say, entries are all there.
      dictionaries.append(Column(entries.values, count: entries.count))
      count += entries.count
      precondition(count <= Int(UInt32.max))
    }
    return (starts, Column.concatenate(dictionaries))
  }

  /// Plain parts are their own dictionaries.
  private static func ownIndices(_ part: Column) -> Buffer<UInt32> {
    if case .dictionary(let indices, _) = part.values { return indices }
    return Buffer<UInt32>(count: part.count) { for index in 0..<part.count { $0[index] = UInt32(index) } }
  }

  private static func shifted(
    _ indices: Buffer<UInt32>, by start: UInt32, _ validity: Buffer<UInt8>?
  ) -> Buffer<UInt32> {
    if start == 0 { return indices }
    return indices.withValues { indices in
      Buffer(count: indices.count) { out in
        guard let validity else {
          for index in 0..<indices.count { out[index] = indices[index] &+ start }
          return
        }
        validity.withValues { present in
          for index in 0..<indices.count { out[index] = present[index] != 0 ? indices[index] &+ start : 0 }
        }
      }
    }
  }

  private static func sharedDictionary(_ parts: [Column]) -> Column? {
    guard case .dictionary(_, let first) = parts[0].values else { return nil }
    for part in parts {
      guard case .dictionary(_, let other) = part.values, other.memoryIdentity == first.memoryIdentity else {
        return nil
      }
    }
    return first
  }

  private static func indices(
    _ parts: [Column], _ mapped: (Buffer<UInt32>, Column, Buffer<UInt8>?) -> Buffer<UInt32>
  ) -> Buffer<UInt32> {
    var out = BufferBuilder<UInt32>(capacity: parts.reduce(0) { $0 + $1.count })
    for part in parts {
      let own = ownIndices(part)
      mapped(own, part, part.validity).withValues {
        if let base = $0.baseAddress { out.append(contentsOf: base, count: $0.count) }
      }
    }
    return out.finish()
  }

  private static func numbers(of entries: Column, in table: inout ByteInterner) -> Buffer<UInt32> {
    guard entries.count > 0 else { return Buffer([]) }
    var numbers = BufferBuilder<UInt32>(capacity: entries.count)
    // An `inout` noncopyable value cannot be captured: one more pointer hop per entry.
    withUnsafeMutablePointer(to: &table) { table in
      withUnsafeMutablePointer(to: &numbers) { numbers in
        forEachRun(entries) { numbers.pointee.append(table.pointee.number(of: $0)) }
      }
    }
    return numbers.finish()
  }

  private static func remapped(
    _ indices: Buffer<UInt32>, by numbers: Buffer<UInt32>, _ validity: Buffer<UInt8>?
  ) -> Buffer<UInt32> {
    if numbers.count == 0 { return Buffer(repeating: 0, count: indices.count) }
    return indices.withValues { indices in
      numbers.withValues { numbers in
        Buffer(count: indices.count) { out in
          if let validity {
            validity.withValues { present in
              for index in 0..<indices.count { out[index] = present[index] != 0 ? numbers[Int(indices[index])] : 0 }
            }
          } else {
            for index in 0..<indices.count { out[index] = numbers[Int(indices[index])] }
          }
        }
      }
    }
  }

  /// The distinct runs of a table as a dictionary.
  private static func column(of table: borrowing ByteInterner, like sample: Column) -> Column {
    let count = table.count
    if case .fixed(_, let width) = sample.values {
      let data = Buffer<UInt8>(count: count * width) { out in
        for entry in 0..<count {
          UnsafeMutableRawPointer(out + entry * width).copyMemory(
            from: table.entries[entry].baseAddress!, byteCount: width)
        }
      }
      return Column(.fixed(data, width: width), count: count)
    }
    var total = 0
    for entry in 0..<count { total += table.entries[entry].count }
    var builder = BytesColumnBuilder(capacity: count, bytesPerValue: count == 0 ? 0 : total / count + 1)
    for entry in 0..<count { builder.append(table.entries[entry]) }
    return builder.column()
  }
}

extension Column {
  /// The dictionary of a dictionary column, or a plain column itself as its own list of entries.
  fileprivate var dictionaryOrSelf: Column {
    if case .dictionary(_, let dictionary) = values { return dictionary }
    return self
  }

  /// Equal for columns that are the same memory.
  fileprivate var memoryIdentity: MemoryIdentity {
    switch values {
    case .bytes(let offsets, _):
      MemoryIdentity(storage: ObjectIdentifier(offsets.storage), offset: offsets.offset, count: count)
    case .fixed(let data, _):
      MemoryIdentity(storage: ObjectIdentifier(data.storage), offset: data.offset, count: count)
    default: preconditionFailure("not a column of bytes")
    }
  }
}

private struct MemoryIdentity: Hashable {
  let storage: ObjectIdentifier
  let offset: Int
  let count: Int
}
