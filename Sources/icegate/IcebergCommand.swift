import Glibc
import LakeCatalogs
import LakeIceberg
import LakeJSON
import LakeModel
import LakePorts
import LakeSchema
import LakeStorage
import LakeSystem

/// `icegate iceberg ...`: looks into Iceberg tables of a SQLite catalog, and makes small changes, for people and for the
/// conformance checks. Prints JSON.
struct IcebergCommand {
  static let usage = """
    usage: icegate iceberg ACTION --catalog sqlite:///PATH --warehouse DIRECTORY [--name CATALOG] ...

      tables                                        lists namespaces and tables
      create                                        creates the tables of icegate that are missing
      metadata NAMESPACE.TABLE                      prints the table's metadata
      files NAMESPACE.TABLE [--snapshot ID]         lists the data files that a scan reads
            [--where 'COLUMN = VALUE' ...]          =, <, <=, >, >=, in (a,b), is null, is not null; all must hold
      rows NAMESPACE.TABLE [--snapshot ID|--ref NAME|--as-of MILLISECONDS] [--columns a,b]
                                                    reads all rows, deletes applied
      append NAMESPACE.TABLE --files FILE           adds data files that are there already, described in a JSON file
      change NAMESPACE.TABLE --files FILE --operation overwrite|delete|replace [--branch NAME]
                                                    adds and removes files: {"adding": [...], "removing": [PATH, ...]}
      delete NAMESPACE.TABLE --where 'COLUMN = VALUE' ...
                                                    takes matching rows out: whole files, or by writing files again
      evolve NAMESPACE.TABLE [--add NAME:TYPE] [--drop NAME] [--rename OLD=NEW] [--widen NAME:TYPE] [--first NAME]
                                                    changes top-level columns
      merge NAMESPACE.TABLE [--min-count N]         puts small manifests together
      expire NAMESPACE.TABLE [--older-than AGE_MS] [--keep N] [--dry-run]
                                                    expires snapshots as the table's history.expire.* properties say, or
                                                    these, and deletes what only they led to
    """

  let catalog: any Catalog
  let store: any ObjectStore
  let warehouse: WarehouseLocation
  let random: any Randomness
  let wall: any WallClock
  var arguments: Arguments

  static func run(_ words: [String]) async throws {
    var arguments = Arguments(words)
    guard let action = arguments.word() else { throw Arguments.Wrong(description: usage) }
    var command = try IcebergCommand(&arguments)
    switch action {
    case "tables": try await command.listTables()
    case "create": try await command.createTables()
    case "metadata": try await command.printMetadata()
    case "files": try await command.listFiles()
    case "rows": try await command.printRows()
    case "append": try await command.append()
    case "change": try await command.change()
    case "delete": try await command.delete()
    case "evolve": try await command.evolve()
    case "merge": try await command.merge()
    case "expire": try await command.expire()
    default: throw Arguments.Wrong(description: "`\(action)` is not an action\n\(usage)")
    }
  }

  private init(_ arguments: inout Arguments) throws {
    guard let uri = try arguments.option("--catalog"), uri.hasPrefix("sqlite:///") else {
      throw Arguments.Wrong(description: "--catalog wants sqlite:///PATH")
    }
    guard let root = try arguments.option("--warehouse"), let warehouse = WarehouseLocation(root) else {
      throw Arguments.Wrong(description: "--warehouse wants an absolute directory")
    }
    let name = try arguments.option("--name") ?? "icegate"
    random = SystemRandomness()
    wall = SystemWallClock()
    store = FileObjectStore(
      files: try PosixFiles(
        root: String(warehouse.root.dropFirst("file://".count)), pool: BlockingPool(threads: 2), random: random,
        wall: wall), random: random)
    self.warehouse = warehouse
    // sqlite:////abs/path has an absolute path, sqlite:///path one from here, as SQLAlchemy reads them.
    catalog = SQLiteCatalog(
      path: String(uri.dropFirst("sqlite:///".count)), name: name, store: store, warehouse: warehouse, random: random,
      wall: wall)
    self.arguments = arguments
  }

  // MARK: actions

  private mutating func listTables() async throws {
    try arguments.finish()
    var json = JSONWriter()
    json.open(UInt8(ascii: "["))
    for namespace in try await catalog.listNamespaces() {
      for table in try await catalog.listTables(in: namespace) { json.value(table.description) }
    }
    json.close(UInt8(ascii: "]"))
    Self.print(json.finish())
  }

  private mutating func createTables() async throws {
    try arguments.finish()
    for table in LakeTable.all { _ = try await catalog.ensureTable(TableIdentifier(table), TableCreation(table)) }
    try await listTables()
  }

  private mutating func printMetadata() async throws {
    let table = try takeTable()
    try arguments.finish()
    Self.print(TableMetadataCodec.encode(try await catalog.loadTable(table).metadata))
  }

  private mutating func listFiles() async throws {
    let table = try takeTable()
    let metadata = try await catalog.loadTable(table).metadata
    var snapshotID: Int64?
    if let text = try arguments.option("--snapshot") {
      guard let id = Int64(text) else { throw Arguments.Wrong(description: "--snapshot: `\(text)` is no snapshot id") }
      snapshotID = id
    }
    let schema = try ScanPlanner(table: metadata, snapshotID: snapshotID).schema
    var predicate = Predicate()
    while let text = try arguments.option("--where") {
      predicate.terms.append(try TermText.parse(text, schema: schema))
    }
    try arguments.finish()
    let planner = try ScanPlanner(
      table: metadata, snapshotID: snapshotID, predicate: predicate, metricsOf: .all)
    var found: [ScanFile] = []
    if let list = planner.manifestListLocation {
      for manifest in try planner.select(ManifestList.decode(await read(list))) {
        found += try planner.files(of: manifest, bytes: await read(manifest.path))
      }
    }
    Self.print(Self.describe(found, of: planner))
  }

  /// `[{"path": ..., "records": n, "size": n, "partition": [text or null, ...], "lower": {"1": hex}, "upper": {}}]`
  private mutating func append() async throws {
    let table = try takeTable()
    guard let path = try arguments.option("--files") else { throw Arguments.Wrong(description: "--files wants a file") }
    try arguments.finish()
    let state = try await catalog.loadTable(table)
    let described = try JSONDocument(Self.readLocal(path)).root
    let files = try described.elements.map { try Self.dataFile($0, of: state.metadata) }
    let commit = try FastAppend(files: files).commit(
      to: state.metadata, manifests: await manifests(of: state.metadata.currentSnapshot), context: commitContext())
    try await carryOut(commit, on: table)
  }

  // MARK: pieces

  func commitContext() -> CommitContext {
    CommitContext(
      snapshotID: max(1, Int64(random.next() >> 1)), commitUUID: random.uuid(),
      now: Int64(wall.now.nanoseconds / 1_000_000))
  }

  func manifests(of snapshot: Snapshot?) async throws -> [ManifestFile] {
    guard let snapshot else { return [] }
    return try ManifestList.decode(await read(snapshot.manifestList))
  }

  /// Uploads, commits, and prints the new snapshot.
  func carryOut(_ commit: SnapshotCommit, on table: TableIdentifier) async throws {
    for upload in commit.uploads {
      _ = try await store.put(warehouse.key(of: upload.location), upload.bytes, condition: .ifAbsent)
    }
    let after = try await catalog.commit(table, requirements: commit.requirements, updates: commit.updates)
    var json = JSONWriter()
    json.object { json in
      json.member("snapshot", commit.snapshot.id)
      json.member("metadata", after.metadataLocation)
    }
    Self.print(json.finish())
  }

  mutating func takeTable() throws -> TableIdentifier {
    guard let name = arguments.word() else { throw Arguments.Wrong(description: "which table? NAMESPACE.TABLE") }
    let levels = name.split(separator: ".").map(String.init)
    guard levels.count > 1 else { throw Arguments.Wrong(description: "`\(name)` is not NAMESPACE.TABLE") }
    return TableIdentifier(namespace: Array(levels.dropLast()), name: levels[levels.count - 1])
  }

  func read(_ location: String) async throws -> Bytes {
    try await store.get(warehouse.key(of: location)).bytes
  }

  static func dataFile(_ json: JSONValue, of table: TableMetadata) throws -> DataFile {
    guard let spec = table.partitionSpec, let path = json["path"]?.string, let records = json["records"]?.int64,
      let size = json["size"]?.int64, let partition = json["partition"]
    else { throw IcebergError.malformed("a file wants path, records, size and partition") }
    let types = table.partitionTypes(of: spec).map { $0 ?? .string }
    let values = zip(partition.elements, types).map { value, type in
      value.string.flatMap { TermText.datum($0, type: type) }
    }
    func bounds(_ name: String) -> [Int: [UInt8]] {
      var bounds: [Int: [UInt8]] = [:]
      guard let members = json[name]?.members else { return bounds }
      for member in members {
        if let id = Int(member.nameText), let hex = member.value.utf8 { bounds[id] = Hex.bytes(hex) }
      }
      return bounds
    }
    return DataFile(
      content: json["content"]?.int.flatMap { DataFile.Content(rawValue: $0) } ?? .data, path: path, specID: spec.id,
      partition: values, recordCount: records, fileSize: size,
      metrics: FileMetrics(lowerBounds: bounds("lower"), upperBounds: bounds("upper")),
      equalityIDs: json["equality_ids"]?.elements.compactMap { $0.int } ?? [],
      referencedDataFile: json["referenced"]?.string)
  }

  private static func describe(_ files: [ScanFile], of planner: ScanPlanner) -> Bytes {
    var json = JSONWriter()
    json.object { json in
      json.key("snapshot")
      if let snapshot = planner.snapshot { json.value(snapshot.id) } else { json.null() }
      json.member("records", files.reduce(0) { $0 + $1.file.recordCount })
      json.key("files")
      json.array { json in
        for file in files.sorted(by: { $0.file.path.utf8.precedes($1.file.path.utf8) }) {
          describe(file, of: planner.table, to: &json)
        }
      }
    }
    return json.finish()
  }

  private static func describe(_ scan: ScanFile, of table: TableMetadata, to json: inout JSONWriter) {
    let file = scan.file
    json.object { json in
      json.member("path", file.path)
      json.member("format", file.format)
      json.member("records", file.recordCount)
      json.member("size", file.fileSize)
      json.member("sequence", scan.sequenceNumber)
      json.member("residual_terms", scan.residual.terms.count)
      if let spec = table.partitionSpec(id: file.specID) {
        json.member(
          "partition", spec.path(of: file.partition, types: table.partitionTypes(of: spec).map { $0 ?? .string }))
      }
      for (name, counts) in [("value_counts", file.metrics.valueCounts), ("null_counts", file.metrics.nullCounts)] {
        json.key(name)
        json.object { json in
          for (id, count) in counts.sorted(by: { $0.key < $1.key }) { json.member("\(id)", count) }
        }
      }
      for (name, bounds) in [("lower", file.metrics.lowerBounds), ("upper", file.metrics.upperBounds)] {
        json.key(name)
        json.object { json in
          for (id, bound) in bounds.sorted(by: { $0.key < $1.key }) { json.member("\(id)", Hex.text(bound)) }
        }
      }
    }
  }

  static func print(_ json: Bytes) { Swift.print(json.text) }

  static func readLocal(_ path: String) throws -> Bytes {
    guard let file = fopen(path, "rb") else { throw Arguments.Wrong(description: "\(path) cannot be read") }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { return Bytes(bytes) }
      bytes += buffer[..<count]
    }
  }
}

/// Terms of a predicate as people write them on a command line.
enum TermText {
  private static let comparisons: [(String, Predicate.Comparison)] = [
    ("<=", .lessOrEqual), (">=", .greaterOrEqual), ("<", .less), (">", .greater), ("=", .equal),
  ]

  static func parse(_ text: String, schema: Schema) throws -> Predicate.Term {
    if text.hasSuffix(" is not null") { return .isNotNull(try field(text.dropLast(12), schema).id) }
    if text.hasSuffix(" is null") { return .isNull(try field(text.dropLast(8), schema).id) }
    if let mark = text.firstRange(of: " in ("), text.hasSuffix(")") {
      let field = try field(text[..<mark.lowerBound], schema)
      let values = try text[mark.upperBound...].dropLast().split(separator: ",").map { try value($0, field) }
      return .oneOf(field.id, values)
    }
    for (sign, comparison) in comparisons {
      guard let mark = text.firstRange(of: sign) else { continue }
      let field = try field(text[..<mark.lowerBound], schema)
      return .compare(field.id, comparison, try value(text[mark.upperBound...], field))
    }
    throw Arguments.Wrong(description: "--where: `\(text)` is not COLUMN = VALUE")
  }

  private static func field(_ name: Substring, _ schema: Schema) throws -> Field {
    let name = trimmed(name)
    guard let field = schema.field(named: name) else {
      throw Arguments.Wrong(description: "--where: no column `\(name)`")
    }
    return field
  }

  private static func value(_ text: Substring, _ field: Field) throws -> Datum {
    guard let value = datum(trimmed(text), type: field.type) else {
      throw Arguments.Wrong(description: "--where: `\(text)` is no \(field.type)")
    }
    return value
  }

  private static func trimmed(_ text: Substring) -> String {
    var text = text
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return String(text)
  }

  /// Numbers as such (dates in days, times in microseconds), bytes in hex.
  static func datum(_ text: String, type: FieldType) -> Datum? {
    switch type {
    case .boolean: Bool(text).map { .boolean($0) }
    case .int, .date: Int32(text).map { .int($0) }
    case .long, .time, .timestamp, .timestamptz: Int64(text).map { .long($0) }
    case .float: Float(text).map { .float($0) }
    case .double: Double(text).map { .double($0) }
    case .decimal: Int128(text).map { .decimal($0) }
    case .string: .string(text)
    case .uuid, .fixed, .binary: Hex.bytes(text.utf8).map { .binary($0) }
    case .structure, .list, .map: nil
    }
  }
}
