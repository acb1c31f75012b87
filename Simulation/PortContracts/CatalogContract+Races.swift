import LakePorts
import LakeSchema

extension CatalogContract {
  /// How many try the same thing at once.
  private static let racers = 12

  static let races: [Check] = [
    Check("of many commits on one base exactly one wins") { bench in
      let (table, created) = try await bench.newTable()
      var base = created
      for round in 0..<6 {
        let won = try await race { [base] racer in
          let commit = EmptyCommit(
            on: base.metadata, snapshotID: Int64(round * 100 + racer + 1), properties: ["winner": "\(racer)"])
          _ = try await commit.run(table, on: bench.catalog)
        }
        try expectEqual(won.count, 1, "winners of round \(round)")
        base = try await bench.catalog.loadTable(table)
        try expectEqual(base.metadata.properties["winner"], "\(won[0])", "whose properties stand")
        try expectEqual(base.metadata.currentSnapshotID, Int64(round * 100 + won[0] + 1), "whose snapshot stands")
        try expectEqual(base.metadata.snapshots.count, round + 1, "snapshots")
      }
      try expectEqual(base.metadata.snapshotLog.count, 6, "snapshot log")
    },
    Check("a counter kept in properties with requirements loses no step") { bench in
      let (table, _) = try await bench.newTable()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for racer in 0..<4 {
          group.addTask {
            for step in 0..<8 {
              try await increment(table, snapshotID: Int64(racer * 1000 + step + 1), on: bench.catalog)
            }
          }
        }
        try await group.waitForAll()
      }
      let last = try await bench.catalog.loadTable(table).metadata
      try expectEqual(last.properties["counter"], "32", "counter")
      try expectEqual(last.snapshots.count, 32, "snapshots")
      try expectEqual(last.lastSequenceNumber, 32, "last sequence number")
      try expectEqual(Set(last.metadataLog.map(\.metadataFile)).count, 32, "distinct metadata files")
      for (parent, child) in zip(last.snapshots, last.snapshots.dropFirst()) {
        try expectEqual(child.parentID, parent.id, "parent of \(child.id)")
      }
    },
    Check("of many creations of one table one wins") { bench in
      try await bench.catalog.createNamespace([bench.namespace], properties: [:])
      let won = try await race { _ in _ = try await bench.catalog.createTable(bench.table("t"), Bench.creation) }
      try expectEqual(won.count, 1, "winners")
      try expectEqual(try await bench.catalog.listTables(in: [bench.namespace]), [bench.table("t")], "tables")
    },
    Check("of many creations of one namespace one wins") { bench in
      let won = try await race { _ in try await bench.catalog.createNamespace([bench.namespace], properties: [:]) }
      try expectEqual(won.count, 1, "winners")
    },
    Check("many that need the same table all get the same") { bench in
      let states = try await withThrowingTaskGroup(of: TableState.self) { group in
        for _ in 0..<racers {
          group.addTask { try await bench.catalog.ensureTable(bench.table("t"), Bench.creation) }
        }
        return try await group.reduce(into: Set<String>()) { $0.insert($1.metadata.tableUUID) }
      }
      try expectEqual(states.count, 1, "distinct tables")
    },
    Check("a load sees every commit it began after") { bench in
      let (table, _) = try await bench.newTable()
      for step in 0..<10 {
        try await increment(table, snapshotID: Int64(step + 1), on: bench.catalog)
        let found = try await withThrowingTaskGroup(of: String?.self) { group in
          for _ in 0..<racers {
            group.addTask { try await bench.catalog.loadTable(table).metadata.properties["counter"] }
          }
          return try await group.reduce(into: Set<String?>()) { $0.insert($1) }
        }
        try expectEqual(found, ["\(step + 1)"], "counters seen after step \(step)")
      }
    },
  ]

  /// Who was told that it had won; everyone else must have been told that it lost.
  private static func race(_ attempt: @escaping @Sendable (Int) async throws -> Void) async throws -> [Int] {
    try await withThrowingTaskGroup(of: Int?.self) { group in
      for racer in 0..<racers {
        group.addTask {
          switch await CatalogErrorKind.of({ try await attempt(racer) }) {
          case .none: return racer
          case .conflict, .tableExists, .namespaceExists: return nil
          case let other: throw ContractFailure("racer \(racer) was told \(other)")
          }
        }
      }
      return try await group.reduce(into: []) { won, racer in if let racer { won.append(racer) } }
    }
  }

  /// One step of a counter, again after each conflict.
  private static func increment(_ table: TableIdentifier, snapshotID: Int64, on catalog: any Catalog) async throws {
    while true {
      let base = try await catalog.loadTable(table).metadata
      let value = base.properties["counter"].flatMap { Int($0) } ?? 0
      do {
        let commit = EmptyCommit(on: base, snapshotID: snapshotID, properties: ["counter": "\(value + 1)"])
        _ = try await commit.run(table, on: catalog)
        return
      } catch let error as CatalogError {
        guard CatalogErrorKind(error) == .conflict else { throw error }
        await Task.yield()
      }
    }
  }
}
