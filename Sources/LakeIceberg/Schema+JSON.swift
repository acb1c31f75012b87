import LakeJSON
import LakeModel
package import LakeSchema

// Source: Iceberg table specification, Appendix C, "Schemas".

extension Schema {
  /// - Parameter depth: of nesting left; deeper types are malformed.
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    self.init(
      id: try object.optional("schema-id")?.int() ?? 0, fields: try Schema.fields(of: object, depth: 0),
      identifierFieldIDs: try object.optional("identifier-field-ids")?.array { (id) throws(IcebergError) in
        try id.int()
      } ?? [])
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("type", "struct")
      json.member("schema-id", id)
      if !identifierFieldIDs.isEmpty {
        json.key("identifier-field-ids")
        json.array { json in for id in identifierFieldIDs { json.value(id) } }
      }
      Schema.write(fields, to: &json)
    }
  }

  private static func fields(of object: JSONReader, depth: Int) throws(IcebergError) -> [Field] {
    try object.required("fields").array { (member) throws(IcebergError) in
      let field = try member.object()
      if let type = field.optional("initial-default"), !type.value.isNull {
        throw .unsupported("\(field.path): default values are of format version 3")
      }
      return Field(
        try field.required("id").int(), try field.required("name").string(),
        try type(of: field.required("type"), depth: depth), required: try field.required("required").bool(),
        doc: try field.optional("doc")?.string())
    }
  }

  private static func type(of json: JSONReader, depth: Int) throws(IcebergError) -> FieldType {
    guard depth <= SchemaRules.nestingMax else { throw .malformed("\(json.path): nested too deep") }
    if json.value.kind == .string { return try FieldType(text: try json.string()) }
    let object = try json.object()
    switch try object.required("type").string() {
    case "struct": return .structure(try fields(of: object, depth: depth + 1))
    case "list":
      return .list(
        elementID: try object.required("element-id").int(),
        element: try type(of: object.required("element"), depth: depth + 1),
        elementRequired: try object.required("element-required").bool())
    case "map":
      return .map(
        keyID: try object.required("key-id").int(), key: try type(of: object.required("key"), depth: depth + 1),
        valueID: try object.required("value-id").int(), value: try type(of: object.required("value"), depth: depth + 1),
        valueRequired: try object.required("value-required").bool())
    case let other: throw .malformed("\(json.path): unknown type \(other)")
    }
  }

  private static func write(_ fields: [Field], to json: inout JSONWriter) {
    json.key("fields")
    json.array { json in
      for field in fields {
        json.object { json in
          json.member("id", field.id)
          json.member("name", field.name)
          json.member("required", field.isRequired)
          json.key("type")
          write(field.type, to: &json)
          if let doc = field.doc { json.member("doc", doc) }
        }
      }
    }
  }

  private static func write(_ type: FieldType, to json: inout JSONWriter) {
    if let text = type.text { return json.value(text) }
    json.object { json in
      switch type {
      case .structure(let fields):
        json.member("type", "struct")
        write(fields, to: &json)
      case .list(let id, let element, let isRequired):
        json.member("type", "list")
        json.member("element-id", id)
        json.key("element")
        write(element, to: &json)
        json.member("element-required", isRequired)
      case .map(let keyID, let key, let valueID, let value, let isRequired):
        json.member("type", "map")
        json.member("key-id", keyID)
        json.key("key")
        write(key, to: &json)
        json.member("value-id", valueID)
        json.key("value")
        write(value, to: &json)
        json.member("value-required", isRequired)
      default: preconditionFailure("primitive types have a text")
      }
    }
  }

  /// The schema as one JSON text.
  package var json: String {
    var writer = JSONWriter()
    write(to: &writer)
    return writer.finish().text
  }

  package init(json text: String) throws(IcebergError) {
    try self.init(json: JSONReader(try JSONDocument.parse(Bytes(text)).root, path: "schema"))
  }
}

extension JSONDocument {
  /// As the initialiser, with this module's error.
  static func parse(_ bytes: Bytes) throws(IcebergError) -> JSONDocument {
    do { return try JSONDocument(bytes, depthMax: 256) } catch { throw .malformed("not JSON: \(error)") }
  }
}
