import LakeModel
import Testing

@testable import LakeQuery

/// Times taken by runs are the times looked at one by one.
@Suite("Ranges of times")
struct TimeColumnTests {
  @Test("in sorted, stepped and random times", arguments: 1...12)
  func selects(seed: Int) throws {
    var random = Seeded(UInt64(seed))
    let count = 1 + random.below(3000)
    let micros = Self.micros(count, &random)
    let nanos = (0..<count).map { _ in Int32(random.below(1000)) }
    let hasNanos = random.chance(50)
    let times = try BlockTimes(
      column: TimeColumn(Buffer(micros)), nanos: hasNanos ? Column(.int32(Buffer(nanos)), count: count) : nil,
      rowCount: count)
    let cut = random.below(count)
    for rows in [
      RowSelection.all(count), .ranges([0..<cut, cut + 1..<count].filter { !$0.isEmpty }),
      .all(count).filter { $0 % 3 != 1 }, .list((0..<count).filter { $0 % 7 == 0 }.map { Int32($0) }),
    ] {
      for _ in 0..<20 {
        let bounds = [0, 1].map { _ in times.nanoseconds(of: random.below(count)) + Int64(random.below(3)) - 1 }
          .sorted()
        for range in [
          bounds[0]...bounds[1], .min...bounds[1], bounds[0] ... .max, .min ... .max, bounds[0]...bounds[0],
        ] {
          let expected = rows.rows.filter { range.contains(times.nanoseconds(of: $0)) }
          #expect(times.select(rows, in: range).rows == expected)
        }
      }
    }
  }

  @Test("times that 64 bits of nanoseconds cannot hold stand at the ends")
  func saturates() throws {
    let column = TimeColumn(Buffer<Int64>([.min, -9_300_000_000_000_000, 0, 9_300_000_000_000_000, .max]))
    let times = try BlockTimes(column: column, nanos: nil, rowCount: 5)
    #expect(times.select(.all(5), in: .min ... -1).rows == [0, 1])
    #expect(times.select(.all(5), in: 0 ... .max).rows == [2, 3, 4])
    #expect(times.select(.all(5), in: .min ... .max).rows == [0, 1, 2, 3, 4])
  }

  private static func micros(_ count: Int, _ random: inout Seeded) -> [Int64] {
    let kind = random.below(3)
    return (0..<count).map { row in
      switch kind {
      case 0: Int64(count - row) * 5
      case 1: Int64(row % 500)
      default: Int64(random.below(100_000)) - 50_000
      }
    }
  }
}
