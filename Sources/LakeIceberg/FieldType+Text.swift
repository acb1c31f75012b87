package import LakeSchema

extension FieldType {
  /// As metadata spells primitive types: `long`, `fixed[16]`, `decimal(9, 2)`; nil for nested types.
  package var text: String? {
    switch self {
    case .boolean: "boolean"
    case .int: "int"
    case .long: "long"
    case .float: "float"
    case .double: "double"
    case .date: "date"
    case .time: "time"
    case .timestamp: "timestamp"
    case .timestamptz: "timestamptz"
    case .string: "string"
    case .uuid: "uuid"
    case .binary: "binary"
    case .fixed(let length): "fixed[\(length)]"
    case .decimal(let precision, let scale): "decimal(\(precision), \(scale))"
    case .structure, .list, .map: nil
    }
  }

  /// - Throws: `.unsupported` for types of format version 3, `.malformed` for anything else that is no type.
  package init(text: String) throws(IcebergError) {
    switch text {
    case "boolean": self = .boolean
    case "int": self = .int
    case "long": self = .long
    case "float": self = .float
    case "double": self = .double
    case "date": self = .date
    case "time": self = .time
    case "timestamp": self = .timestamp
    case "timestamptz": self = .timestamptz
    case "string": self = .string
    case "uuid": self = .uuid
    case "binary": self = .binary
    case "unknown", "variant", "timestamp_ns", "timestamptz_ns":
      throw .unsupported("type \(text) of format version 3")
    default: self = try FieldType.parameterized(text)
    }
  }

  private static func parameterized(_ text: String) throws(IcebergError) -> FieldType {
    let compact = text.filter { $0 != " " }
    if compact.hasPrefix("geometry") || compact.hasPrefix("geography") {
      throw .unsupported("type \(text) of format version 3")
    }
    if compact.hasPrefix("fixed["), compact.hasSuffix("]"), let length = Int(compact.dropFirst(6).dropLast()),
      (0...Int(Int32.max)).contains(length)
    {
      return .fixed(length)
    }
    if compact.hasPrefix("decimal("), compact.hasSuffix(")") {
      let parts = compact.dropFirst(8).dropLast().split(separator: ",", omittingEmptySubsequences: false)
      if parts.count == 2, let precision = Int(parts[0]), let scale = Int(parts[1]), (1...38).contains(precision),
        (0...precision).contains(scale)
      {
        return .decimal(precision: precision, scale: scale)
      }
    }
    throw .malformed("'\(text)' is not a type")
  }
}
