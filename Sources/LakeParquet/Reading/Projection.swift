package import LakeSchema

/// A requested schema laid over a file's: which leaves are read, and how they become the requested columns.
///
/// Fields meet by field id. A file without ids is met through the name mapping, or by name when there is none. A
/// requested field that the file lacks is absent in every row; int widens to long, float to double, decimals to a greater
/// precision.
package struct Projection: Sendable {
  package let schema: Schema
  /// Leaves of the file that are read, ascending.
  package let leaves: [Int]
  let nodes: [ReadNode]

  init(schema: Schema, nodes: [ReadNode]) {
    self.schema = schema
    self.nodes = nodes
    leaves = Array(Set(nodes.flatMap(\.leaves))).sorted()
  }
}

extension ParquetFile {
  /// - Throws: `.schemaMismatch` when a field cannot be made from the file's column of that id.
  package func projection(
    to schema: Schema, nameMapping: NameMapping? = nil
  ) throws(ParquetError) -> Projection {
    let matcher: FieldMatcher = hasFieldIDs ? .ids : nameMapping.map { .mapping($0.entries) } ?? .names
    var read: [ReadNode] = []
    for field in schema.fields { read.append(try matcher.node(field, among: nodes, leaves: leaves)) }
    return Projection(schema: schema, nodes: read)
  }

  /// The file's own top-level columns of these names, in the file's order.
  package func projection(names: Set<String>) throws(ParquetError) -> Projection {
    let kept = nodes.filter { names.contains($0.name) }
    var read: [ReadNode] = []
    for node in kept { read.append(try FieldMatcher.same.node(node.field, from: node, leaves: leaves)) }
    return Projection(schema: Schema(id: 0, fields: kept.map(\.field)), nodes: read)
  }

  /// All columns as the file has them.
  package func projectionOfEverything() throws(ParquetError) -> Projection {
    var read: [ReadNode] = []
    for node in nodes { read.append(try FieldMatcher.same.node(node.field, from: node, leaves: leaves)) }
    return Projection(schema: schema, nodes: read)
  }
}

/// How a requested field finds its column.
enum FieldMatcher {
  case ids
  case names
  case mapping([NameMapping.Entry])
  /// The request is the file's own schema.
  case same

  func node(_ field: Field, among nodes: [SchemaNode], leaves: [Leaf]) throws(ParquetError) -> ReadNode {
    switch self {
    case .ids, .same:
      if let found = nodes.first(where: { $0.fieldID == field.id }) {
        return try node(field, from: found, leaves: leaves)
      }
    case .names:
      if let found = nodes.first(where: { $0.name == field.name }) {
        return try node(field, from: found, leaves: leaves)
      }
    case .mapping(let entries):
      if let entry = entries.first(where: { $0.fieldID == field.id }),
        let found = nodes.first(where: { entry.names.contains($0.name) })
      {
        return try FieldMatcher.mapping(entry.fields).node(field, from: found, leaves: leaves)
      }
    }
    return ReadNode(kind: .absent, type: field.type, name: field.name)
  }

  func node(_ field: Field, from found: SchemaNode, leaves: [Leaf]) throws(ParquetError) -> ReadNode {
    var read = ReadNode(
      kind: .absent, type: field.type, name: field.name, isOptional: found.isOptional, definition: found.definition,
      elementDefinition: found.elementDefinition, repetition: found.repetition)
    switch (found.kind, field.type) {
    case (.leaf(let index), _) where ValueConversion.isPossible(leaves[index], to: field.type):
      read.kind = .leaf(leaves[index])
    case (.structure(let children), .structure(let fields)):
      var inner: [ReadNode] = []
      for field in fields { inner.append(try node(field, among: children, leaves: leaves)) }
      read.kind = .structure(inner)
    case (.list(let element), .list):
      read.kind = .list(try child(field.type.children[0], from: element, name: "element", leaves: leaves))
    case (.map(let key, let value), .map):
      read.kind = .map(
        key: try child(field.type.children[0], from: key, name: "key", leaves: leaves),
        value: try child(field.type.children[1], from: value, name: "value", leaves: leaves))
    default:
      throw .schemaMismatch(field: field.name, found: "\(found.type)", wanted: "\(field.type)")
    }
    if case .leaf = read.kind { return read }
    read.witness = cheapest(found, leaves)
    read.witness = read.firstLeaf ?? read.witness
    return read
  }

  /// Contents of lists and maps meet whatever they are called.
  private func child(
    _ field: Field, from found: SchemaNode, name: String, leaves: [Leaf]
  ) throws(ParquetError) -> ReadNode {
    if case .mapping(let entries) = self {
      let inner = entries.first { $0.names.contains(name) || $0.fieldID == field.id }?.fields ?? []
      return try FieldMatcher.mapping(inner).node(field, from: found, leaves: leaves)
    }
    return try node(field, from: found, leaves: leaves)
  }

  /// The leaf to read when only the shape of a group is wanted: not repeated further, and not text, if there is one.
  private func cheapest(_ node: SchemaNode, _ leaves: [Leaf]) -> Int {
    let candidates = node.leaves
    return candidates.min { a, b in
      let (left, right) = (leaves[a], leaves[b])
      if left.maxRepetition != right.maxRepetition { return left.maxRepetition < right.maxRepetition }
      return left.physicalType != .byteArray && right.physicalType == .byteArray
    } ?? 0
  }
}
