import LakeJSON
import LakeModel
package import LakeSchema

// Source: Iceberg table specification, Appendix C, "Name Mapping Serialization".

extension NameMapping {
  package init(json text: String) throws(IcebergError) {
    self.init(try Self.entries(JSONReader(try JSONDocument.parse(Bytes(text)).root, path: "name mapping"), depth: 0))
  }

  private static func entries(_ json: JSONReader, depth: Int) throws(IcebergError) -> [Entry] {
    guard depth <= SchemaRules.nestingMax else { throw .malformed("\(json.path): nested too deep") }
    return try json.array { (member) throws(IcebergError) in
      let object = try member.object()
      let inner = object.optional("fields")
      return Entry(
        fieldID: try object.optional("field-id")?.int(),
        names: try object.required("names").array { (name) throws(IcebergError) in try name.string() },
        fields: try inner.map { (fields) throws(IcebergError) in try entries(fields, depth: depth + 1) } ?? [])
    }
  }

  package var json: String {
    var writer = JSONWriter()
    Self.write(entries, to: &writer)
    return writer.finish().text
  }

  private static func write(_ entries: [Entry], to json: inout JSONWriter) {
    json.array { json in
      for entry in entries {
        json.object { json in
          if let id = entry.fieldID { json.member("field-id", id) }
          json.key("names")
          json.array { json in for name in entry.names { json.value(name) } }
          guard !entry.fields.isEmpty else { return }
          json.key("fields")
          write(entry.fields, to: &json)
        }
      }
    }
  }
}

extension TableMetadata {
  /// The mapping that files without field ids are read by; nil when the table has none.
  package func nameMapping() throws(IcebergError) -> NameMapping? {
    guard let text = properties[TableProperties.nameMapping] else { return nil }
    return try NameMapping(json: text)
  }
}
