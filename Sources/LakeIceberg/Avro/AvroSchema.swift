import LakeJSON
import LakeModel

/// The schema that an Avro file was written with, with Iceberg's field ids. Source: Avro 1.11 specification, "Schema
/// Declaration"; Iceberg table specification, Appendix A, "Avro".
///
/// Types that contain themselves are refused: nothing of Iceberg's needs them, and a reader without them always ends.
indirect enum AvroSchema: Sendable {
  case null, boolean, int, long, float, double, bytes, string
  case fixed(Int)
  case enumeration
  case record([AvroField])
  case array(AvroSchema)
  case map(AvroSchema)
  case union([AvroSchema])

  static let depthMax = 32
  static let namesMax = 10_000
}

struct AvroField: Sendable {
  let name: String
  /// nil: written without ids.
  let id: Int?
  let schema: AvroSchema
}

extension AvroSchema {
  init(json bytes: Bytes) throws(IcebergError) {
    var parser = AvroSchemaParser()
    self = try parser.parse(JSONReader(try JSONDocument.parse(bytes).root, path: "avro.schema"), depth: 0)
  }
}

private struct AvroSchemaParser {
  /// Named types that are complete.
  private var named: [String: AvroSchema] = [:]
  private var typesLeft = AvroSchema.namesMax

  mutating func parse(_ json: JSONReader, depth: Int) throws(IcebergError) -> AvroSchema {
    guard depth <= AvroSchema.depthMax else { throw .malformed("\(json.path): nested too deep") }
    typesLeft -= 1
    guard typesLeft > 0 else { throw .malformed("\(json.path): too many types") }
    switch json.value.kind {
    case .string: return try type(named: json.string(), json)
    case .array:
      var branches: [AvroSchema] = []
      for element in json.value.elements {
        branches.append(try parse(JSONReader(element, path: "\(json.path)[\(branches.count)]"), depth: depth + 1))
      }
      return .union(branches)
    case .object: return try complexType(json, depth: depth)
    default: throw json.fail("an Avro type")
    }
  }

  private func type(named name: String, _ json: JSONReader) throws(IcebergError) -> AvroSchema {
    switch name {
    case "null": return .null
    case "boolean": return .boolean
    case "int": return .int
    case "long": return .long
    case "float": return .float
    case "double": return .double
    case "bytes": return .bytes
    case "string": return .string
    default:
      guard let known = named[Self.lastPart(of: name)] else { throw .malformed("\(json.path): unknown type \(name)") }
      return known
    }
  }

  private mutating func complexType(_ json: JSONReader, depth: Int) throws(IcebergError) -> AvroSchema {
    let type = try json.required("type")
    guard type.value.kind == .string else { return try parse(type, depth: depth + 1) }
    switch try type.string() {
    case "record", "error": return try remember(json, .record(fields(of: json, depth: depth)))
    case "fixed":
      let size = try json.required("size").int()
      guard size >= 0 else { throw .malformed("\(json.path): fixed of \(size) bytes") }
      return try remember(json, .fixed(size))
    case "enum": return try remember(json, .enumeration)
    case "array": return .array(try parse(json.required("items"), depth: depth + 1))
    case "map": return .map(try parse(json.required("values"), depth: depth + 1))
    case let name: return try self.type(named: name, type)
    }
  }

  private mutating func fields(of json: JSONReader, depth: Int) throws(IcebergError) -> [AvroField] {
    let list = try json.required("fields")
    guard list.value.kind == .array else { throw list.fail("an array") }
    var fields: [AvroField] = []
    for element in list.value.elements {
      let field = try JSONReader(element, path: "\(list.path)[\(fields.count)]").object()
      fields.append(
        AvroField(
          name: try field.required("name").string(), id: try field.optional("field-id")?.int(),
          schema: try parse(field.required("type"), depth: depth + 1)))
    }
    return fields
  }

  private mutating func remember(_ json: JSONReader, _ type: AvroSchema) throws(IcebergError) -> AvroSchema {
    if let name = try json.optional("name")?.string() { named[Self.lastPart(of: name)] = type }
    return type
  }

  private static func lastPart(of name: String) -> String {
    name.lastIndex(of: ".").map { String(name[name.index(after: $0)...]) } ?? name
  }
}
