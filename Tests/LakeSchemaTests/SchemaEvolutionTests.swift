import LakeSchema
import Testing

@Suite("schema evolution")
struct SchemaEvolutionTests {
  private func table() throws -> TableMetadata {
    try TableMetadata.creating(
      uuid: "f79c3e09-677c-4bbd-a479-3f349cb785e7", location: "memory://t",
      schema: Schema(
        id: 0,
        fields: [
          Field(1, "tenant", .string, required: true), Field(2, "n", .int), Field(3, "x", .float),
          Field(4, "m", .map(keyID: 5, key: .string, valueID: 6, value: .string, valueRequired: false)),
        ]),
      partitionSpec: PartitionSpec(id: 0, fields: []), sortOrder: SortOrder(id: 0, fields: []), properties: [:], now: 1)
  }

  @Test("what stays keeps its id, what is new gets fresh ones at every depth, also after a drop")
  func ids() throws {
    var metadata = try table()
    var evolution = try SchemaEvolution(of: metadata)
    try evolution.rename("n", to: "number")
    try evolution.widen("number", to: .long)
    try evolution.widen("x", to: .double)
    try evolution.drop("m")
    try evolution.add("m", .list(elementID: 1, element: .structure([Field(1, "a", .int)]), elementRequired: false))
    try evolution.move("m", to: 0)
    metadata = try metadata.applying(
      requirements: evolution.requirements, updates: evolution.updates, now: 2, previousLocation: "p")
    let schema = try #require(metadata.schema)
    #expect(schema.fields.map(\.name) == ["m", "tenant", "number", "x"])
    #expect(schema.fields.map(\.id) == [7, 1, 2, 3])
    #expect(
      schema.fields[0].type
        == .list(elementID: 8, element: .structure([Field(9, "a", .int)]), elementRequired: false))
    #expect(schema.fields[2].type == .long && schema.fields[3].type == .double)
    #expect(metadata.lastColumnID == 9 && metadata.schemas.count == 2)
    // Planned on the old schema: the ids may have gone to somebody else.
    #expect(throws: TableCommitError.self) {
      try metadata.applying(
        requirements: evolution.requirements, updates: evolution.updates, now: 3, previousLocation: "q")
    }
  }

  @Test("what would read files wrongly is refused")
  func refusals() throws {
    var evolution = try SchemaEvolution(of: try table())
    #expect(evolution.updates.isEmpty)
    #expect(throws: TableCommitError.self) { try evolution.widen("n", to: .string) }
    #expect(throws: TableCommitError.self) { try evolution.widen("m", to: .string) }
    #expect(throws: TableCommitError.self) { try evolution.add("n", .long) }
    #expect(throws: TableCommitError.self) { try evolution.rename("n", to: "x") }
    #expect(throws: TableCommitError.self) { try evolution.drop("nobody") }
    try evolution.makeOptional("tenant")
    #expect(evolution.schema.fields[0].isRequired == false && evolution.updates.count == 2)
  }
}
