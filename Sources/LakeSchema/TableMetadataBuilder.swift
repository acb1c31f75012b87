/// Applies updates one after another to a table, or to nothing.
///
/// Source: Iceberg table specification, "Table Metadata", and the REST specification's `TableUpdate`.
struct TableMetadataBuilder {
  private let base: TableMetadata?
  private let now: Int64
  private var table: TableMetadata
  private var lastAddedSchemaID: Int?
  private var lastAddedSpecID: Int?
  private var lastAddedOrderID: Int?
  private var addedSnapshotIDs: Set<Int64> = []

  /// Snapshots may be this much older than the last one: other engines refuse to read more.
  static let snapshotClockSkewMax: Int64 = 60_000
  static let formatVersion = 2

  init(_ base: TableMetadata, now: Int64) {
    self.base = base
    self.now = now
    table = base
  }

  init(now: Int64) {
    base = nil
    self.now = now
    table = TableMetadata(
      tableUUID: "", location: "", lastUpdated: now, lastColumnID: 0, schemas: [], currentSchemaID: -1,
      partitionSpecs: [], defaultSpecID: -1, lastPartitionID: SchemaRules.partitionFieldIDMin - 1, sortOrders: [],
      defaultSortOrderID: -1)
  }

  mutating func apply(_ update: TableUpdate) throws(TableCommitError) {
    switch update {
    case .assignUUID(let uuid): try assign(uuid: uuid)
    case .upgradeFormatVersion(let version): try upgrade(to: version)
    case .addSchema(let schema): try add(schema)
    case .setCurrentSchema(let id): try setCurrentSchema(id)
    case .addPartitionSpec(let spec): try add(spec)
    case .setDefaultSpec(let id): try setDefaultSpec(id)
    case .addSortOrder(let order): try add(order)
    case .setDefaultSortOrder(let id): try setDefaultSortOrder(id)
    case .addSnapshot(let snapshot): try add(snapshot)
    case .setSnapshotRef(let name, let ref): try set(name, to: ref)
    case .removeSnapshots(let ids): try removeSnapshots(Set(ids))
    case .removeSnapshotRef(let name): try removeRef(name)
    case .setLocation(let location): try set(location: location)
    case .setProperties(let properties): table.properties.merge(properties) { $1 }
    case .removeProperties(let names): for name in names { table.properties[name] = nil }
    case .removePartitionSpecs(let ids): try removeSpecs(Set(ids))
    case .removeSchemas(let ids): try removeSchemas(Set(ids))
    case .setStatistics(let file): set(file)
    case .removeStatistics(let id): table.statistics.removeAll { $0.snapshotID == id }
    case .setPartitionStatistics(let file): set(file)
    case .removePartitionStatistics(let id): table.partitionStatistics.removeAll { $0.snapshotID == id }
    }
  }

  func finish(previousLocation: String?) throws(TableCommitError) -> TableMetadata {
    var result = table
    try checkComplete(result)
    if let base, base == result { return base }
    result.lastUpdated = max(now, base?.lastUpdated ?? now, result.currentSnapshot?.timestamp ?? now)
    result.snapshotLog = snapshotLog(of: result)
    if let base, let previousLocation {
      result.metadataLog.append(MetadataLogEntry(metadataFile: previousLocation, timestamp: base.lastUpdated))
      let kept = max(
        1,
        result.properties.number(
          TableProperties.metadataPreviousVersionsMax, default: TableProperties.metadataPreviousVersionsMaxDefault))
      result.metadataLog.removeFirst(max(0, result.metadataLog.count - kept))
    }
    return result
  }

  private func checkComplete(_ table: TableMetadata) throws(TableCommitError) {
    guard table.formatVersion == Self.formatVersion else {
      throw .invalid("a table of format version \(table.formatVersion) is read only here until it is upgraded to 2")
    }
    guard !table.tableUUID.isEmpty else { throw .invalid("no table uuid assigned") }
    guard !table.location.isEmpty else { throw .invalid("no location set") }
    guard let schema = table.schema else { throw .invalid("no current schema set") }
    guard let spec = table.partitionSpec else { throw .invalid("no default partition spec set") }
    guard let order = table.sortOrder else { throw .invalid("no default sort order set") }
    // Unchanged parts were checked when they were made, perhaps by another engine with other rules.
    if schema != base?.schema || spec != base?.partitionSpec { try SchemaRules.check(spec, schema: schema) }
    if schema != base?.schema || order != base?.sortOrder { try SchemaRules.check(order, schema: schema) }
  }

  // MARK: identity

  private mutating func assign(uuid: String) throws(TableCommitError) {
    guard !uuid.isEmpty else { throw .invalid("empty table uuid") }
    guard table.tableUUID.isEmpty || table.tableUUID.lowercased() == uuid.lowercased() else {
      throw .invalid("the table's uuid is \(table.tableUUID), it cannot become \(uuid)")
    }
    if table.tableUUID.isEmpty { table.tableUUID = uuid }
  }

  private mutating func upgrade(to version: Int) throws(TableCommitError) {
    guard version >= table.formatVersion else {
      throw .invalid("format version \(table.formatVersion) cannot become \(version)")
    }
    guard version <= Self.formatVersion else { throw .invalid("format version \(version) is not supported") }
    table.formatVersion = version
  }

  private mutating func set(location: String) throws(TableCommitError) {
    let location = TableMetadata.withoutTrailingSlash(location)
    guard !location.isEmpty else { throw .invalid("empty location") }
    table.location = location
  }

  // MARK: schemas

  private mutating func add(_ schema: Schema) throws(TableCommitError) {
    try SchemaRules.check(schema)
    if let current = table.schema { try SchemaRules.checkEvolution(from: current, to: schema) }
    table.lastColumnID = max(table.lastColumnID, schema.lastFieldID)
    if let same = table.schemas.first(where: {
      $0.fields == schema.fields && Set($0.identifierFieldIDs) == Set(schema.identifierFieldIDs)
    }) {
      lastAddedSchemaID = same.id
      return
    }
    var added = schema
    added.id = table.schemas.isEmpty ? max(schema.id, 0) : table.schemas.reduce(0) { max($0, $1.id) } + 1
    table.schemas.append(added)
    lastAddedSchemaID = added.id
  }

  private mutating func setCurrentSchema(_ id: Int) throws(TableCommitError) {
    let wanted = try resolve(id, lastAddedSchemaID, "schema")
    guard table.schema(id: wanted) != nil else { throw .invalid("no schema \(wanted)") }
    table.currentSchemaID = wanted
  }

  private mutating func removeSchemas(_ ids: Set<Int>) throws(TableCommitError) {
    guard !ids.contains(table.currentSchemaID) else { throw .invalid("the current schema cannot be removed") }
    table.schemas.removeAll { ids.contains($0.id) }
  }

  // MARK: partition specs

  private mutating func add(_ spec: PartitionSpec) throws(TableCommitError) {
    guard let schema = lastAddedSchemaID.flatMap({ table.schema(id: $0) }) ?? table.schema else {
      throw .invalid("a partition spec needs a schema first")
    }
    let spec = assigningFieldIDs(spec)
    try SchemaRules.check(spec, schema: schema)
    if let same = table.partitionSpecs.first(where: { Self.areCompatible($0, spec) }) {
      lastAddedSpecID = same.id
      return
    }
    for field in spec.fields { try checkFieldIDReuse(field) }
    var added = spec
    added.id = table.partitionSpecs.isEmpty ? max(spec.id, 0) : table.partitionSpecs.reduce(0) { max($0, $1.id) } + 1
    table.partitionSpecs.append(added)
    table.lastPartitionID = spec.fields.reduce(table.lastPartitionID) { max($0, $1.fieldID) }
    lastAddedSpecID = added.id
  }

  /// A field that an older spec has keeps its id; others count on.
  private func assigningFieldIDs(_ spec: PartitionSpec) -> PartitionSpec {
    var next = spec.fields.reduce(table.lastPartitionID) { max($0, $1.fieldID) }
    var spec = spec
    for index in spec.fields.indices where spec.fields[index].fieldID == 0 {
      let field = spec.fields[index]
      let known = table.partitionSpecs.lazy.flatMap(\.fields)
        .first { $0.sourceID == field.sourceID && $0.transform == field.transform }
      if let known {
        spec.fields[index].fieldID = known.fieldID
      } else {
        next += 1
        spec.fields[index].fieldID = next
      }
    }
    return spec
  }

  /// A partition field id means one source and transform in all specs of a table (or `void`, once dropped).
  private func checkFieldIDReuse(_ field: PartitionField) throws(TableCommitError) {
    for spec in table.partitionSpecs {
      for other in spec.fields where other.fieldID == field.fieldID {
        let isSame = other.sourceID == field.sourceID && other.transform == field.transform
        guard isSame || other.transform == .void || field.transform == .void else {
          throw .invalid("partition field id \(field.fieldID) already means \(other.name)")
        }
      }
    }
  }

  private static func areCompatible(_ a: PartitionSpec, _ b: PartitionSpec) -> Bool {
    a.fields == b.fields
  }

  private mutating func setDefaultSpec(_ id: Int) throws(TableCommitError) {
    let wanted = try resolve(id, lastAddedSpecID, "partition spec")
    guard table.partitionSpec(id: wanted) != nil else { throw .invalid("no partition spec \(wanted)") }
    table.defaultSpecID = wanted
  }

  private mutating func removeSpecs(_ ids: Set<Int>) throws(TableCommitError) {
    guard !ids.contains(table.defaultSpecID) else { throw .invalid("the default partition spec cannot be removed") }
    table.partitionSpecs.removeAll { ids.contains($0.id) }
  }

  // MARK: sort orders

  private mutating func add(_ order: SortOrder) throws(TableCommitError) {
    guard let schema = lastAddedSchemaID.flatMap({ table.schema(id: $0) }) ?? table.schema else {
      throw .invalid("a sort order needs a schema first")
    }
    try SchemaRules.check(order, schema: schema)
    if let same = table.sortOrders.first(where: { $0.fields == order.fields }) {
      lastAddedOrderID = same.id
      return
    }
    var added = order
    if order.fields.isEmpty {
      added.id = 0  // reserved for "unsorted"
    } else if table.sortOrders.isEmpty {
      added.id = max(order.id, 1)
    } else {
      added.id = table.sortOrders.reduce(0) { max($0, $1.id) } + 1
    }
    table.sortOrders.append(added)
    lastAddedOrderID = added.id
  }

  private mutating func setDefaultSortOrder(_ id: Int) throws(TableCommitError) {
    let wanted = try resolve(id, lastAddedOrderID, "sort order")
    guard table.sortOrders.contains(where: { $0.id == wanted }) else { throw .invalid("no sort order \(wanted)") }
    table.defaultSortOrderID = wanted
  }

  private func resolve(_ id: Int, _ lastAdded: Int?, _ what: String) throws(TableCommitError) -> Int {
    guard id == -1 else { return id }
    guard let lastAdded else { throw .invalid("no \(what) was added in this commit") }
    return lastAdded
  }

  // MARK: snapshots

  private mutating func add(_ snapshot: Snapshot) throws(TableCommitError) {
    guard table.snapshot(id: snapshot.id) == nil else { throw .invalid("snapshot \(snapshot.id) exists") }
    guard snapshot.sequenceNumber > table.lastSequenceNumber else {
      throw .invalid(
        "sequence number \(snapshot.sequenceNumber) is not above the last one, \(table.lastSequenceNumber)")
    }
    if let parent = snapshot.parentID, table.snapshot(id: parent) == nil {
      throw .invalid("parent snapshot \(parent) is not in the table")
    }
    if let schemaID = snapshot.schemaID, table.schema(id: schemaID) == nil {
      throw .invalid("snapshot \(snapshot.id) names schema \(schemaID), which is not in the table")
    }
    guard !snapshot.manifestList.isEmpty else { throw .invalid("snapshot \(snapshot.id) has no manifest list") }
    guard snapshot.summary["operation"] != nil else { throw .invalid("snapshot \(snapshot.id) has no operation") }
    if let last = table.snapshotLog.last, snapshot.timestamp < last.timestamp - Self.snapshotClockSkewMax {
      throw .invalid("snapshot time \(snapshot.timestamp) is before the last snapshot's, \(last.timestamp)")
    }
    table.snapshots.append(snapshot)
    table.lastSequenceNumber = snapshot.sequenceNumber
    addedSnapshotIDs.insert(snapshot.id)
  }

  private mutating func set(_ name: String, to ref: SnapshotRef) throws(TableCommitError) {
    guard table.snapshot(id: ref.snapshotID) != nil else {
      throw .invalid("ref \(name): snapshot \(ref.snapshotID) is not in the table")
    }
    if ref.kind == .tag, ref.minSnapshotsToKeep != nil || ref.maxSnapshotAge != nil {
      throw .invalid("tag \(name) cannot keep snapshots by number or age")
    }
    if let count = ref.minSnapshotsToKeep, count <= 0 { throw .invalid("ref \(name): min-snapshots-to-keep \(count)") }
    for age in [ref.maxSnapshotAge, ref.maxRefAge] {
      if let age, age <= 0 { throw .invalid("ref \(name): age \(age)") }
    }
    if name == TableMetadata.mainBranch {
      guard ref.kind == .branch else { throw .invalid("main is a branch") }
      table.currentSnapshotID = ref.snapshotID
    }
    table.refs[name] = ref
  }

  private mutating func removeRef(_ name: String) throws(TableCommitError) {
    table.refs[name] = nil
    if name == TableMetadata.mainBranch { table.currentSnapshotID = nil }
  }

  /// A snapshot that a branch or tag points at stays: the tag may have been made since the removal was decided.
  private mutating func removeSnapshots(_ ids: Set<Int64>) throws(TableCommitError) {
    if let (name, ref) = table.refs.sorted(by: { $0.key < $1.key }).first(where: { ids.contains($0.value.snapshotID) })
    {
      throw .requirementFailed("snapshot \(ref.snapshotID) cannot be removed while `\(name)` points at it")
    }
    table.snapshots.removeAll { ids.contains($0.id) }
    table.statistics.removeAll { ids.contains($0.snapshotID) }
    table.partitionStatistics.removeAll { ids.contains($0.snapshotID) }
  }

  /// One entry for each change of the current snapshot that a commit left behind; history before a snapshot that is
  /// gone is cut.
  private func snapshotLog(of result: TableMetadata) -> [SnapshotLogEntry] {
    var log = result.snapshotLog
    if let current = result.currentSnapshot, current.id != base?.currentSnapshotID {
      let wanted = addedSnapshotIDs.contains(current.id) ? current.timestamp : result.lastUpdated
      log.append(SnapshotLogEntry(snapshotID: current.id, timestamp: max(wanted, log.last?.timestamp ?? wanted)))
    }
    let known = Set(result.snapshots.map(\.id))
    if let gone = log.lastIndex(where: { !known.contains($0.snapshotID) }) { log.removeFirst(gone + 1) }
    return log
  }

  // MARK: statistics

  private mutating func set(_ file: StatisticsFile) {
    table.statistics.removeAll { $0.snapshotID == file.snapshotID }
    table.statistics.append(file)
  }

  private mutating func set(_ file: PartitionStatisticsFile) {
    table.partitionStatistics.removeAll { $0.snapshotID == file.snapshotID }
    table.partitionStatistics.append(file)
  }
}
