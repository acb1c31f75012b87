import Foundation
import LakeModel
import Testing

@testable import LakeAPI

@Suite struct PatternMinerTests {
  private static func mine(_ lines: [String], clustersMax: Int = 500) -> [(String, Int)] {
    var miner = PatternMiner(clustersMax: clustersMax)
    for line in lines { Array(line.utf8).withUnsafeBytes { miner.add($0, span: 0) } }
    return miner.finish().map { ($0.text, $0.total) }
  }

  private static func expect(_ found: [(String, Int)], _ wanted: [(String, Int)]) {
    #expect(found.map(\.0) == wanted.map(\.0))
    #expect(found.map(\.1) == wanted.map(\.1))
  }

  @Test("words that differ become gaps, constant ones stay, numbers too while they are constant") func gaps() {
    Self.expect(
      Self.mine([
        "user alice logged in from 10.0.0.1 port 22", "user bob logged in from 10.0.0.2 port 22",
        "user carol logged in from 192.168.7.3 port 22", "connection closed",
      ]),
      [("user <_> logged in from <_> port 22", 3), ("connection closed", 1)])
  }

  @Test("logfmt keeps its keys, JSON its form") func structured() {
    Self.expect(
      Self.mine([
        #"ts=2026-01-15T10:40:00Z caller=a.go:66 level=info msg="order 17 handled" took=12ms"#,
        #"ts=2026-01-15T10:41:30Z caller=a.go:66 level=info msg="order 18 handled" took=9ms"#,
        #"{"level":"warn","status":404,"path":"/api/users"}"#, #"{"level":"warn","status":500,"path":"/api/orders"}"#,
      ]),
      [
        (#"ts=<_> caller=a.go:66 level=info msg="order <_> handled" took=<_>"#, 2),
        (#"{"level":"warn","status":<_>,"path":"/api/<_>"}"#, 2),
      ])
  }

  @Test("lines of different length or punctuation are different") func different() {
    #expect(Self.mine(["a b c", "a b c d", "a=b c", "a:b c", "", "   "]).count == 4)
  }

  @Test("lines that begin differently are brought together in the end") func beginnings() {
    Self.expect(
      Self.mine(["alice has signed in again", "bob has signed in again", "carol has signed in again"]),
      [("<_> has signed in again", 3)])
  }

  @Test("clusters are bounded, and the frequent ones stay") func bounded() {
    var lines: [String] = []
    for index in 0..<2000 {
      let word = String(UnicodeScalar(UInt8(97 + index % 26))) + String(UnicodeScalar(UInt8(97 + index / 26 % 26)))
      lines.append("\(word)x \(word)y \(word)z rare")
      lines.append("frequent line number \(index)")
    }
    let found = Self.mine(lines, clustersMax: 20)
    #expect(found.count <= 20)
    #expect(found[0] == ("frequent line number <_>", 2000))
  }

  @Test("random bytes and very long lines are taken", arguments: 1...20) func random(seed: UInt64) {
    let random = SeededRandomness(seed: seed)
    var miner = PatternMiner(clustersMax: 30)
    var total = 0
    for _ in 0..<300 {
      let line = (0..<(random.next() % 60)).map { _ -> UInt8 in
        random.next() % 2 == 0
          ? Array(#" =:,"/{}a1"#.utf8)[Int(random.next() % 10)] : UInt8(truncatingIfNeeded: random.next())
      }
      line.withUnsafeBytes { miner.add($0, span: Int64(random.next() % 3)) }
      if line.contains(where: { $0 > 32 }) { total += 1 }
    }
    Array(repeating: UInt8(ascii: "="), count: 100_000).withUnsafeBytes { miner.add($0, span: 0) }
    let forgotten = miner.forgottenCount
    #expect(miner.finish().reduce(forgotten) { $0 + $1.total } == total + 1)
  }

  @Test("the route answers in Loki's shape, per level, counted by span") func route() async throws {
    let base: UInt64 = 1_768_473_600_000_000_000
    try await TestStack.with { stack in
      try await stack.push(
        (0..<6).map { (base - 60_000_000_000 + $0 * 4_000_000_000, "order \($0) handled") },
        stream: ["service_name": "web", "level": "info"])
      try await stack.push([(base - 1, "order 9 failed")], stream: ["service_name": "web", "level": "error"])
      let answer = await stack.get("/loki/api/v1/patterns", ["query": #"{service_name="web"}"#, "step": "10s"])
      #expect(answer.status == 200)
      let start = (base - 60_000_000_000) / 1_000_000_000
      #expect(
        answer.text
          == #"{"status":"success","data":[{"pattern":"order <_> handled","level":"info","samples":[[\#(start),3],[\#(start + 10),2],[\#(start + 20),1]]},{"pattern":"order 9 failed","level":"error","samples":[[\#(start + 50),1]]}]}"#
      )
      #expect(await stack.get("/loki/api/v1/patterns", ["query": "{bad"]).status == 400)
      #expect(await stack.get("/loki/api/v1/patterns", ["query": "rate({a=\"b\"}[1m])"]).status == 400)
    }
  }
}
