import Synchronization
import Testing

@testable import LakeQuery

/// Work shared among tasks comes back in order, within bounds, and ends at the first failure.
@Suite("Work shared among tasks")
struct WorkShareTests {
  @Test("nothing is begun further ahead than allowed of what was taken in order")
  func ahead() throws {
    let share = WorkShare<Int>(count: 10, aheadMax: 4)
    #expect((0..<5).map { _ in share.take() } == [0, 1, 2, 3, nil])
    share.put(.success(11), at: 1)
    #expect(try share.nextInOrder() == nil)
    #expect(share.take() == nil)
    share.put(.success(10), at: 0)
    #expect(try share.nextInOrder() == 10)
    #expect(try share.nextInOrder() == 11)
    #expect(try share.nextInOrder() == nil)
    #expect([share.take(), share.take(), share.take()] == [4, 5, nil])
    #expect(share.hasWork(besides: 0) == false)
    #expect(!share.isDone)
  }

  @Test("a failure ends it, whatever is unfinished before it")
  func failure() {
    let share = WorkShare<Int>(count: 10, aheadMax: 4)
    _ = share.take()
    _ = share.take()
    share.put(.failure(.cancelled), at: 1)
    #expect(share.take() == nil)
    #expect(throws: QueryError.self) { try share.nextInOrder() }
  }

  @Test("results merge in order however long each piece takes", arguments: [1, 2, 3, 8])
  func merges(width: Int) async throws {
    var settings = QuerySettings()
    settings.parallelism = width
    let context = QueryContext(try await TestLake().ports, settings)
    var merged: [Int] = []
    try await context.forEach(Array(0..<200)) { number throws(QueryError) in
      for _ in 0..<(number * 7 % 5) { await Task.yield() }
      return number * number
    } merge: { (square: Int) throws(QueryError) in
      merged.append(square)
    }
    #expect(merged == (0..<200).map { $0 * $0 })
  }

  @Test("a failing merge ends the work", arguments: [1, 2, 3])
  func failingMerge(width: Int) async throws {
    var settings = QuerySettings()
    settings.parallelism = width
    let context = QueryContext(try await TestLake().ports, settings)
    let begun = Mutex(0)
    var merged = 0
    do throws(QueryError) {
      try await context.forEach(Array(0..<1000)) { number throws(QueryError) in
        begun.withLock { $0 += 1 }
        return number
      } merge: { (number: Int) throws(QueryError) in
        if number == 5 { throw .invalid("enough") }
        merged += 1
      }
      Issue.record("no error")
    } catch {
      #expect("\(error)".contains("enough"))
    }
    #expect(merged == 5)
    #expect(begun.withLock { $0 } < 100)
  }
}
