import LakeModel
import LakePorts
import LakeSchema
import Testing

@Suite("warehouse locations")
struct WarehouseLocationTests {
  @Test(
    "map locations to keys and back",
    arguments: [
      ("file:///data/warehouse", "file:///data/warehouse/icegate/logs/a.parquet", "icegate/logs/a.parquet"),
      ("/data/warehouse/", "file:/data/warehouse/x", "x"),
      ("file:///", "/x/y", "x/y"),
      ("s3://bucket", "s3a://bucket/a=b/c%20d", "a=b/c%20d"),
      ("s3://bucket/prefix", "s3://bucket/prefix/k", "k"),
      ("memory://lake", "memory://lake/t/metadata/m.json", "t/metadata/m.json"),
    ])
  func keys(root: String, location: String, key: String) throws {
    let warehouse = try #require(WarehouseLocation(root))
    #expect(try warehouse.key(of: location).text == key)
    #expect(try warehouse.key(of: warehouse.location(of: ObjectKey(trusted: key))).text == key)
  }

  @Test(
    "refuse what lies elsewhere",
    arguments: [
      "s3://bucket/prefixed/k", "s3://bucket/prefix", "s3://bucket/prefix/", "s3://other/prefix/k", "file:///prefix/k",
      "s3://bucket/prefix/../k", "s3://bucket/prefix//k", "", "k", "s3:k",
    ])
  func refusals(location: String) throws {
    let warehouse = WarehouseLocation(trusted: "s3://bucket/prefix")
    #expect(throws: WarehouseError.outsideWarehouse(location: location, root: "s3://bucket/prefix")) {
      try warehouse.key(of: location)
    }
  }

  @Test("are no locations without scheme or path", arguments: ["", "x", "s3://", "://x", "file://host/x", "a b://c"])
  func noLocation(text: String) { #expect(WarehouseLocation(text) == nil) }
}

@Suite("metadata file names")
struct MetadataFileNameTests {
  @Test(
    "are read from locations",
    arguments: [
      ("s3://b/t/metadata/00007-abc-def.metadata.json", 7, "abc-def", false),
      ("00012-x.gz.metadata.json", 12, "x", true),
      ("/a/123456-x.metadata.json.gz", 123456, "x", true),
    ])
  func reading(location: String, version: Int, uuid: String, isGzip: Bool) throws {
    let name = try #require(MetadataFileName(location: location))
    #expect(name == MetadataFileName(version: version, uuid: uuid, isGzip: isGzip))
  }

  @Test("are not read from others", arguments: ["v3.metadata.json", "x", "-1-x.metadata.json", "1x-y.metadata.json"])
  func others(location: String) { #expect(MetadataFileName(location: location) == nil) }

  @Test("count on from the file before")
  func counting() {
    #expect(MetadataFileName(version: 3, uuid: "u").description == "00003-u.metadata.json")
    #expect(MetadataFileName(version: 123456, uuid: "u", isGzip: true).description == "123456-u.gz.metadata.json")
  }
}
