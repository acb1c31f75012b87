import LakeSchema

/// The schema of a file, with old and new layouts of lists and maps brought to one form.
/// Source: Apache Parquet, "Logical Types", "Nested Types" and its backward-compatibility rules.
struct FileSchema: Sendable {
  private(set) var nodes: [SchemaNode] = []
  private(set) var leaves: [Leaf] = []
  private(set) var hasFieldIDs = false

  private let elements: [SchemaElement]
  private let depthMax: Int
  private var next = 1
  private var unnamed = 0

  init(_ elements: [SchemaElement], limits: ReadLimits) throws(ParquetError) {
    self.elements = elements
    depthMax = limits.schemaDepthMax
    guard let root = elements.first, let count = root.childCount else { throw .malformed("schema without a root") }
    for _ in 0..<count { nodes.append(try field(path: [], definition: 0, repetition: 0)) }
    guard next == elements.count else { throw .malformed("schema elements that belong to no group") }
  }

  /// The next element and all beneath it, as a field of a group.
  private mutating func field(path: [String], definition: Int, repetition: Int) throws(ParquetError) -> SchemaNode {
    let element = try take(depth: path.count)
    switch element.repetition {
    case .repeated:
      // A repeated field outside list and map groups is a list of its own, never absent.
      let inner = try body(element, path: path, definition: definition + 1, repetition: repetition + 1)
      var node = SchemaNode(
        name: element.name, fieldID: inner.fieldID, isOptional: false, kind: .list(inner), type: inner.type,
        definition: definition, elementDefinition: definition + 1, repetition: repetition + 1)
      unnamed += 1
      if case .list(var child) = node.kind {
        child.fieldID = -unnamed
        node.kind = .list(child)
        node.type = .list(elementID: child.fieldID, element: child.type, elementRequired: true)
      }
      return node
    case .optional:
      var node = try body(element, path: path, definition: definition + 1, repetition: repetition)
      node.isOptional = true
      return node
    case .required, nil:
      return try body(element, path: path, definition: definition, repetition: repetition)
    }
  }

  private mutating func take(depth: Int) throws(ParquetError) -> SchemaElement {
    guard next < elements.count else { throw .malformed("schema ends within a group") }
    guard depth < depthMax * 2 else { throw .limitExceeded("schema depth", limit: depthMax * 2, found: depth + 1) }
    defer { next += 1 }
    return elements[next]
  }

  private func peek() -> SchemaElement? { next < elements.count ? elements[next] : nil }

  /// What an element is, its own repetition set aside.
  private mutating func body(
    _ element: SchemaElement, path: [String], definition: Int, repetition: Int
  ) throws(ParquetError) -> SchemaNode {
    guard definition < 255 && repetition < 255 else { throw .unsupported("levels above 254") }
    let path = path + [element.name]
    if element.fieldID != nil { hasFieldIDs = true }
    unnamed += 1
    var node = SchemaNode(
      name: element.name, fieldID: element.fieldID ?? -unnamed, isOptional: false, kind: .structure([]),
      type: .structure([]), definition: definition)
    if let type = element.type, element.childCount ?? 0 == 0 {
      addLeaf(element, type, path: path, definition: definition, repetition: repetition, into: &node)
    } else if element.isListGroup, element.childCount == 1, peek()?.repetition == .repeated {
      try addList(element, path: path, repetition: repetition, into: &node)
    } else if element.isMapGroup, element.childCount == 1, let pair = peek(), pair.repetition == .repeated,
      pair.type == nil, pair.childCount == 2
    {
      try addMap(path: path, repetition: repetition, into: &node)
    } else {
      guard let count = element.childCount, count > 0 else {
        throw .unsupported("group \(element.name) without columns")
      }
      var children: [SchemaNode] = []
      for _ in 0..<count { children.append(try field(path: path, definition: definition, repetition: repetition)) }
      node.kind = .structure(children)
      node.type = .structure(children.map(\.field))
    }
    return node
  }

  private mutating func addLeaf(
    _ element: SchemaElement, _ type: PhysicalType, path: [String], definition: Int, repetition: Int,
    into node: inout SchemaNode
  ) {
    node.kind = .leaf(leaves.count)
    node.type = element.fieldType(type)
    leaves.append(
      Leaf(
        index: leaves.count, path: path, fieldID: element.fieldID, type: node.type, physicalType: type,
        logicalType: element.meaning, typeLength: type.width ?? element.typeLength, maxDefinition: definition,
        maxRepetition: repetition))
  }

  private mutating func addList(
    _ list: SchemaElement, path: [String], repetition: Int, into node: inout SchemaNode
  ) throws(ParquetError) {
    node.elementDefinition = node.definition + 1
    node.repetition = repetition + 1
    let repeated = try take(depth: path.count)
    let isElement =
      repeated.type != nil || repeated.childCount != 1 || repeated.name == "array"
      || repeated.name == list.name + "_tuple" || repeated.isListGroup || repeated.isMapGroup
      || peek()?.repetition == .repeated
    let element =
      isElement
      ? try body(repeated, path: path, definition: node.elementDefinition, repetition: node.repetition)
      : try field(path: path + [repeated.name], definition: node.elementDefinition, repetition: node.repetition)
    node.kind = .list(element)
    node.type = .list(elementID: element.fieldID, element: element.type, elementRequired: !element.isOptional)
  }

  private mutating func addMap(path: [String], repetition: Int, into node: inout SchemaNode) throws(ParquetError) {
    node.elementDefinition = node.definition + 1
    node.repetition = repetition + 1
    let pair = try take(depth: path.count)
    let path = path + [pair.name]
    let key = try field(path: path, definition: node.elementDefinition, repetition: node.repetition)
    let value = try field(path: path, definition: node.elementDefinition, repetition: node.repetition)
    node.kind = .map(key: key, value: value)
    node.type = .map(
      keyID: key.fieldID, key: key.type, valueID: value.fieldID, value: value.type, valueRequired: !value.isOptional)
  }
}

extension PhysicalType {
  /// Bytes of a value in the plain encoding; nil when it depends on the column or the value. Booleans: one, as decoded.
  var width: Int? {
    switch self {
    case .boolean: 1
    case .int32, .float: 4
    case .int64, .double: 8
    case .int96: 12
    case .byteArray: 0
    case .fixedLengthByteArray: nil
    }
  }
}

extension SchemaElement {
  var isListGroup: Bool { type == nil && (logicalType == .list || convertedType == .list) }
  var isMapGroup: Bool {
    type == nil && (logicalType == .map || convertedType == .map || convertedType == .mapKeyValue)
  }

  /// The logical type, made from the older annotation where there is no newer one.
  var meaning: LogicalType? {
    if let logicalType { return logicalType }
    switch convertedType {
    case .utf8: return .string
    case .map, .mapKeyValue: return .map
    case .list: return .list
    case .enum: return .enum
    case .decimal: return .decimal(scale: scale, precision: precision)
    case .date: return .date
    case .timeMillis: return .time(isUTC: true, .millis)
    case .timeMicros: return .time(isUTC: true, .micros)
    case .timestampMillis: return .timestamp(isUTC: true, .millis)
    case .timestampMicros: return .timestamp(isUTC: true, .micros)
    case .uint8: return .integer(bits: 8, isSigned: false)
    case .uint16: return .integer(bits: 16, isSigned: false)
    case .uint32: return .integer(bits: 32, isSigned: false)
    case .uint64: return .integer(bits: 64, isSigned: false)
    case .int8: return .integer(bits: 8, isSigned: true)
    case .int16: return .integer(bits: 16, isSigned: true)
    case .int32: return .integer(bits: 32, isSigned: true)
    case .int64: return .integer(bits: 64, isSigned: true)
    case .json: return .json
    case .bson: return .bson
    case .interval, nil: return nil
    }
  }

  /// What a leaf is read as. An annotation that does not fit its physical type is passed over.
  func fieldType(_ type: PhysicalType) -> FieldType {
    if case .decimal(let scale, let precision) = meaning, (1...38).contains(precision), (0...precision).contains(scale),
      [.int32, .int64, .byteArray, .fixedLengthByteArray].contains(type)
    {
      return .decimal(precision: precision, scale: scale)
    }
    switch (type, meaning) {
    case (.boolean, _): return .boolean
    case (.int32, .date): return .date
    case (.int32, .time(_, .millis)): return .time
    case (.int32, .integer(bits: 32, isSigned: false)): return .long
    case (.int32, _): return .int
    case (.int64, .time(_, .micros)), (.int64, .time(_, .nanos)): return .time
    case (.int64, .timestamp(let isUTC, _)): return isUTC ? .timestamptz : .timestamp
    case (.int64, .integer(bits: 64, isSigned: false)): return .decimal(precision: 20, scale: 0)
    case (.int64, _): return .long
    case (.int96, _): return .timestamptz
    case (.float, _): return .float
    case (.double, _): return .double
    case (.byteArray, .string), (.byteArray, .enum), (.byteArray, .json): return .string
    case (.byteArray, _): return .binary
    case (.fixedLengthByteArray, .uuid) where typeLength == 16: return .uuid
    case (.fixedLengthByteArray, .float16) where typeLength == 2: return .float
    case (.fixedLengthByteArray, _): return .fixed(typeLength)
    }
  }
}
