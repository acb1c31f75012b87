import LakeModel
import LakeSchema
import Testing

@testable import LakeParquet

@Suite("Requested schemas over files")
struct ProjectionTests {
  private static let written = Schema(
    id: 0,
    fields: [
      Field(1, "a", .int), Field(2, "b", .float), Field(3, "c", .string),
      Field(4, "s", .structure([Field(5, "x", .int), Field(6, "y", .string)])),
      Field(7, "m", .map(keyID: 8, key: .string, valueID: 9, value: .int, valueRequired: false)),
      Field(10, "d", .decimal(precision: 5, scale: 2)),
    ])
  private static let rows: [[TestValue]] = [
    [.int(1), .absent], [.float(Float(1.5).bitPattern), .absent], [.text("t"), .text("u")],
    [.structure([.int(3), .text("y")]), .absent], [.map([[.text("k"), .int(4)]]), .map([])],
    [.bytes([0, 1, 2]), .bytes([0xFF, 0xFF, 0xFE])],
  ]

  private static func file(_ schema: Schema = written) throws -> (ParquetFile, Bytes) {
    let bytes = try ParquetWriter.encode([TestColumns.batch(schema, rows)], schema: schema).file
    return (try ParquetFile(bytes), bytes)
  }

  private static func read(_ schema: Schema, _ mapping: NameMapping? = nil, ids: Bool = true) throws -> [[TestValue]] {
    var stripped = written
    if !ids { stripped.fields = written.fields.map(withoutIDs) }
    let (file, bytes) = try file(stripped)
    #expect(file.hasFieldIDs == ids)
    let projection = try file.projection(to: schema, nameMapping: mapping)
    return TestColumns.values(try file.readRowGroup(0, projection: projection, file: bytes))
  }

  private static func withoutIDs(_ field: Field) -> Field {
    switch field.type {
    case .structure(let fields):
      Field(-1, field.name, .structure(fields.map(withoutIDs)), required: field.isRequired)
    case .map(_, let key, _, let value, let required):
      Field(-1, field.name, .map(keyID: -1, key: key, valueID: -1, value: value, valueRequired: required))
    default: Field(-1, field.name, field.type, required: field.isRequired)
    }
  }

  @Test("fields meet by id: renamed, reordered, widened, added and dropped at any depth")
  func evolution() throws {
    let schema = Schema(
      id: 1,
      fields: [
        Field(10, "d2", .decimal(precision: 9, scale: 2)), Field(20, "new", .string),
        Field(4, "renamed", .structure([Field(6, "z", .string), Field(21, "w", .long), Field(5, "x", .long)])),
        Field(1, "a", .long), Field(2, "b", .double),
        Field(7, "m", .map(keyID: 8, key: .string, valueID: 9, value: .long, valueRequired: false)),
        Field(22, "l", .list(elementID: 23, element: .uuid, elementRequired: true)),
      ])
    let found = try Self.read(schema)
    #expect(
      found == [
        [.bytes([0, 0, 1, 2]), .bytes([0xFF, 0xFF, 0xFF, 0xFE])], [.absent, .absent],
        [.structure([.text("y"), .absent, .int(3)]), .absent], [.int(1), .absent],
        [.double(1.5.bitPattern), .absent], [.map([[.text("k"), .int(4)]]), .map([])], [.absent, .absent],
      ])
  }

  @Test("a struct of which only new fields are wanted still knows where it is absent")
  func structureOnly() throws {
    let schema = Schema(id: 1, fields: [Field(4, "s", .structure([Field(30, "new", .int)]))])
    #expect(try Self.read(schema) == [[.structure([.absent]), .absent]])
  }

  @Test("files without ids meet by name")
  func names() throws {
    let schema = Schema(
      id: 1, fields: [Field(3, "c", .string), Field(4, "s", .structure([Field(6, "y", .string)])), Field(9, "q", .int)])
    #expect(
      try Self.read(schema, ids: false) == [
        [.text("t"), .text("u")], [.structure([.text("y")]), .absent], [.absent, .absent],
      ])
  }

  @Test("files without ids meet through a name mapping, whose names may be old ones")
  func nameMapping() throws {
    let schema = Schema(
      id: 1,
      fields: [
        Field(3, "renamed", .string), Field(4, "t", .structure([Field(6, "u", .string)])), Field(1, "a", .int),
        Field(7, "m", .map(keyID: 8, key: .string, valueID: 9, value: .int, valueRequired: false)),
      ])
    let mapping = NameMapping([
      .init(fieldID: 3, names: ["renamed", "c"]),
      .init(fieldID: 4, names: ["s"], fields: [.init(fieldID: 6, names: ["y"])]),
      .init(
        fieldID: 7, names: ["m"], fields: [.init(fieldID: 8, names: ["key"]), .init(fieldID: 9, names: ["value"])]),
    ])
    #expect(
      try Self.read(schema, mapping, ids: false) == [
        [.text("t"), .text("u")], [.structure([.text("y")]), .absent], [.absent, .absent],
        [.map([[.text("k"), .int(4)]]), .map([])],
      ])
  }

  @Test("a column that cannot become the requested type is an error that names both")
  func mismatch() throws {
    let (file, _) = try Self.file()
    #expect(throws: ParquetError.schemaMismatch(field: "a", found: "int", wanted: "string")) {
      try file.projection(to: Schema(id: 0, fields: [Field(1, "a", .string)]))
    }
    #expect(throws: ParquetError.self) {
      try file.projection(to: Schema(id: 0, fields: [Field(10, "d", .decimal(precision: 5, scale: 3))]))
    }
  }

  @Test("only the leaves that are asked for are fetched")
  func leaves() throws {
    let (file, _) = try Self.file()
    let projection = try file.projection(names: ["c", "m"])
    #expect(projection.leaves == [2, 5, 6])
    let plan = try file.plan(rowGroup: 0, projection: projection, gapMax: 0)
    let chunks = file.rowGroups[0].chunks
    #expect(plan.ranges == [chunks[2].range, chunks[5].range.lowerBound..<chunks[6].range.upperBound])
    #expect(throws: ParquetError.bytesMissing(chunks[2].range)) { try file.decode(plan, fetched: []) }
  }

  /// A leaf and a group as footers have them.
  private static func leaf(_ name: String, _ repetition: Repetition, _ type: PhysicalType = .int32) -> SchemaElement {
    SchemaElement(type: type, repetition: repetition, name: name)
  }
  private static func group(
    _ name: String, _ repetition: Repetition?, _ count: Int, _ converted: ConvertedType? = nil
  ) -> SchemaElement {
    SchemaElement(repetition: repetition, name: name, childCount: count, convertedType: converted)
  }

  private static func shape(_ elements: [SchemaElement]) throws -> String {
    func text(_ type: FieldType) -> String {
      switch type {
      case .structure(let fields): "{" + fields.map { "\($0.name): " + text($0.type) }.joined(separator: ", ") + "}"
      case .list(_, let element, let required): "[" + text(element) + (required ? "" : "?") + "]"
      case .map(_, let key, _, let value, let required): "<\(text(key)): \(text(value))\(required ? "" : "?")>"
      default: "\(type)"
      }
    }
    let schema = try FileSchema([group("root", nil, 1)] + elements, limits: ReadLimits())
    return text(schema.nodes[0].type)
  }

  @Test("lists and maps of older writers are the lists and maps they stand for")
  func legacyLayouts() throws {
    // A bare repeated field.
    #expect(try Self.shape([Self.leaf("a", .repeated)]) == "[int]")
    // Two levels: the repeated leaf is the element.
    #expect(try Self.shape([Self.group("a", .optional, 1, .list), Self.leaf("element", .repeated)]) == "[int]")
    // Two levels: a repeated group of several fields is the element.
    #expect(
      try Self.shape([
        Self.group("a", .optional, 1, .list), Self.group("element", .repeated, 2), Self.leaf("x", .required),
        Self.leaf("y", .optional),
      ]) == "[{x: int, y: int}]")
    // Two levels: a group called "array", or after its list, is the element though it has one field.
    for name in ["array", "a_tuple"] {
      #expect(
        try Self.shape([
          Self.group("a", .optional, 1, .list), Self.group(name, .repeated, 1), Self.leaf("x", .required),
        ]) == "[{x: int}]")
    }
    // Three levels, whatever the names.
    #expect(
      try Self.shape([
        Self.group("a", .required, 1, .list), Self.group("bag", .repeated, 1), Self.leaf("item", .optional),
      ]) == "[int?]")
    // A list of lists in two levels.
    #expect(
      try Self.shape([
        Self.group("a", .optional, 1, .list), Self.group("array", .repeated, 1, .list), Self.leaf("array", .repeated),
      ]) == "[[int]]")
    // MAP_KEY_VALUE on the outer group.
    #expect(
      try Self.shape([
        Self.group("a", .optional, 1, .mapKeyValue), Self.group("map", .repeated, 2), Self.leaf("k", .required),
        Self.leaf("v", .optional),
      ]) == "<int: int?>")
    // A set: a map without values is a list of its keys.
    #expect(
      try Self.shape([
        Self.group("a", .optional, 1, .map), Self.group("map", .repeated, 1), Self.leaf("k", .required),
      ]) == "{map: [{k: int}]}")
  }

  @Test("schemas that end early, go on too long or nest without end are errors")
  func brokenSchemas() {
    #expect(throws: ParquetError.self) { try Self.shape([]) }
    #expect(throws: ParquetError.self) { try Self.shape([Self.leaf("a", .required), Self.leaf("b", .required)]) }
    #expect(throws: ParquetError.self) { try Self.shape([Self.group("a", .required, 1_000_000)]) }
    #expect(throws: ParquetError.self) {
      try Self.shape((0..<500).map { Self.group("g\($0)", .required, 1) } + [Self.leaf("x", .required)])
    }
  }
}
