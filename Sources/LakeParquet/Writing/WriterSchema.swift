import LakeSchema

/// A schema as it is written: nodes with levels, leaves, and the footer's elements.
struct WriterSchema: Sendable {
  private(set) var nodes: [SchemaNode] = []
  private(set) var leaves: [Leaf] = []
  private(set) var elements: [SchemaElement] = []

  init(_ schema: Schema) throws(ParquetError) {
    guard !schema.fields.isEmpty else { throw .unsupported("a file without columns") }
    elements = [SchemaElement(repetition: nil, name: "table", childCount: schema.fields.count)]
    for field in schema.fields { nodes.append(try add(field, path: [], definition: 0, repetition: 0)) }
  }

  private mutating func add(
    _ field: Field, path: [String], definition: Int, repetition: Int
  ) throws(ParquetError) -> SchemaNode {
    guard path.count < 192, definition < 254 else { throw .unsupported("columns nested deeper than levels can tell") }
    let present = definition + (field.isRequired ? 0 : 1)
    var element = SchemaElement(
      repetition: field.isRequired ? .required : .optional, name: field.name,
      fieldID: field.id >= 0 ? field.id : nil)
    var node = SchemaNode(
      name: field.name, fieldID: field.id, isOptional: !field.isRequired, kind: .structure([]), type: field.type,
      definition: present)
    let path = path + [field.name]
    switch field.type {
    case .structure(let fields):
      guard !fields.isEmpty else { throw .unsupported("struct \(path.joined(separator: ".")) without fields") }
      element.childCount = fields.count
      elements.append(element)
      var children: [SchemaNode] = []
      for child in fields {
        children.append(try add(child, path: path, definition: present, repetition: repetition))
      }
      node.kind = .structure(children)
    case .list, .map:
      try addRepeated(field, element, path: path, repetition: repetition, into: &node)
    default: addLeaf(field, &element, path: path, present: present, repetition: repetition, into: &node)
    }
    return node
  }

  private mutating func addRepeated(
    _ field: Field, _ group: SchemaElement, path: [String], repetition: Int, into node: inout SchemaNode
  ) throws(ParquetError) {
    var group = group
    var isMap = false
    if case .map = field.type { isMap = true }
    group.childCount = 1
    group.convertedType = isMap ? .map : .list
    group.logicalType = isMap ? .map : .list
    elements.append(group)
    let inner = isMap ? "key_value" : "list"
    elements.append(SchemaElement(repetition: .repeated, name: inner, childCount: field.type.children.count))
    node.elementDefinition = node.definition + 1
    node.repetition = repetition + 1
    var children: [SchemaNode] = []
    for child in field.type.children {
      children.append(
        try add(child, path: path + [inner], definition: node.elementDefinition, repetition: repetition + 1))
    }
    node.kind = isMap ? .map(key: children[0], value: children[1]) : .list(children[0])
  }

  private mutating func addLeaf(
    _ field: Field, _ element: inout SchemaElement, path: [String], present: Int, repetition: Int,
    into node: inout SchemaNode
  ) {
    element.describe(field.type)
    elements.append(element)
    node.kind = .leaf(leaves.count)
    leaves.append(
      Leaf(
        index: leaves.count, path: path, fieldID: element.fieldID, type: field.type, physicalType: element.type!,
        logicalType: element.logicalType, typeLength: element.typeLength, maxDefinition: present,
        maxRepetition: repetition))
  }
}

extension SchemaElement {
  /// Source: Iceberg table specification, "Appendix A: Parquet".
  mutating func describe(_ fieldType: FieldType) {
    switch fieldType {
    case .boolean: type = .boolean
    case .int: type = .int32
    case .long: type = .int64
    case .float: type = .float
    case .double: type = .double
    case .date: (type, logicalType, convertedType) = (.int32, .date, .date)
    case .time: (type, logicalType) = (.int64, .time(isUTC: false, .micros))
    case .timestamp: (type, logicalType) = (.int64, .timestamp(isUTC: false, .micros))
    case .timestamptz:
      (type, logicalType, convertedType) = (.int64, .timestamp(isUTC: true, .micros), .timestampMicros)
    case .string: (type, logicalType, convertedType) = (.byteArray, .string, .utf8)
    case .binary: type = .byteArray
    case .uuid: (type, logicalType, typeLength) = (.fixedLengthByteArray, .uuid, 16)
    case .fixed(let width): (type, typeLength) = (.fixedLengthByteArray, width)
    case .decimal(let precision, let scale):
      (logicalType, convertedType) = (.decimal(scale: scale, precision: precision), .decimal)
      (self.precision, self.scale) = (precision, scale)
      if precision <= 9 {
        type = .int32
      } else if precision <= 18 {
        type = .int64
      } else {
        (type, typeLength) = (.fixedLengthByteArray, FieldType.decimalBytes(precision: precision))
      }
    case .structure, .list, .map: preconditionFailure("not a leaf")
    }
  }
}
