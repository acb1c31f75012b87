/// Numbers that order as the values of a column do: all a sort needs to look at.
package struct OrderKey: Sendable {
  /// One per row, below `1 << bits`.
  package let values: Buffer<UInt64>
  package let bits: Int

  package init(values: Buffer<UInt64>, bits: Int) {
    self.values = values
    self.bits = bits
  }
}

/// How absent and present values follow each other.
package struct ValueOrder: Hashable, Sendable {
  package var isDescending: Bool
  package var absentFirst: Bool

  package init(isDescending: Bool = false, absentFirst: Bool = true) {
    self.isDescending = isDescending
    self.absentFirst = absentFirst
  }
}

extension Column {
  /// Keys of this column, most significant first. Byte runs order unsigned and lexicographically, floating point numbers by
  /// IEEE 754 total order, as Iceberg has it. Dictionary entries are ranked once; rows only look their rank up.
  ///
  /// - Precondition: not a nested column.
  package func orderKeys(_ order: ValueOrder) -> [OrderKey] {
    var keys: [OrderKey] = []
    if let validity, absentCount > 0 {
      let absent: UInt64 = order.absentFirst ? 0 : 1
      keys.append(
        OrderKey(
          values: Buffer(count: count) { out in
            for index in 0..<count { out[index] = validity[index] != 0 ? 1 - absent : absent }
          }, bits: 1))
    }
    for raw in rawKeys() { if let key = OrderKeys.narrowed(raw, validity, order.isDescending) { keys.append(key) } }
    return keys
  }

  /// Numbers in ascending order of the values, most significant first; whatever for absent ones.
  private func rawKeys() -> [Buffer<UInt64>] {
    switch values {
    case .boolean(let values): return [OrderKeys.map(values) { UInt64($0) }]
    case .int32(let values): return [OrderKeys.map(values) { OrderKeys.biased(Int64($0)) }]
    case .int64(let values): return [OrderKeys.map(values) { OrderKeys.biased($0) }]
    case .float(let values): return [OrderKeys.map(values) { UInt64(OrderKeys.total($0.bitPattern)) }]
    case .double(let values): return [OrderKeys.map(values) { OrderKeys.total($0.bitPattern) }]
    case .fixed(let data, let width): return OrderKeys.words(data, width: width, count: count)
    case .bytes: return [OrderKeys.ranks(self)]
    case .dictionary(let indices, let dictionary):
      if dictionary.count == 0 { return [] }
      let ranks = OrderKeys.ranks(dictionary)
      return [ranks.withValues { ranks in OrderKeys.map(indices) { ranks[Int($0)] } }]
    case .list, .structure, .map: preconditionFailure("nested columns have no order")
    }
  }
}

enum OrderKeys {
  static func map<T: BitwiseCopyable>(_ values: Buffer<T>, _ key: (T) -> UInt64) -> Buffer<UInt64> {
    values.withValues { values in
      Buffer(count: values.count) { out in for index in 0..<values.count { out[index] = key(values[index]) } }
    }
  }

  @inline(__always)
  static func biased(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ (1 << 63) }

  /// Bits of a floating point number as a number that orders by IEEE 754 totalOrder.
  @inline(__always)
  static func total<T: FixedWidthInteger & UnsignedInteger>(_ bits: T) -> T {
    let sign: T = 1 << (T.bitWidth - 1)
    return bits & sign != 0 ? ~bits : bits | sign
  }

  /// Big-endian words of fixed-width values.
  static func words(_ data: Buffer<UInt8>, width: Int, count: Int) -> [Buffer<UInt64>] {
    stride(from: 0, to: width, by: 8).map { start in
      data.withValues { data in
        Buffer(count: count) { out in
          let length = min(8, width - start)
          for index in 0..<count {
            let at = UnsafeRawBufferPointer(
              rebasing: UnsafeRawBufferPointer(data)[(index * width + start)...].prefix(length))
            out[index] = ByteOrder.prefix(at)
          }
        }
      }
    }
  }

  /// The rank of each value of a plain column of bytes among its distinct values.
  static func ranks(_ column: Column) -> Buffer<UInt64> {
    guard column.count > 0 else { return Buffer([]) }
    var table = ByteInterner(capacity: min(column.count, 1024))
    var numbers = BufferBuilder<UInt32>(capacity: column.count)
    withUnsafeMutablePointer(to: &table) { table in
      withUnsafeMutablePointer(to: &numbers) { numbers in
        ColumnDictionary.forEachRun(column) { numbers.pointee.append(table.pointee.number(of: $0)) }
      }
    }
    let ranks = ranks(of: table)
    let result = numbers.finish().withValues { numbers in
      Buffer<UInt64>(count: numbers.count) { out in
        for index in 0..<numbers.count { out[index] = ranks[Int(numbers[index])] }
      }
    }
    withExtendedLifetime(column) {}
    return result
  }

  private struct Entry {
    var prefix: UInt64
    var number: Int
  }

  private static func ranks(of table: borrowing ByteInterner) -> [UInt64] {
    let count = table.count
    var sorted: [Entry] = []
    sorted.reserveCapacity(count)
    for number in 0..<count { sorted.append(Entry(prefix: ByteOrder.prefix(table.entries[number]), number: number)) }
    table.entries.withValues { runs in
      sorted.sort { a, b in
        a.prefix != b.prefix ? a.prefix < b.prefix : ByteOrder.compare(runs[a.number], runs[b.number]) < 0
      }
    }
    var ranks = [UInt64](repeating: 0, count: count)
    for (rank, entry) in sorted.enumerated() { ranks[entry.number] = UInt64(rank) }
    return ranks
  }

  /// Keys brought down to the fewest bits; nil when all present values are equal.
  static func narrowed(_ raw: Buffer<UInt64>, _ validity: Buffer<UInt8>?, _ isDescending: Bool) -> OrderKey? {
    raw.withValues { raw in
      var low = UInt64.max
      var high = UInt64.min
      for index in 0..<raw.count where validity == nil || validity![index] != 0 {
        low = min(low, raw[index])
        high = max(high, raw[index])
      }
      guard low < high else { return nil }
      let keys = Buffer<UInt64>(count: raw.count) { out in
        for index in 0..<raw.count {
          let present = validity == nil || validity![index] != 0
          out[index] = !present ? 0 : isDescending ? high &- raw[index] : raw[index] &- low
        }
      }
      return OrderKey(values: keys, bits: UInt64.bitWidth - (high - low).leadingZeroBitCount)
    }
  }
}
