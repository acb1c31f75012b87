/// Ids for a schema whose author left them to the catalog.
package enum FreshIDs {
  /// The schema, spec and order as they are when every field id may stand in a table, or one names two fields; else with
  /// field ids counted from 1, a struct's fields before what is inside them, and sources mapped along.
  package static func assigned(schema: Schema, spec: PartitionSpec, order: SortOrder) -> (
    schema: Schema, spec: PartitionSpec, order: SortOrder
  ) {
    let ids = schema.allFields.map(\.id)
    if ids.allSatisfy({ $0 > 0 }) || Set(ids).count < ids.count { return (schema, spec, order) }
    var next = 0
    var map: [Int: Int] = [:]
    var schema = schema
    schema.fields = assign(schema.fields, &next, &map)
    schema.identifierFieldIDs = schema.identifierFieldIDs.map { map[$0] ?? 0 }
    var (spec, order) = (spec, order)
    for index in spec.fields.indices { spec.fields[index].sourceID = map[spec.fields[index].sourceID] ?? 0 }
    for index in order.fields.indices { order.fields[index].sourceID = map[order.fields[index].sourceID] ?? 0 }
    return (schema, spec, order)
  }

  private static func assign(_ fields: [Field], _ next: inout Int, _ map: inout [Int: Int]) -> [Field] {
    var fields = fields
    for index in fields.indices { fields[index].id = fresh(fields[index].id, &next, &map) }
    for index in fields.indices { fields[index].type = assign(fields[index].type, &next, &map) }
    return fields
  }

  private static func assign(_ type: FieldType, _ next: inout Int, _ map: inout [Int: Int]) -> FieldType {
    switch type {
    case .structure(let fields): return .structure(assign(fields, &next, &map))
    case .list(let id, let element, let isRequired):
      let id = fresh(id, &next, &map)
      return .list(elementID: id, element: assign(element, &next, &map), elementRequired: isRequired)
    case .map(let keyID, let key, let valueID, let value, let isRequired):
      let keyID = fresh(keyID, &next, &map)
      let valueID = fresh(valueID, &next, &map)
      return .map(
        keyID: keyID, key: assign(key, &next, &map), valueID: valueID, value: assign(value, &next, &map),
        valueRequired: isRequired)
    default: return type
    }
  }

  private static func fresh(_ old: Int, _ next: inout Int, _ map: inout [Int: Int]) -> Int {
    next += 1
    map[old] = next
    return next
  }
}
