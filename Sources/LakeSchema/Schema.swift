/// A table schema as Iceberg has it: fields with ids that never change once released.
package struct Schema: Hashable, Sendable {
  package var id: Int
  package var fields: [Field]
  /// Ids of the fields that identify a row, if any.
  package var identifierFieldIDs: [Int]

  package init(id: Int, fields: [Field], identifierFieldIDs: [Int] = []) {
    self.id = id
    self.fields = fields
    self.identifierFieldIDs = identifierFieldIDs
  }

  /// Position of a top-level field, by name.
  package func index(of name: String) -> Int? { fields.firstIndex { $0.name == name } }

  /// The field with this id, at any depth.
  package func field(id: Int) -> Field? { Schema.find(id, in: fields) }

  /// The highest field id in use, nested ones included.
  package var lastFieldID: Int { Schema.highest(in: fields) }

  private static func find(_ id: Int, in fields: [Field]) -> Field? {
    for field in fields {
      if field.id == id { return field }
      if let found = find(id, in: field.type.children) { return found }
    }
    return nil
  }

  private static func highest(in fields: [Field]) -> Int {
    fields.reduce(0) { max($0, $1.id, highest(in: $1.type.children)) }
  }
}

/// One field of a schema or of a struct.
package struct Field: Hashable, Sendable {
  package var id: Int
  package var name: String
  package var isRequired: Bool
  package var type: FieldType
  package var doc: String?

  package init(_ id: Int, _ name: String, _ type: FieldType, required: Bool = false, doc: String? = nil) {
    self.id = id
    self.name = name
    isRequired = required
    self.type = type
    self.doc = doc
  }
}

/// The types of Iceberg v2.
package indirect enum FieldType: Hashable, Sendable {
  case boolean, int, long, float, double, date, time
  /// Microseconds without and with zone.
  case timestamp, timestamptz
  case string, uuid, binary
  case fixed(Int)
  case decimal(precision: Int, scale: Int)
  case structure([Field])
  case list(elementID: Int, element: FieldType, elementRequired: Bool)
  case map(keyID: Int, key: FieldType, valueID: Int, value: FieldType, valueRequired: Bool)

  /// The fields directly inside; list and map contents under the names `element`, `key` and `value`.
  package var children: [Field] {
    switch self {
    case .structure(let fields): fields
    case .list(let id, let element, let required): [Field(id, "element", element, required: required)]
    case .map(let keyID, let key, let valueID, let value, let required):
      [Field(keyID, "key", key, required: true), Field(valueID, "value", value, required: required)]
    default: []
    }
  }

  package var isPrimitive: Bool {
    switch self {
    case .structure, .list, .map: false
    default: true
    }
  }
}
