import LakeJSON
import LakeModel

/// Builds a `MAP(VARCHAR, VARCHAR)` column of attributes and its column of shapes.
///
/// A row's entries are those of its resource, then of its scope, then its own. A key that comes more than once keeps its last entry:
/// the innermost level, and within a level the last. What was left out is the caller's to keep (README.md, "Attributes").
///
/// Resource and scope are given once (`beginResource`, `beginScope`); each row then starts as a copy of their entries, two small
/// integers an entry. Keys are distinct dictionary entries, so that a repeated key is seen by a mark and not by comparing.
struct AttributesBuilder: ~Copyable {
  enum Level: UInt8 {
    case resource = 0
    case scope = 1
    case item = 2

    /// The letter that opens the level's part of a shape.
    var letter: UInt8 { RawBytes("RSI").start[Int(rawValue)] }
  }

  struct Entry {
    var key: UInt32
    var value: UInt32
    var kind: AnyValueKind
    var level: Level
  }

  /// What is known of a key, by its index.
  private struct KeyState {
    /// The key as it came first, inside the request; its count is -1 when it was repaired and is not to be compared.
    var start: UnsafePointer<UInt8>
    var count: Int
    /// The row, and the group, in which the key was seen last.
    var row: UInt32 = 0
    var group: UInt32 = 0
    var sweep: UInt32 = 0
    /// The key that followed this one last time.
    var successor: UInt32 = 0
    /// Values in a row that were not found again, and how many are now added without looking.
    var misses: UInt8 = 0
    var pause: UInt8 = 0
  }

  private let limits: DecodeLimits
  private var keys: ByteTable
  private var keyStates: BufferBuilder<KeyState>
  private var values: ValueDictionary
  private var shapes: ShapeTable

  private var entryKeys: BufferBuilder<UInt32>
  private var entryValues: BufferBuilder<UInt32>
  /// One byte an entry once some value was absent; empty until then.
  private var entryPresence = BufferBuilder<UInt8>()
  private var hasAbsent = false
  private var offsets = BufferBuilder<UInt32>(capacity: 256)
  private var shapeIndices = BufferBuilder<UInt32>(capacity: 256)
  private var shapePresence = Presence()

  private var resourceEntries: [Entry] = []
  private var groupEntries: [Entry] = []
  private var groupKeys = BufferBuilder<UInt32>()
  private var groupValues = BufferBuilder<UInt32>()
  private var groupShape = BufferBuilder<UInt8>()
  private var groupNode = ShapeTable.root
  private var groupHasAbsent = false

  private var rowStart = 0
  private var rowShape = BufferBuilder<UInt8>()
  private var rowNode = ShapeTable.root
  private var lastKey: UInt32 = 0
  private var row: UInt32 = 0
  private var group: UInt32 = 0
  private var sweep: UInt32 = 0
  private var rowCollides = false
  private var rowHasOwn = false
  /// True entries of booleans, made when first needed: "false", "true".
  private var boolEntries: (UInt32?, UInt32?) = (nil, nil)

  /// Of the current row, resource or scope: a key came twice on its own level.
  private(set) var hasRepeatedKey = false
  /// Of the current row, resource or scope: a nested value was written inexactly.
  private(set) var hasInexactValue = false
  /// Of the current row, resource or scope: invalid UTF-8 was repaired.
  private(set) var hasRepairedText = false

  /// - Parameter bodyBytes: size of the request, from which the columns' sizes are guessed.
  init(limits: DecodeLimits, seed: UInt64, bodyBytes: Int) {
    self.limits = limits
    keys = ByteTable(seed: seed)
    keyStates = BufferBuilder(capacity: 64)
    values = ValueDictionary(seed: seed, bytes: bodyBytes / 4)
    entryKeys = BufferBuilder(capacity: bodyBytes / 24 + 64)
    entryValues = BufferBuilder(capacity: bodyBytes / 24 + 64)
    shapes = ShapeTable(seed: seed)
    offsets.append(0)
    _ = keyIndexBySearch(.none)  // index 0, where each row's chain of successors starts; also the empty key
    endScope()
  }

  var rowCount: Int { offsets.count - 1 }

  // MARK: - Groups

  /// Starts a resource: the rows that follow have these attributes. `entries` are fed by `groupEntry`.
  mutating func beginResource() {
    resourceEntries.removeAll(keepingCapacity: true)
    groupEntries.removeAll(keepingCapacity: true)
    clearFlags()
  }

  mutating func endResource() {
    resourceEntries = lastOfEachKey(groupEntries)
    if resourceEntries.count != groupEntries.count { hasRepeatedKey = true }
  }

  /// Starts a scope inside the current resource.
  mutating func beginScope() {
    groupEntries.removeAll(keepingCapacity: true)
    clearFlags()
  }

  mutating func endScope() {
    groupEntries = lastOfEachKey(resourceEntries + groupEntries)
    group &+= 1
    groupKeys.count = 0
    groupValues.count = 0
    groupShape.count = 0
    groupNode = ShapeTable.root
    groupHasAbsent = false
    var level: Level?
    for entry in groupEntries {
      groupKeys.append(entry.key)
      groupValues.append(entry.value)
      keyStates.base[Int(entry.key)].group = group
      if entry.kind == .none { groupHasAbsent = true }
      if entry.level != level {
        groupShape.append(entry.level.letter)
        groupNode = shapes.step(groupNode, level: entry.level)
        level = entry.level
      }
      groupShape.append(entry.kind.letter)
      groupNode = shapes.step(groupNode, kind: entry.kind)
    }
  }

  private mutating func clearFlags() {
    hasRepeatedKey = false
    hasInexactValue = false
    hasRepairedText = false
  }

  /// One attribute of the resource or scope that was begun.
  mutating func groupEntry(_ pair: KeyValueWire, level: Level, arena: inout Arena) throws(WireError) {
    let key = keyIndex(pair.key)
    let value = try valueIndex(pair.value, key: key, arena: &arena)
    groupEntries.append(Entry(key: key, value: value, kind: pair.value.kind, level: level))
    try checkSizes(extraEntries: groupEntries.count)
  }

  private mutating func lastOfEachKey(_ entries: [Entry]) -> [Entry] {
    sweep &+= 1
    var kept: [Entry] = []
    for entry in entries.reversed() where keyStates.base[Int(entry.key)].sweep != sweep {
      keyStates.base[Int(entry.key)].sweep = sweep
      kept.append(entry)
    }
    kept.reverse()
    return kept
  }

  // MARK: - Rows

  /// Makes room for rows of the current scope.
  /// - Throws: when their common attributes alone go over the limit.
  mutating func reserve(rows: Int) throws(WireError) {
    let (common, overflow) = rows.multipliedReportingOverflow(by: groupKeys.count)
    guard !overflow, common <= limits.attributeEntriesMax - min(entryKeys.count, limits.attributeEntriesMax) else {
      throw WireError(.manyEntries, at: nil)
    }
    _ = offsets.reserve(rows)
    _ = shapeIndices.reserve(rows)
  }

  /// Starts a row for which `reserve` made room.
  /// - Parameter entriesMax: own attributes that the row can have at most.
  @inline(__always)
  mutating func beginRow(entriesMax: Int) {
    rowStart = entryKeys.count
    let common = groupKeys.count
    entryKeys.reserve(common &+ entriesMax).update(from: groupKeys.base, count: common)
    entryKeys.count &+= common
    entryValues.reserve(common &+ entriesMax).update(from: groupValues.base, count: common)
    entryValues.count &+= common
    if hasAbsent || groupHasAbsent { beginRowPresence() }
    rowShape.count = 0
    _ = rowShape.reserve(entriesMax &+ 1)
    rowNode = groupNode
    row &+= 1
    lastKey = 0
    rowCollides = false
    rowHasOwn = false
    clearFlags()
  }

  private mutating func beginRowPresence() {
    trackAbsence(upTo: rowStart)
    for entry in groupEntries { entryPresence.append(entry.kind == .none ? 0 : 1) }
  }

  private mutating func trackAbsence(upTo count: Int) {
    guard !hasAbsent else { return }
    hasAbsent = true
    entryPresence.append(repeating: 1, count: count)
  }

  /// One attribute of the row itself.
  @inline(__always)
  mutating func entry(key keyBytes: RawBytes, value: AnyValueWire, arena: inout Arena) throws(WireError) {
    let key = keyIndex(keyBytes)
    let state = keyStates.base + Int(key)
    if state.pointee.row == row {
      rowCollides = true
      hasRepeatedKey = true
    } else if state.pointee.group == group {
      rowCollides = true
    }
    state.pointee.row = row
    let index = try valueIndex(value, key: key, arena: &arena)
    if value.kind == .none { trackAbsence(upTo: entryKeys.count) }
    if hasAbsent { entryPresence.append(value.kind == .none ? 0 : 1) }
    entryKeys.push(key)
    entryValues.push(index)
    if !rowHasOwn {
      rowNode = shapes.step(rowNode, level: .item)
      rowHasOwn = true
    }
    rowShape.push(value.kind.letter)
    rowNode = shapes.step(rowNode, kind: value.kind)
  }

  @inline(__always)
  mutating func endRow() throws(WireError) {
    if rowCollides { dropShadowed() }
    try checkSizes(extraEntries: 0)
    offsets.push(UInt32(truncatingIfNeeded: entryKeys.count))
    shapePresence.append(entryKeys.count != rowStart, after: shapeIndices.count)
    shapeIndices.push(rowCollides ? shapes.entry(text: rowShape.written) : shapeEntry())
  }

  @inline(__always)
  private mutating func shapeEntry() -> UInt32 {
    if let entry = shapes.known(rowNode) { return entry }
    return newShapeEntry()
  }

  /// The text is put together only when the tree does not know it.
  private mutating func newShapeEntry() -> UInt32 {
    var text = BufferBuilder<UInt8>(capacity: groupShape.count + rowShape.count + 1)
    text.append(groupShape.written)
    if rowHasOwn { text.append(Level.item.letter) }
    text.append(rowShape.written)
    return shapes.addEntry(rowNode, text: text.written)
  }

  /// Feeds each entry of the row ended last to `body`: key, and value unless it is none.
  @inline(__always)
  func forEachEntryOfLastRow(_ body: (RawBytes, RawBytes?) -> Void) {
    for index in rowStart..<entryKeys.count {
      let isPresent = !hasAbsent || entryPresence.base[index] != 0
      body(keys.entry(entryKeys.base[index]), isPresent ? values.entry(entryValues.base[index]) : nil)
    }
  }

  /// Takes back the row that was begun: its record is rejected.
  mutating func dropRow() {
    entryKeys.count = rowStart
    entryValues.count = rowStart
    if hasAbsent { entryPresence.count = rowStart }
  }

  private func checkSizes(extraEntries: Int) throws(WireError) {
    guard entryKeys.count + extraEntries <= limits.attributeEntriesMax else { throw WireError(.manyEntries, at: nil) }
    guard values.data.count <= limits.columnBytesMax else { throw WireError(.bigColumn, at: nil) }
    guard keys.count <= limits.attributeKeysMax else { throw WireError(.manyKeys, at: nil) }
  }

  /// Rewrites the row with the last entry of each key.
  private mutating func dropShadowed() {
    var entries = groupEntries
    let own = rowStart + groupEntries.count
    for index in own..<entryKeys.count {
      let kind = AnyValueKind(letter: rowShape.base[index - own])!
      entries.append(Entry(key: entryKeys.base[index], value: entryValues.base[index], kind: kind, level: .item))
    }
    entryKeys.count = rowStart
    entryValues.count = rowStart
    if hasAbsent { entryPresence.count = rowStart }
    rowShape.count = 0
    var level: Level?
    for entry in lastOfEachKey(entries) {
      entryKeys.append(entry.key)
      entryValues.append(entry.value)
      if hasAbsent { entryPresence.append(entry.kind == .none ? 0 : 1) }
      if entry.level != level { rowShape.append(entry.level.letter) }
      level = entry.level
      rowShape.append(entry.kind.letter)
    }
  }

  // MARK: - Keys

  @inline(__always)
  private mutating func keyIndex(_ bytes: RawBytes) -> UInt32 {
    let expected = keyStates.base[Int(lastKey)].successor
    let state = keyStates.base + Int(expected)
    if state.pointee.count == bytes.count, equalBytes(state.pointee.start, bytes.start, bytes.count) {
      lastKey = expected
      return expected
    }
    let index = keyIndexBySearch(bytes)
    keyStates.base[Int(lastKey)].successor = index
    lastKey = index
    return index
  }

  private mutating func keyIndexBySearch(_ bytes: RawBytes) -> UInt32 {
    guard bytes.isValidUTF8 else { return repairedKeyIndex(bytes) }
    let index = keys.index(of: bytes)
    if keyStates.count < keys.count { keyStates.append(KeyState(start: bytes.start, count: bytes.count)) }
    return index
  }

  private mutating func repairedKeyIndex(_ bytes: RawBytes) -> UInt32 {
    hasRepairedText = true
    var text = String(repairing: bytes.buffer)
    return text.withUTF8 { text in
      let index = keys.index(of: RawBytes(text.baseAddress!, text.count))
      if keyStates.count < keys.count { keyStates.append(KeyState(start: RawBytes.none.start, count: -1)) }
      return index
    }
  }

  // MARK: - Values

  @inline(__always)
  private mutating func valueIndex(
    _ value: AnyValueWire, key: UInt32, arena: inout Arena
  ) throws(WireError) -> UInt32 {
    switch value.kind {
    case .string: return textIndex(value.bytes, key: key)
    case .int:
      if let entry = values.find(.int, bits: value.bits) { return entry }
      NumberText.append(Int64(bitPattern: value.bits), to: &values.data)
      return remember(.int, value.bits)
    case .double:
      if let entry = values.find(.double, bits: value.bits) { return entry }
      NumberText.append(Double(bitPattern: value.bits), to: &values.data)
      return remember(.double, value.bits)
    default: return try rareIndex(value, arena: &arena)
    }
  }

  @inline(__always)
  private mutating func remember(_ kind: AnyValueKind, _ bits: UInt64) -> UInt32 {
    let entry = values.finishEntry()
    values.remember(kind, bits: bits, entry: entry)
    return entry
  }

  /// Looks for the text among recent ones unless the key's values have not come again lately.
  @inline(__always)
  private mutating func textIndex(_ text: RawBytes, key: UInt32) -> UInt32 {
    let state = keyStates.base + Int(key)
    if state.pointee.pause > 0 || text.count > ValueDictionary.sharedBytesMax {
      state.pointee.pause = state.pointee.pause > 0 ? state.pointee.pause &- 1 : 0
      return addText(text)
    }
    let found = values.find(text)
    if let entry = found.entry {
      state.pointee.misses = 0
      return entry
    }
    state.pointee.misses &+= 1
    if state.pointee.misses == 32 {
      state.pointee.misses = 16
      state.pointee.pause = 200
    }
    guard text.isValidUTF8 else { return addText(text) }
    let entry = values.add(text)
    values.remember(.string, bits: found.bits, entry: entry)
    return entry
  }

  @inline(__always)
  private mutating func addText(_ text: RawBytes) -> UInt32 {
    guard text.isValidUTF8 else { return addRepaired(text) }
    return values.add(text)
  }

  private mutating func addRepaired(_ text: RawBytes) -> UInt32 {
    hasRepairedText = true
    var repaired = String(repairing: text.buffer)
    return repaired.withUTF8 { values.add(RawBytes($0.baseAddress!, $0.count)) }
  }

  private mutating func rareIndex(_ value: AnyValueWire, arena: inout Arena) throws(WireError) -> UInt32 {
    switch value.kind {
    case .none: return 0
    case .bool: return boolIndex(value.bits != 0)
    case .bytes:
      Base64.append(value.bytes, to: &values.data)
      return values.finishEntry()
    default:
      var json = PlainJSON(valueDepthMax: limits.valueDepthMax)
      try json.append(value, arena: &arena, to: &values.data)
      if !json.isExact { hasInexactValue = true }
      if json.isRepaired { hasRepairedText = true }
      return values.finishEntry()
    }
  }

  private mutating func boolIndex(_ value: Bool) -> UInt32 {
    if let entry = value ? boolEntries.1 : boolEntries.0 { return entry }
    let entry = values.add(value ? RawBytes("true") : RawBytes("false"))
    if value { boolEntries.1 = entry } else { boolEntries.0 = entry }
    return entry
  }

  // MARK: - Result

  /// The map column and the shape column.
  consuming func columns() -> (attributes: Column, shapes: Column) {
    let rows = offsets.count - 1
    let entryCount = entryKeys.count
    let keyColumn = Column(.dictionary(indices: entryKeys.finish(), dictionary: keys.column()), count: entryCount)
    let presence: Buffer<UInt8>? = hasAbsent ? entryPresence.finish() : nil
    let valueColumn = Column(
      .dictionary(indices: entryValues.finish(), dictionary: values.column()), count: entryCount, validity: presence)
    let map = Column(.map(offsets: offsets.finish(), keys: keyColumn, values: valueColumn), count: rows)
    let shapeColumn = Column(
      .dictionary(indices: shapeIndices.finish(), dictionary: shapes.column()), count: rows,
      validity: shapePresence.finish())
    return (map, shapeColumn)
  }
}
