import LakeModel
import LakePorts

extension ObjectStoreContract {
  /// How many try the same thing at once.
  private static let racers = 16

  static let racing: [Check] = [
    Check("of many creates of one key one wins, and its bytes stand") { bench in
      for round in 0..<8 {
        let key = bench.key("round-\(round)/segment")
        let won = try await race { racer in
          _ = try await bench.store.put(key, Bytes("racer \(racer)"), condition: .ifAbsent)
        }
        try expect(won.count <= 1, "racers \(won) all created \(key)")
        let winner = try await bench.store.get(key).bytes.text
        if let first = won.first { try expectEqual(winner, "racer \(first)", "content beside the winner") }
      }
    },
    Check("of many replacements of one content one wins") { bench in
      for round in 0..<8 {
        let key = bench.key("pointer-\(round)")
        let base = try await bench.store.put(key, Bytes("base"), condition: .ifAbsent)
        let won = try await race { racer in
          _ = try await bench.store.put(key, Bytes("racer \(racer)"), condition: .ifMatch(base))
        }
        try expect(won.count <= 1, "racers \(won) all replaced \(base.text)")
        let winner = try await bench.store.get(key).bytes.text
        if let first = won.first { try expectEqual(winner, "racer \(first)", "content beside the winner") }
      }
    },
    Check("a counter kept with if-match loses no step") { bench in
      let key = bench.key("counter")
      _ = try await bench.store.put(key, Bytes("0"), condition: .ifAbsent)
      try await withThrowingTaskGroup(of: Void.self) { group in
        for racer in 0..<4 {
          group.addTask {
            for step in 0..<10 { try await increment(key, by: "\(racer).\(step)", on: bench.store) }
          }
        }
        try await group.waitForAll()
      }
      let last = try await bench.store.get(key).bytes.text
      try expectEqual(String(last.prefix { $0.isNumber }), "40", "counter")
      try expectEqual(last.filter { $0 == ";" }.count, 40, "steps")
    },
    Check("a reader sees one content whole, never two mixed") { bench in
      let key = bench.key("object")
      let contents = (1...4).map { pattern(count: $0 * 70_000, salt: UInt64($0)) }
      _ = try await bench.store.put(key, contents[0], condition: .none)
      try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask {
          for turn in 0..<40 { _ = try await bench.store.put(key, contents[turn % 4], condition: .none) }
        }
        for _ in 0..<3 {
          group.addTask {
            for _ in 0..<40 {
              let read = try await bench.store.get(key)
              try expect(contents.contains(read.bytes), "\(read.bytes.count) bytes that nobody wrote")
              try expectEqual(read.info.size, read.bytes.count, "size beside the bytes")
            }
          }
        }
        try await group.waitForAll()
      }
    },
    Check("creates and deletes of neighbours do not disturb each other") { bench in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for racer in 0..<racers {
          group.addTask {
            for turn in 0..<10 {
              let key = bench.key("shared/folder/\(racer)")
              _ = try await bench.store.put(key, Bytes("\(turn)"), condition: .ifAbsent)
              try expectEqual(try await bench.store.get(key).bytes.text, "\(turn)", "content of \(key)")
              try await bench.store.delete(key)
            }
          }
        }
        try await group.waitForAll()
      }
      try expectEqual(try await bench.store.listAll(prefix: bench.prefix).count, 0, "objects left")
    },
  ]

  /// Who was told that it had won; everyone else must have been told that it lost, or that the outcome is unknown.
  private static func race(_ attempt: @escaping @Sendable (Int) async throws -> Void) async throws -> [Int] {
    try await withThrowingTaskGroup(of: Int?.self) { group in
      for racer in 0..<racers {
        group.addTask {
          do {
            try await attempt(racer)
            return racer
          } catch let error as ObjectStoreError {
            if ErrorKind(error) != .preconditionFailed && !error.isOutcomeUnknown { throw error }
            return nil
          }
        }
      }
      return try await group.reduce(into: []) { won, racer in if let racer { won.append(racer) } }
    }
  }

  /// One step of a counter. The content names everybody who wrote, so that a lost reply can be looked up.
  private static func increment(_ key: ObjectKey, by who: String, on store: any ObjectStore) async throws {
    while true {
      let read = try await store.get(key)
      let next = try step(after: read.bytes.text, by: " \(who);")
      if next.isEmpty { return }
      if try await isReplaced(key, read.info.tag, Bytes(next), on: store) { return }
      await Task.yield()
    }
  }

  /// - Returns: empty when the writer's mark is there already.
  private static func step(after text: String, by mark: String) throws -> String {
    if text.contains(mark) { return "" }
    let digits = text.prefix { $0.isNumber }
    guard let value = Int(digits) else { throw ContractFailure("counter holds \(text)") }
    return "\(value + 1)\(text.dropFirst(digits.count))\(mark)"
  }

  /// - Returns: false when it was not, or when that is not known.
  private static func isReplaced(_ key: ObjectKey, _ tag: ContentTag, _ bytes: Bytes, on store: any ObjectStore)
    async throws -> Bool
  {
    do throws(ObjectStoreError) {
      _ = try await store.put(key, bytes, condition: .ifMatch(tag))
    } catch {
      if ErrorKind(error) == .preconditionFailed || error.isOutcomeUnknown { return false }
      throw error
    }
    return true
  }
}
