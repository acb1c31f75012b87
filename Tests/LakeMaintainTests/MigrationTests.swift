import LakeMaintain
import LakePorts
import LakeSchema
import Testing

@Suite("migration")
struct MigrationTests {
  func metadata(of table: LakeTable, dropping: Set<String> = []) -> TableMetadata {
    let schema = Schema(id: 0, fields: table.schema.fields.filter { !dropping.contains($0.name) })
    return TableMetadata(
      tableUUID: "u", location: "file:///w/\(table.name)", lastUpdated: 0, lastColumnID: table.schema.lastFieldID,
      schemas: [schema], currentSchemaID: 0, partitionSpecs: [table.partitionSpec], defaultSpecID: 0,
      lastPartitionID: 1002, sortOrders: [table.sortOrder], defaultSortOrderID: 1)
  }

  @Test("an empty catalog gets the namespace and the four tables")
  func empty() throws {
    let steps = try MigrationPlanner.plan(hasNamespace: false, existing: [:])
    #expect(
      steps.map(\.description) == [
        "create namespace icegate", "create table icegate.logs", "create table icegate.spans",
        "create table icegate.events", "create table icegate.metrics",
      ])
  }

  @Test("tables of this version need nothing")
  func current() throws {
    let existing = Dictionary(uniqueKeysWithValues: LakeTable.all.map { ($0.name, metadata(of: $0)) })
    #expect(try MigrationPlanner.plan(hasNamespace: true, existing: existing) == [])
  }

  @Test("a table without a column of ours gets it")
  func addsColumns() throws {
    var existing = Dictionary(uniqueKeysWithValues: LakeTable.all.map { ($0.name, metadata(of: $0)) })
    existing["logs"] = metadata(of: .logs, dropping: ["resource", "event_name"])
    #expect(
      try MigrationPlanner.plan(hasNamespace: true, existing: existing).map(\.description)
        == ["add to table icegate.logs: event_name, resource"])
  }

  @Test("another type, a missing required column or another partitioning is an obstacle that says where")
  func obstacles() {
    var other = metadata(of: .logs)
    other.schemas[0].fields[10].type = .binary
    #expect(throws: MigrationPlanner.Obstacle.otherType(.init(.logs), column: "body", found: .binary, wanted: .string))
    {
      _ = try MigrationPlanner.plan(hasNamespace: true, existing: ["logs": other])
    }
    let missing = metadata(of: .logs, dropping: ["tenant_id"])
    #expect(throws: MigrationPlanner.Obstacle.missingRequired(.init(.logs), column: "tenant_id")) {
      _ = try MigrationPlanner.plan(hasNamespace: true, existing: ["logs": missing])
    }
    var unpartitioned = metadata(of: .logs)
    unpartitioned.partitionSpecs[0].fields.removeLast()
    #expect(throws: MigrationPlanner.Obstacle.otherPartitioning(.init(.logs))) {
      _ = try MigrationPlanner.plan(hasNamespace: true, existing: ["logs": unpartitioned])
    }
  }
}
