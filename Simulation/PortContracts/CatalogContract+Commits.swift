import LakePorts
import LakeSchema

extension CatalogContract {
  static let commits: [Check] = [
    Check("a commit sets snapshot and properties together") { bench in
      let (table, base) = try await bench.newTable()
      let commit = EmptyCommit(on: base.metadata, snapshotID: 11, properties: ["state": "1", "owner": "changed"])
      let after = try await commit.run(table, on: bench.catalog)
      try expectEqual(after.metadata.currentSnapshotID, 11, "current snapshot")
      try expectEqual(after.metadata.refs["main"]?.snapshotID, 11, "main")
      try expectEqual(after.metadata.snapshots, [commit.snapshot], "snapshots")
      try expectEqual(after.metadata.lastSequenceNumber, 1, "last sequence number")
      try expectEqual(after.metadata.properties, ["state": "1", "owner": "changed"], "properties")
      try expectEqual(after.metadata.snapshotLog.map(\.snapshotID), [11], "snapshot log")
      try expectEqual(after.metadata.metadataLog.map(\.metadataFile), [base.metadataLocation], "metadata log")
      try expect(after.metadataLocation != base.metadataLocation, "the pointer did not move")
      try expectEqual(try await bench.catalog.loadTable(table), after, "loaded")
    },
    Check("a commit whose requirement does not hold changes nothing") { bench in
      let (table, base) = try await bench.newTable()
      let wrong: [(String, TableRequirement)] = [
        ("uuid", .assertTableUUID("00000000-0000-4000-8000-000000000000")),
        ("main", .assertRefSnapshotID(ref: "main", snapshotID: 5)),
        ("field id", .assertLastAssignedFieldID(99)), ("schema", .assertCurrentSchemaID(9)),
        ("partition id", .assertLastAssignedPartitionID(7)), ("spec", .assertDefaultSpecID(9)),
        ("order", .assertDefaultSortOrderID(9)), ("existence", .assertCreate),
      ]
      for (what, requirement) in wrong {
        let found = await CatalogErrorKind.of {
          _ = try await bench.catalog.commit(
            table, requirements: [requirement], updates: [.setProperties(["changed": "yes"])])
        }
        try expectEqual(found, .conflict, what)
      }
      try expectEqual(try await bench.catalog.loadTable(table), base, "the table")
    },
    Check("a commit that contradicts the table changes nothing") { bench in
      let (table, base) = try await bench.newTable()
      let first = try await EmptyCommit(on: base.metadata, snapshotID: 1).run(table, on: bench.catalog)
      var old = EmptyCommit(on: first.metadata, snapshotID: 2).snapshot
      old.sequenceNumber = first.metadata.lastSequenceNumber
      var known = EmptyCommit(on: first.metadata, snapshotID: 1).snapshot
      known.sequenceNumber = first.metadata.lastSequenceNumber + 1
      let wrong: [(String, TableUpdate)] = [
        ("an old sequence number", .addSnapshot(old)), ("a known snapshot id", .addSnapshot(known)),
        ("a ref to nowhere", .setSnapshotRef(name: "main", SnapshotRef(snapshotID: 77, kind: .branch))),
        ("main as a tag", .setSnapshotRef(name: "main", SnapshotRef(snapshotID: 1, kind: .tag))),
        ("an unknown schema", .setCurrentSchema(5)), ("another uuid", .assignUUID("x")),
        ("version 3", .upgradeFormatVersion(3)), ("version 1", .upgradeFormatVersion(1)),
      ]
      for (what, update) in wrong {
        let found = await CatalogErrorKind.of {
          _ = try await bench.catalog.commit(
            table, requirements: [], updates: [.setProperties(["changed": "yes"]), update])
        }
        try expectEqual(found, .invalid, what)
      }
      try expectEqual(try await bench.catalog.loadTable(table), first, "the table")
    },
    Check("a commit that changes nothing keeps the pointer") { bench in
      let (table, base) = try await bench.newTable()
      let after = try await bench.catalog.commit(
        table, requirements: [.assertTableUUID(base.metadata.tableUUID)],
        updates: [.setProperties(["owner": "contract"])])
      try expectEqual(after, base, "after")
    },
    Check("a pointer's content never repeats") { bench in
      let (table, base) = try await bench.newTable()
      var seen = [base.metadataLocation]
      for turn in 0..<6 {  // there and back again: the same properties, another pointer
        let state = try await bench.catalog.commit(
          table, requirements: [], updates: [.setProperties(["turn": "\(turn % 2)"])])
        seen.append(state.metadataLocation)
      }
      try expectEqual(Set(seen).count, seen.count, "distinct pointers (PRT-2)")
      let last = try await bench.catalog.loadTable(table)
      try expectEqual(last.metadata.metadataLog.map(\.metadataFile), Array(seen.dropLast()), "metadata log")
    },
    Check("schemas, specs and orders evolve with their ids") { bench in
      let (table, base) = try await bench.newTable()
      var schema = base.metadata.schema!
      schema.fields.append(Field(3, "added", .double))
      let spec = PartitionSpec(
        id: 1, fields: [PartitionField(sourceID: 2, fieldID: 1001, name: "n_bucket", transform: .bucket(4))])
      let after = try await bench.catalog.commit(
        table, requirements: [.assertCurrentSchemaID(0), .assertLastAssignedFieldID(2)],
        updates: [
          .addSchema(schema), .setCurrentSchema(-1), .addPartitionSpec(spec), .setDefaultSpec(-1),
          .addSortOrder(SortOrder(id: 9, fields: [])), .setDefaultSortOrder(-1),
        ])
      try expectEqual(after.metadata.schemas.map(\.id), [0, 1], "schema ids")
      try expectEqual(after.metadata.currentSchemaID, 1, "current schema")
      try expectEqual(after.metadata.lastColumnID, 3, "last column id")
      try expectEqual(after.metadata.defaultSpecID, 1, "default spec")
      try expectEqual(after.metadata.lastPartitionID, 1001, "last partition id")
      try expectEqual(after.metadata.defaultSortOrderID, 0, "unsorted")
      try expectEqual(try await bench.catalog.loadTable(table), after, "loaded")
    },
    Check("a table is created by a commit that asserts its creation") { bench in
      try await bench.catalog.createNamespace([bench.namespace], properties: [:])
      let neighbour = try await bench.catalog.createTable(bench.table("neighbour"), Bench.creation)
      let updates: [TableUpdate] = [
        .assignUUID("f79c3e09-677c-4bbd-a479-3f349cb785e7"), .upgradeFormatVersion(2),
        .addSchema(Bench.creation.schema), .setCurrentSchema(-1), .addPartitionSpec(Bench.creation.partitionSpec),
        .setDefaultSpec(-1), .addSortOrder(Bench.creation.sortOrder), .setDefaultSortOrder(-1),
        .setLocation(neighbour.metadata.location + "-created"), .setProperties(["a": "b"]),
      ]
      let state = try await bench.catalog.commit(
        bench.table("t"), requirements: [.assertCreate], updates: updates)
      try expectEqual(state.metadata.properties, ["a": "b"], "properties")
      try expectEqual(try await bench.catalog.loadTable(bench.table("t")), state, "loaded")
      let again = await CatalogErrorKind.of {
        _ = try await bench.catalog.commit(bench.table("t"), requirements: [.assertCreate], updates: updates)
      }
      try expectEqual(again, .conflict, "created a second time")
    },
  ]
}
