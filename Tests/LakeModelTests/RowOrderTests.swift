import LakeModel
import Testing

@Suite struct RowOrderTests {
  @Test("sorting by several columns equals a comparison sort", arguments: 0..<400 as Range<UInt64>)
  func matchesModel(seed: UInt64) {
    var maker = ColumnMaker(seed: seed)
    let shapes: [ColumnMaker.Shape] = [
      .boolean, .int32, .int64, .float, .double, .fixed, .bytes, .dictionary, .fixedDictionary,
    ]
    let count = maker.below(50)
    let columns = (0...maker.below(3)).map { _ in
      (
        column: maker.column(shapes[maker.below(shapes.count)], count),
        order: ValueOrder(isDescending: maker.below(2) == 0, absentFirst: maker.below(2) == 0)
      )
    }
    let sorted = RowOrder.sorted(count: count, by: columns.flatMap { $0.column.orderKeys($0.order) })
    let expected = (0..<count).sorted { a, b in
      for (column, order) in columns {
        let direction = compare(column, a, b, order)
        if direction != 0 { return direction < 0 }
      }
      return a < b
    }
    #expect(sorted.array == expected.map { Int32($0) })
  }

  @Test("keys that need more than one word weigh in their order")
  func wideKeys() {
    let high = Column(.int64(Buffer([1, Int64.min, 1, Int64.max])), count: 4)
    let low = Column(.int64(Buffer([Int64.max, 0, Int64.min, 0])), count: 4)
    let keys = high.orderKeys(ValueOrder()) + low.orderKeys(ValueOrder(isDescending: true))
    #expect(keys.map(\.bits) == [64, 64])
    #expect(RowOrder.sorted(count: 4, by: keys).array == [1, 0, 2, 3])
  }

  @Test("equal values need no key")
  func constantColumns() {
    let column = Column(.int64(Buffer([7, 7, 7])), count: 3)
    #expect(column.orderKeys(ValueOrder()).isEmpty)
    #expect(RowOrder.sorted(count: 3, by: []).array == [0, 1, 2])
    #expect(RowOrder.sorted(count: 0, by: []).array == [])
  }

  /// A comparison written for the test: absent first or last, then the value's own order.
  private func compare(_ column: Column, _ a: Int, _ b: Int, _ order: ValueOrder) -> Int {
    let x = column.modelValue(a)
    let y = column.modelValue(b)
    if x == .absent || y == .absent {
      if x == y { return 0 }
      return (x == .absent) == order.absentFirst ? -1 : 1
    }
    let sign = order.isDescending ? -1 : 1
    switch (x, y) {
    case (.integer(let x), .integer(let y)): return x == y ? 0 : (x < y ? -1 : 1) * sign
    case (.bytes(let x), .bytes(let y)):
      return x == y ? 0 : (x.lexicographicallyPrecedes(y) ? -1 : 1) * sign
    case (.double(let x), .double(let y)):
      if x == y { return 0 }
      let isLess: Bool
      if case .float = column.values {
        isLess = Float(bitPattern: UInt32(x)).isTotallyOrdered(belowOrEqualTo: Float(bitPattern: UInt32(y)))
      } else {
        isLess = Double(bitPattern: x).isTotallyOrdered(belowOrEqualTo: Double(bitPattern: y))
      }
      return (isLess ? -1 : 1) * sign
    default: return 0
    }
  }
}
