import LakeModel
import LakeQuery
import LakeShift
import Testing

@testable import LakeAPI

/// A tail over a lake that takes rows in and shifts them at any moment.
@Suite struct LogTailTests {
  static let base: UInt64 = 1_768_473_600_000_000_000

  private static func lines(_ step: LogTailStep) -> [String] {
    step.streams.flatMap { stream in
      let lines = LineColumn(stream.lines)
      return (0..<stream.count).map { lines.text($0) }
    }
  }

  private static func tail(
    _ stack: TestStack, _ query: String = #"{service_name="web"}"#, history: Int = 0, start: UInt64 = 0
  ) throws -> LogTail {
    try LogTail(
      engine: stack.engine,
      request: LogTailRequest(
        tenant: TenantID("t")!, query: query, start: Timestamp(nanoseconds: start), history: history))
  }

  @Test("the first step gives the newest entries, the following ones what came since")
  func history() async throws {
    try await TestStack.with { stack in
      try await stack.push((0..<5).map { (Self.base + UInt64($0), "old \($0)") })
      try await stack.shift.flush()
      try await stack.push([(Self.base + 10, "queued")])
      let tail = try Self.tail(stack, history: 3)
      #expect(Self.lines(try await tail.next()) == ["old 3", "old 4", "queued"])
      #expect(Self.lines(try await tail.next()) == [])
      try await stack.push([(Self.base + 3, "late"), (Self.base + 20, "new")])
      try await stack.push([(Self.base + 21, "another tenant's")], tenant: "u")
      #expect(Self.lines(try await tail.next()) == ["late", "new"])
      try await stack.shift.flush()
      #expect(Self.lines(try await tail.next()) == [])
    }
  }

  @Test("rows that the table took before the tail saw them are met there, beside rows that were delivered already")
  func missed() async throws {
    try await TestStack.with { stack in
      let tail = try Self.tail(stack)
      _ = try await tail.next()
      try await stack.push([(Self.base, "a"), (Self.base, "twice"), (Self.base, "twice")])
      #expect(Self.lines(try await tail.next()) == ["a", "twice", "twice"])
      try await stack.push([(Self.base, "b"), (Self.base, "twice")])
      try await stack.shift.flush()
      #expect(Self.lines(try await tail.next()).sorted() == ["b", "twice"])
      #expect(Self.lines(try await tail.next()) == [])
    }
  }

  @Test("where queries do not read the queue, rows come when the table has taken them") func withoutQueue() async throws
  {
    var settings = QuerySettings()
    settings.readsWAL = false
    try await TestStack.with(query: settings) { stack in
      let tail = try Self.tail(stack, history: 10)
      #expect(Self.lines(try await tail.next()) == [])
      for number in 0..<4 {
        try await stack.push([(Self.base + UInt64(number), "row \(number)")])
        #expect(Self.lines(try await tail.next()) == [])
        try await stack.shift.flush()
        #expect(Self.lines(try await tail.next()) == ["row \(number)"])
      }
    }
  }

  @Test("rows earlier than the start and rows that the query drops do not come") func narrowed() async throws {
    try await TestStack.with { stack in
      let tail = try Self.tail(
        stack, #"{service_name="web"} |= "keep" | logfmt | line_format "{{.n}}""#, start: Self.base)
      _ = try await tail.next()
      try await stack.push([
        (Self.base - 1, "keep n=0"), (Self.base, "keep n=1"), (Self.base + 1, "drop n=2"), (Self.base + 2, "keep n=3"),
      ])
      #expect(Self.lines(try await tail.next()) == ["1", "3"])
      try await stack.push([(Self.base - 1, "keep n=4"), (Self.base + 3, "keep n=5")])
      try await stack.shift.flush()
      #expect(Self.lines(try await tail.next()) == ["5"])
    }
  }

  @Test("metric queries cannot be followed, nor can what is no query", arguments: ["rate({a=\"b\"}[1m])", "{a=", ""])
  func refused(query: String) async throws {
    try await TestStack.with { stack in
      #expect(throws: QueryError.self) { try Self.tail(stack, query) }
    }
  }

  @Test("whatever the order of pushes, shifts and looks, every row comes once", arguments: 1...12)
  func once(seed: UInt64) async throws {
    try await TestStack.with { stack in
      let random = SeededRandomness(seed: seed)
      func below(_ bound: UInt64) -> UInt64 { random.next() % bound }
      let tail = try Self.tail(stack)
      _ = try await tail.next()
      var pushed: [String] = []
      var found: [String] = []
      for number in 0..<40 {
        switch below(10) {
        case 0...4:
          let rows = (0..<(1 + below(4))).map { index in
            // Some rows are equal in everything.
            (time: Self.base + below(5), line: below(3) == 0 ? "same" : "row \(number) \(index)")
          }
          try await stack.push(rows, stream: ["service_name": "web", "pod": "\(below(3))", "n": "\(number)"])
          pushed += rows.map(\.line)
          if below(3) == 0 { try await stack.push([(Self.base, "other")], stream: ["service_name": "db"]) }
        case 5...6: try await stack.shift.flush()
        default: found += Self.lines(try await tail.next())
        }
      }
      var step = try await tail.next()
      found += Self.lines(step)
      while step.hasMore {
        step = try await tail.next()
        found += Self.lines(step)
      }
      #expect(found.count == pushed.count)
      #expect(found.sorted() == pushed.sorted())
    }
  }
}
