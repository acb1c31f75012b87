import LakeJSON
import LakeSchema

// Source: Iceberg table specification, Appendix C, "Partition Specs" and "Sort Orders".

extension PartitionSpec {
  /// - Parameter assigningIDs: fields without id count from 1000, as in format version 1; else they get 0, for the table
  ///   that they are added to to assign.
  init(json: JSONReader, assigningIDs: Bool = true) throws(IcebergError) {
    let object = try json.object()
    self.init(
      id: try object.optional("spec-id")?.int() ?? 0,
      fields: try PartitionSpec.fields(of: object.required("fields"), assigningIDs: assigningIDs))
  }

  /// The list of fields alone, as format version 1 and manifests have it.
  static func fields(of json: JSONReader, assigningIDs: Bool = true) throws(IcebergError) -> [PartitionField] {
    var next = SchemaRules.partitionFieldIDMin
    return try json.array { (member) throws(IcebergError) in
      let object = try member.object()
      if object.optional("source-ids") != nil, object.optional("source-id") == nil {
        throw .unsupported("\(object.path): transforms of several columns are of format version 3")
      }
      let id = try object.optional("field-id")?.int() ?? (assigningIDs ? next : 0)
      next = id &+ 1
      return PartitionField(
        sourceID: try object.required("source-id").int(), fieldID: id, name: try object.required("name").string(),
        transform: Transform(try object.required("transform").string()))
    }
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("spec-id", id)
      json.key("fields")
      writeFields(to: &json)
    }
  }

  func writeFields(to json: inout JSONWriter) {
    json.array { json in
      for field in fields {
        json.object { json in
          json.member("name", field.name)
          json.member("transform", field.transform.text)
          json.member("source-id", field.sourceID)
          json.member("field-id", field.fieldID)
        }
      }
    }
  }
}

extension SortOrder {
  init(json: JSONReader) throws(IcebergError) {
    let object = try json.object()
    self.init(
      id: try object.required("order-id").int(),
      fields: try object.required("fields").array { (member) throws(IcebergError) in
        let field = try member.object()
        if field.optional("source-ids") != nil, field.optional("source-id") == nil {
          throw .unsupported("\(field.path): transforms of several columns are of format version 3")
        }
        let direction = try field.required("direction")
        let nullOrder = try field.required("null-order")
        guard let parsed = SortField.Direction(rawValue: try direction.string()) else {
          throw direction.fail("asc or desc")
        }
        guard let nulls = SortField.NullOrder(rawValue: try nullOrder.string()) else {
          throw nullOrder.fail("nulls-first or nulls-last")
        }
        return SortField(
          sourceID: try field.required("source-id").int(),
          transform: Transform(try field.required("transform").string()), direction: parsed, nullOrder: nulls)
      })
  }

  func write(to json: inout JSONWriter) {
    json.object { json in
      json.member("order-id", id)
      json.key("fields")
      json.array { json in
        for field in fields {
          json.object { json in
            json.member("transform", field.transform.text)
            json.member("source-id", field.sourceID)
            json.member("direction", field.direction.rawValue)
            json.member("null-order", field.nullOrder.rawValue)
          }
        }
      }
    }
  }
}
