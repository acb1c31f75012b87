import LakePorts
import LakeSchema

extension CatalogContract {
  static let tables: [Check] = [
    Check("a new table is what it was asked to be") { bench in
      let (table, state) = try await bench.newTable()
      let metadata = state.metadata
      try expectEqual(metadata.formatVersion, 2, "format version")
      try expectEqual(metadata.schema?.fields, Bench.creation.schema.fields, "fields")
      try expectEqual(metadata.lastColumnID, 2, "last column id")
      try expectEqual(metadata.partitionSpec?.fields, Bench.creation.partitionSpec.fields, "partition fields")
      try expectEqual(metadata.lastPartitionID, 1000, "last partition id")
      try expectEqual(metadata.sortOrder, Bench.creation.sortOrder, "sort order")
      try expectEqual(metadata.properties, ["owner": "contract"], "properties")
      try expectEqual(metadata.snapshots, [], "snapshots")
      try expectEqual(metadata.lastSequenceNumber, 0, "last sequence number")
      try expect(!metadata.tableUUID.isEmpty && !metadata.location.isEmpty, "no uuid or no location")
      try expectEqual(try await bench.catalog.loadTable(table), state, "loaded")
      try expectEqual(try await bench.catalog.listTables(in: [bench.namespace]), [table], "listed")
    },
    Check("a name is taken once") { bench in
      let (table, state) = try await bench.newTable()
      let again = await CatalogErrorKind.of { _ = try await bench.catalog.createTable(table, Bench.creation) }
      try expectEqual(again, .tableExists, "second creation")
      try expectEqual(try await bench.catalog.loadTable(table), state, "the first table")
    },
    Check("a table that breaks the rules is not created") { bench in
      try await bench.catalog.createNamespace([bench.namespace], properties: [:])
      var twice = Bench.creation
      twice.schema.fields.append(Field(2, "again", .int))
      var lost = Bench.creation
      lost.partitionSpec.fields[0].sourceID = 99
      var version = Bench.creation
      version.properties["format-version"] = "3"
      for (what, creation) in [("an id used twice", twice), ("an unknown source", lost), ("version 3", version)] {
        let found = await CatalogErrorKind.of { _ = try await bench.catalog.createTable(bench.table("t"), creation) }
        try expectEqual(found, .invalid, what)
      }
      try expectEqual(try await bench.catalog.listTables(in: [bench.namespace]), [], "tables")
    },
    Check("tables are listed in order, each in its namespace") { bench in
      try await bench.catalog.createNamespace([bench.namespace], properties: [:])
      try await bench.catalog.createNamespace([bench.namespace, "inner"], properties: [:])
      for name in ["b", "a", "C"] { _ = try await bench.catalog.createTable(bench.table(name), Bench.creation) }
      let inner = TableIdentifier(namespace: [bench.namespace, "inner"], name: "a")
      _ = try await bench.catalog.createTable(inner, Bench.creation)
      let names = try await bench.catalog.listTables(in: [bench.namespace])
      try expectEqual(names, ["C", "a", "b"].map(bench.table), "outer")
      try expectEqual(try await bench.catalog.listTables(in: inner.namespace), [inner], "inner")
    },
    Check("a dropped table is gone, and a new one of its name is another") { bench in
      let (table, first) = try await bench.newTable()
      try await bench.catalog.dropTable(table)
      let gone = await CatalogErrorKind.of { _ = try await bench.catalog.loadTable(table) }
      try expectEqual(gone, .noSuchTable, "load after drop")
      let second = try await bench.catalog.createTable(table, Bench.creation)
      try expect(first.metadata.tableUUID != second.metadata.tableUUID, "the same uuid again")
      try expect(first.metadataLocation != second.metadataLocation, "the same metadata location again (PRT-2)")
      let stale = await CatalogErrorKind.of {
        _ = try await EmptyCommit(on: first.metadata, snapshotID: 1).run(table, on: bench.catalog)
      }
      try expectEqual(stale, .conflict, "a commit meant for the table before")
    },
    Check("a renamed table keeps everything but its name") { bench in
      let (table, state) = try await bench.newTable("old")
      try await bench.catalog.createNamespace([bench.namespace, "inner"], properties: [:])
      let target = TableIdentifier(namespace: [bench.namespace, "inner"], name: "new")
      try await bench.catalog.renameTable(table, to: target)
      try expectEqual(try await bench.catalog.loadTable(target), state, "under the new name")
      let gone = await CatalogErrorKind.of { _ = try await bench.catalog.loadTable(table) }
      try expectEqual(gone, .noSuchTable, "under the old name")
      let fresh = try await bench.catalog.createTable(table, Bench.creation)
      try expect(fresh.metadata.location != state.metadata.location, "two tables share \(fresh.metadata.location)")
      let taken = await CatalogErrorKind.of { try await bench.catalog.renameTable(target, to: table) }
      try expectEqual(taken, .tableExists, "rename onto another")
      let nowhere = await CatalogErrorKind.of {
        try await bench.catalog.renameTable(
          target, to: TableIdentifier(namespace: [bench.namespace, "nowhere"], name: "x"))
      }
      try expectEqual(nowhere, .noSuchNamespace, "rename into nowhere")
    },
    Check("a table of one's own location and properties") { bench in
      let (_, neighbour) = try await bench.newTable("neighbour")
      var creation = Bench.creation
      creation.location = neighbour.metadata.location + "-elsewhere/"
      let state = try await bench.catalog.createTable(bench.table("t"), creation)
      try expectEqual(state.metadata.location, neighbour.metadata.location + "-elsewhere", "location")
    },
    Check("a dropped table can be registered again") { bench in
      let (table, state) = try await bench.newTable()
      let changed = try await EmptyCommit(on: state.metadata, snapshotID: 7).run(table, on: bench.catalog)
      let taken = await CatalogErrorKind.of { try await bench.catalog.registerTable(table, changed) }
      try expectEqual(taken, .tableExists, "registered over a table")
      try await bench.catalog.dropTable(table)
      try await bench.catalog.registerTable(bench.table("again"), changed)
      try expectEqual(try await bench.catalog.loadTable(bench.table("again")), changed, "registered")
    },
  ]
}
