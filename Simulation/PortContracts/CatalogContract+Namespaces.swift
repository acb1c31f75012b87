import LakePorts
import LakeSchema

extension CatalogContract {
  static let namespaces: [Check] = [
    Check("a namespace is there from its creation to its drop") { bench in
      let namespace = [bench.namespace]
      try expect(!(try await bench.catalog.listNamespaces()).contains(namespace), "listed before it was created")
      try await bench.catalog.createNamespace(namespace, properties: [:])
      try expect((try await bench.catalog.listNamespaces()).contains(namespace), "not listed")
      try expectEqual(try await bench.catalog.listTables(in: namespace), [], "tables of a new namespace")
      let again = await CatalogErrorKind.of {
        try await bench.catalog.createNamespace(namespace, properties: ["a": "b"])
      }
      try expectEqual(again, .namespaceExists, "second creation")
      try await bench.catalog.dropNamespace(namespace)
      try expect(!(try await bench.catalog.listNamespaces()).contains(namespace), "listed after it was dropped")
      let gone = await CatalogErrorKind.of { try await bench.catalog.dropNamespace(namespace) }
      try expectEqual(gone, .noSuchNamespace, "second drop")
    },
    Check("a namespace keeps its properties") { bench in
      let namespace = [bench.namespace]
      try await bench.catalog.createNamespace(namespace, properties: ["a": "1", "b": "ü"])
      try expectEqual(try await bench.catalog.loadNamespace(namespace), ["a": "1", "b": "ü"], "properties")
      try await bench.catalog.updateNamespace(namespace, setting: ["b": "2", "c": "3"], removing: ["a", "absent"])
      try expectEqual(try await bench.catalog.loadNamespace(namespace), ["b": "2", "c": "3"], "after an update")
      try await bench.catalog.updateNamespace(namespace, setting: [:], removing: ["b", "c"])
      try expectEqual(try await bench.catalog.loadNamespace(namespace), [:], "after the last went")
      let both = await CatalogErrorKind.of {
        try await bench.catalog.updateNamespace(namespace, setting: ["x": "1"], removing: ["x"])
      }
      try expectEqual(both, .invalid, "a property both set and removed")
    },
    Check("what is not there cannot be used") { bench in
      let namespace = [bench.namespace]
      let table = bench.table("t")
      let tries: [(String, @Sendable () async throws -> Void, CatalogErrorKind)] = [
        ("properties", { _ = try await bench.catalog.loadNamespace(namespace) }, .noSuchNamespace),
        (
          "update", { try await bench.catalog.updateNamespace(namespace, setting: ["a": "b"], removing: []) },
          .noSuchNamespace
        ),
        ("tables", { _ = try await bench.catalog.listTables(in: namespace) }, .noSuchNamespace),
        ("creation", { _ = try await bench.catalog.createTable(table, Bench.creation) }, .noSuchNamespace),
        ("load", { _ = try await bench.catalog.loadTable(table) }, .noSuchTable),
        ("drop", { try await bench.catalog.dropTable(table) }, .noSuchTable),
        ("rename", { try await bench.catalog.renameTable(table, to: bench.table("u")) }, .noSuchTable),
        (
          "commit",
          { _ = try await bench.catalog.commit(table, requirements: [], updates: [.setProperties(["a": "b"])]) },
          .noSuchTable
        ),
        (
          "inner namespace", { try await bench.catalog.createNamespace(namespace + ["inner"], properties: [:]) },
          .noSuchNamespace
        ),
      ]
      for (what, attempt, wanted) in tries { try expectEqual(await CatalogErrorKind.of(attempt), wanted, what) }
    },
    Check("a namespace with something inside is not dropped") { bench in
      let (table, _) = try await bench.newTable()
      let full = await CatalogErrorKind.of { try await bench.catalog.dropNamespace([bench.namespace]) }
      try expectEqual(full, .namespaceNotEmpty, "drop with a table")
      try await bench.catalog.dropTable(table)
      try await bench.catalog.createNamespace([bench.namespace, "inner"], properties: [:])
      let nested = await CatalogErrorKind.of { try await bench.catalog.dropNamespace([bench.namespace]) }
      try expectEqual(nested, .namespaceNotEmpty, "drop with a namespace inside")
      let names = try await bench.catalog.listNamespaces().filter { $0.first == bench.namespace }
      try expectEqual(names, [[bench.namespace], [bench.namespace, "inner"]], "namespaces, ascending")
      try await bench.catalog.dropNamespace([bench.namespace, "inner"])
      try await bench.catalog.dropNamespace([bench.namespace])
    },
    Check("names that the layout cannot hold are refused") { bench in
      try await bench.catalog.createNamespace([bench.namespace], properties: [:])
      for level in ["", "a.b", "a/b", "..", "a\u{0}b", String(repeating: "n", count: 256)] {
        let namespace = await CatalogErrorKind.of { try await bench.catalog.createNamespace([level], properties: [:]) }
        try expectEqual(namespace, .invalid, "namespace '\(level)'")
        let table = await CatalogErrorKind.of {
          _ = try await bench.catalog.createTable(bench.table(level), Bench.creation)
        }
        try expectEqual(table, .invalid, "table '\(level)'")
      }
      let empty = await CatalogErrorKind.of { try await bench.catalog.createNamespace([], properties: [:]) }
      try expectEqual(empty, .invalid, "namespace of no level")
    },
    Check("names that are alike stay apart") { bench in
      for other in ["_", "%", "x"] {
        try await bench.catalog.createNamespace([bench.namespace + other], properties: [:])
        _ = try await bench.catalog.createTable(
          TableIdentifier(namespace: [bench.namespace + other], name: "t"), Bench.creation)
      }
      let missing = await CatalogErrorKind.of { _ = try await bench.catalog.listTables(in: [bench.namespace]) }
      try expectEqual(missing, .noSuchNamespace, "a namespace whose name others begin with")
      try await bench.catalog.createNamespace([bench.namespace], properties: [:])
      try expectEqual(try await bench.catalog.listTables(in: [bench.namespace]), [], "its tables")
      try await bench.catalog.dropNamespace([bench.namespace])
    },
  ]
}
