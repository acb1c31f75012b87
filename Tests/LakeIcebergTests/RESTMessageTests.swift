import LakeIceberg
import LakeModel
import LakeSchema
import Testing

@Suite("messages of the REST protocol")
struct RESTMessageTests {
  static let creation = RESTTables.Creation(
    name: "t", location: "s3://b/t",
    schema: Schema(
      id: 0,
      fields: [
        Field(1, "a", .long, required: true),
        Field(2, "l", .list(elementID: 3, element: .string, elementRequired: true)),
      ], identifierFieldIDs: [1]),
    partitionSpec: PartitionSpec(
      id: 0, fields: [PartitionField(sourceID: 1, fieldID: 1000, name: "a_bucket", transform: .bucket(4))]),
    sortOrder: SortOrder(id: 1, fields: [SortField(sourceID: 1, direction: .descending, nullOrder: .last)]),
    properties: ["p": "q"], isStaged: true)
  static let commit = RESTTables.Commit(
    table: .init(namespace: ["a", "b"], name: "t"),
    requirements: [.assertTableUUID("u"), .assertRefSnapshotID(ref: "main", snapshotID: nil)],
    updates: [.setProperties(["x": "y"]), .removeSnapshots([1, 2])])

  @Test("are read as they were written")
  func roundTrips() throws {
    #expect(try RESTTables.Creation(Self.creation.encoded()) == Self.creation)
    #expect(try RESTTables.Commit(Self.commit.encoded()) == Self.commit)
    let listing = RESTTables.Listing(tables: [.init(namespace: ["a"], name: "t")], next: "t")
    #expect(try RESTTables.Listing(listing.encoded()) == listing)
    let namespace = RESTNamespaces.Creation(namespace: ["ü", "b"], properties: ["k": "v\"\n"])
    #expect(try RESTNamespaces.Creation(namespace.encoded()) == namespace)
    let update = RESTNamespaces.Update(removals: ["r"], updates: ["s": "t"])
    #expect(try RESTNamespaces.Update(update.encoded()) == update)
    let rename = RESTTables.Rename(
      source: .init(namespace: ["a"], name: "b"), destination: .init(namespace: ["c"], name: "d"))
    #expect(try RESTTables.Rename(rename.encoded()) == rename)
    let token = RESTToken(accessToken: "t", expiresIn: 60)
    #expect(try RESTToken(token.encoded()) == token)
    let error = RESTError(message: "m", type: "NoSuchTableException", code: 404)
    #expect(RESTError(error.encoded(), status: 404) == error)
  }

  @Test("that were cut at any length are refused")
  func truncations() throws {
    for bytes in [Self.creation.encoded(), Self.commit.encoded()] {
      for length in 0..<bytes.count {
        #expect(throws: IcebergError.self) { _ = try RESTTables.Creation(bytes[0..<length]) }
        #expect(throws: IcebergError.self) { _ = try RESTTables.Commit(bytes[0..<length]) }
      }
    }
  }

  @Test("of servers say more than we need, and errors come in any form")
  func tolerant() throws {
    let config = try RESTConfig(
      Bytes(#"{"defaults": {"a": "b"}, "overrides": {}, "idempotency-key-lifetime": "PT30M", "later": [1]}"#))
    #expect(config.defaults == ["a": "b"])
    #expect(config.idempotencyKeyLifetime == "PT30M")
    #expect(RESTError(Bytes("<html>"), status: 502) == RESTError(message: "status 502", type: "", code: 502))
    let oauth = Bytes(#"{"error": "invalid_client", "error_description": "unknown client"}"#)
    #expect(RESTError(oauth, status: 401).message == "unknown client")
    #expect(throws: IcebergError.self) {
      _ = try RESTTables.Registration(Bytes(#"{"name": "t", "metadata-location": "x", "overwrite": true}"#))
    }
  }

  @Test("field ids from 0 are counted anew, sources mapped along; ids that can stand are kept")
  func freshIDs() {
    let schema = Schema(
      id: 0,
      fields: [
        Field(0, "a", .long),
        Field(1, "m", .map(keyID: 3, key: .string, valueID: 4, value: .long, valueRequired: true)),
        Field(2, "s", .structure([Field(5, "x", .int)])),
      ], identifierFieldIDs: [0])
    let spec = PartitionSpec(
      id: 0, fields: [PartitionField(sourceID: 0, fieldID: 1000, name: "a", transform: .identity)])
    let order = SortOrder(id: 1, fields: [SortField(sourceID: 5, direction: .ascending, nullOrder: .first)])
    let fresh = FreshIDs.assigned(schema: schema, spec: spec, order: order)
    #expect(fresh.schema.fields.map(\.id) == [1, 2, 3])
    #expect(
      fresh.schema.fields[1].type == .map(keyID: 4, key: .string, valueID: 5, value: .long, valueRequired: true))
    #expect(fresh.schema.fields[2].type == .structure([Field(6, "x", .int)]))
    #expect(fresh.schema.identifierFieldIDs == [1])
    #expect(fresh.spec.fields[0].sourceID == 1)
    #expect(fresh.order.fields[0].sourceID == 6)
    let kept = FreshIDs.assigned(schema: Self.creation.schema, spec: Self.creation.partitionSpec!, order: order)
    #expect(kept.schema == Self.creation.schema)
  }
}
