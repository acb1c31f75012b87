import LakeJSON
import LakeModel
import LakeSchema

/// The Avro schemas that manifests and manifest lists are written with (format version 2), as JSON text.
/// Source: Iceberg table specification, "Manifests", "Manifest Lists", Appendix A.
enum ManifestSchema {
  static func manifestList() -> String {
    text { json in
      record("manifest_file", to: &json) { json in
        field("manifest_path", 500, to: &json) { $0.value("string") }
        field("manifest_length", 501, to: &json) { $0.value("long") }
        field("partition_spec_id", 502, to: &json) { $0.value("int") }
        field("content", 517, to: &json) { $0.value("int") }
        field("sequence_number", 515, to: &json) { $0.value("long") }
        field("min_sequence_number", 516, to: &json) { $0.value("long") }
        field("added_snapshot_id", 503, to: &json) { $0.value("long") }
        field("added_files_count", 504, to: &json) { $0.value("int") }
        field("existing_files_count", 505, to: &json) { $0.value("int") }
        field("deleted_files_count", 506, to: &json) { $0.value("int") }
        field("added_rows_count", 512, to: &json) { $0.value("long") }
        field("existing_rows_count", 513, to: &json) { $0.value("long") }
        field("deleted_rows_count", 514, to: &json) { $0.value("long") }
        optional("partitions", 507, to: &json) { json in
          list(508, to: &json) { json in
            record("r508", to: &json) { json in
              field("contains_null", 509, to: &json) { $0.value("boolean") }
              optional("contains_nan", 518, to: &json) { $0.value("boolean") }
              optional("lower_bound", 510, to: &json) { $0.value("bytes") }
              optional("upper_bound", 511, to: &json) { $0.value("bytes") }
            }
          }
        }
        optional("key_metadata", 519, to: &json) { $0.value("bytes") }
      }
    }
  }

  static func manifest(spec: PartitionSpec, types: [FieldType]) -> String {
    text { json in
      record("manifest_entry", to: &json) { json in
        field("status", 0, to: &json) { $0.value("int") }
        optional("snapshot_id", 1, to: &json) { $0.value("long") }
        optional("sequence_number", 3, to: &json) { $0.value("long") }
        optional("file_sequence_number", 4, to: &json) { $0.value("long") }
        field("data_file", 2, to: &json) { json in
          record("r2", to: &json) { json in
            field("content", 134, to: &json) { $0.value("int") }
            field("file_path", 100, to: &json) { $0.value("string") }
            field("file_format", 101, to: &json) { $0.value("string") }
            field("partition", 102, to: &json) { json in
              record("r102", to: &json) { json in
                for (field, type) in zip(spec.fields, types) { partition(field, type, to: &json) }
              }
            }
            field("record_count", 103, to: &json) { $0.value("long") }
            field("file_size_in_bytes", 104, to: &json) { $0.value("long") }
            metrics(to: &json)
            optional("key_metadata", 131, to: &json) { $0.value("bytes") }
            optional("split_offsets", 132, to: &json) { json in list(133, to: &json) { $0.value("long") } }
            optional("equality_ids", 135, to: &json) { json in list(136, to: &json) { $0.value("int") } }
            optional("sort_order_id", 140, to: &json) { $0.value("int") }
            optional("referenced_data_file", 143, to: &json) { $0.value("string") }
          }
        }
      }
    }
  }

  private static func metrics(to json: inout JSONWriter) {
    for (name, id, key, value, type) in [
      ("column_sizes", 108, 117, 118, "long"), ("value_counts", 109, 119, 120, "long"),
      ("null_value_counts", 110, 121, 122, "long"), ("nan_value_counts", 137, 138, 139, "long"),
      ("lower_bounds", 125, 126, 127, "bytes"), ("upper_bounds", 128, 129, 130, "bytes"),
    ] {
      optional(name, id, to: &json) { json in
        json.object { json in
          json.member("type", "array")
          json.key("items")
          record("k\(key)_v\(value)", to: &json) { json in
            field("key", key, to: &json) { $0.value("int") }
            field("value", value, to: &json) { $0.value(type) }
          }
          json.member("logicalType", "map")
        }
      }
    }
  }

  private static func partition(_ field: PartitionField, _ type: FieldType, to json: inout JSONWriter) {
    let name = avroName(field.name)
    json.object { json in
      json.member("name", name)
      if name != field.name { json.member("iceberg-field-name", field.name) }
      json.key("type")
      json.array { json in
        json.value("null")
        avroType(type, name: "p\(field.fieldID)", to: &json)
      }
      json.key("default")
      json.null()
      json.member("field-id", field.fieldID)
    }
  }

  /// - Parameter name: of a named type, once in a schema.
  private static func avroType(_ type: FieldType, name: String, to json: inout JSONWriter) {
    func logical(_ base: String, _ logical: String, utc: Bool? = nil, _ json: inout JSONWriter) {
      json.object { json in
        json.member("type", base)
        json.member("logicalType", logical)
        if let utc { json.member("adjust-to-utc", utc) }
      }
    }
    func fixed(_ size: Int, _ json: inout JSONWriter, _ more: (inout JSONWriter) -> Void = { _ in }) {
      json.object { json in
        json.member("type", "fixed")
        json.member("name", name)
        json.member("size", size)
        more(&json)
      }
    }
    switch type {
    case .boolean: json.value("boolean")
    case .int: json.value("int")
    case .long: json.value("long")
    case .float: json.value("float")
    case .double: json.value("double")
    case .string: json.value("string")
    case .binary: json.value("bytes")
    case .date: logical("int", "date", &json)
    case .time: logical("long", "time-micros", &json)
    case .timestamp: logical("long", "timestamp-micros", utc: false, &json)
    case .timestamptz: logical("long", "timestamp-micros", utc: true, &json)
    case .uuid: fixed(16, &json) { $0.member("logicalType", "uuid") }
    case .fixed(let length): fixed(length, &json)
    case .decimal(let precision, let scale):
      fixed(decimalBytes(precision: precision), &json) { json in
        json.member("logicalType", "decimal")
        json.member("precision", precision)
        json.member("scale", scale)
      }
    case .structure, .list, .map: preconditionFailure("partition values are primitive")
    }
  }

  /// The fewest bytes that hold every unscaled value of so many digits.
  static func decimalBytes(precision: Int) -> Int {
    var largest: Int128 = 0
    for _ in 0..<precision { largest = largest * 10 + 9 }
    return Datum.bigEndianMinimal(largest).count
  }

  /// Avro names hold letters, digits and `_`; other characters become `_xHH`, a leading digit gets `_`.
  static func avroName(_ name: String) -> String {
    var out = ""
    for (index, scalar) in name.unicodeScalars.enumerated() {
      let isDigit = ("0"..."9").contains(scalar)
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      if isLetter || (isDigit && index > 0) {
        out.unicodeScalars.append(scalar)
      } else if isDigit {
        out += "_\(scalar)"
      } else {
        out += "_x" + String(scalar.value, radix: 16, uppercase: true)
      }
    }
    return out
  }

  // MARK: pieces

  private static func text(_ body: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    body(&json)
    return json.finish().text
  }

  private static func record(_ name: String, to json: inout JSONWriter, _ fields: (inout JSONWriter) -> Void) {
    json.object { json in
      json.member("type", "record")
      json.member("name", name)
      json.key("fields")
      json.array { json in fields(&json) }
    }
  }

  private static func field(
    _ name: String, _ id: Int, to json: inout JSONWriter, _ type: (inout JSONWriter) -> Void
  ) {
    json.object { json in
      json.member("name", name)
      json.key("type")
      type(&json)
      json.member("field-id", id)
    }
  }

  private static func optional(
    _ name: String, _ id: Int, to json: inout JSONWriter, _ type: (inout JSONWriter) -> Void
  ) {
    json.object { json in
      json.member("name", name)
      json.key("type")
      json.array { json in
        json.value("null")
        type(&json)
      }
      json.key("default")
      json.null()
      json.member("field-id", id)
    }
  }

  private static func list(_ elementID: Int, to json: inout JSONWriter, _ items: (inout JSONWriter) -> Void) {
    json.object { json in
      json.member("type", "array")
      json.key("items")
      items(&json)
      json.member("element-id", elementID)
    }
  }
}
