import LakeJSON
import LakeModel
import LakeSchema

@testable import LakeQuery

/// One log record as a test thinks of it.
struct TestRow: Equatable {
  var time: Int64
  var tenant = "a"
  var service: String?
  var severity: String?
  var severityNumber: Int32?
  var traceID: [UInt8]?
  var spanID: [UInt8]?
  var body: String?
  /// Distinct keys.
  var resource: [(String, String)] = []
  var record: [(String, String)] = []

  static func == (a: TestRow, b: TestRow) -> Bool { a.time == b.time && a.body == b.body && a.labels == b.labels }

  /// Labels that are shown, worked out the slow way.
  var labels: [String: String] {
    var all: [String: String] = [:]
    // An own attribute shadows the resource's of the same key, even an empty one.
    let own = Set(record.map(\.0))
    for (key, value) in resource where !value.isEmpty && !own.contains(key) { all[TestRow.normalized(key)] = value }
    for (key, value) in record where !value.isEmpty { all[TestRow.normalized(key)] = value }
    for hidden in ["tenant_id", "account_id", "severity_number"] { all[hidden] = nil }
    if let service { all["service_name"] = service }
    if let severity { all["severity_text"] = severity }
    if let traceID { all["trace_id"] = TestRow.hex(traceID) }
    if let spanID { all["span_id"] = TestRow.hex(spanID) }
    return all.filter { !$0.value.isEmpty }
  }

  /// Labels that a selector may use.
  var usable: [String: String] {
    var all = labels
    all["tenant_id"] = tenant
    if let severityNumber { all["severity_number"] = String(severityNumber) }
    return all
  }

  var streamLabels: Set<String> {
    var names: Set<String> = ["service_name", "severity_text"]
    let own = Set(record.map(\.0))
    for (key, _) in resource where !own.contains(key) { names.insert(TestRow.normalized(key)) }
    for (key, value) in record where !value.isEmpty {
      let name = TestRow.normalized(key)
      if name != "service_name" && name != "severity_text" { names.remove(name) }
    }
    return names
  }

  private static func normalized(_ key: String) -> String {
    var out = ""
    for character in key {
      if character.isASCII && (character.isLetter || character.isNumber) {
        out.append(character)
      } else if out.last != "_" {
        out.append("_")
      }
    }
    if let first = out.first, first.isNumber { out = "key_" + out }
    return out
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

/// How columns of a batch are laid out; every reader must take all of them.
struct BatchForm {
  var usesDictionaries = true
  var hasShape = true
}

extension [TestRow] {
  /// Rows of `LakeTable.logs`, in this order.
  func batch(_ form: BatchForm = BatchForm()) -> ColumnBatch {
    let schema = LakeTable.logs.schema
    var columns: [String: Column] = [:]
    func text(_ name: String, _ value: (TestRow) -> String?) {
      columns[name] = Column.texts(map(value), dictionary: form.usesDictionaries)
    }
    text("tenant_id") { $0.tenant }
    text("account_id") { _ in nil }
    text("service_name") { $0.service }
    text("severity_text") { $0.severity }
    text("resource") { $0.resourceJSON }
    text("attributes_shape") { form.hasShape ? $0.shape : nil }
    columns["body"] = Column.texts(map(\.body), dictionary: false)
    for name in ["timestamp", "observed_timestamp", "ingested_timestamp"] {
      var builder = FixedColumnBuilder<Int64>()
      for row in self { builder.append(row.time.floorDivided(1000)) }
      columns[name] = builder.column()
    }
    func ints(_ name: String, _ value: (TestRow) -> Int32?) {
      var builder = FixedColumnBuilder<Int32>()
      for row in self { if let number = value(row) { builder.append(number) } else { builder.appendAbsent() } }
      columns[name] = builder.column()
    }
    ints("severity_number") { $0.severityNumber }
    ints("dropped_attributes_count") { _ in 0 }
    ints("timestamp_nanos") { Int32($0.time - $0.time.floorDivided(1000) * 1000) }
    func ids(_ name: String, width: Int, _ value: (TestRow) -> [UInt8]?) {
      var builder = FixedBytesColumnBuilder(width: width)
      for row in self {
        if let id = value(row) { id.withUnsafeBytes { builder.append($0) } } else { builder.appendAbsent() }
      }
      columns[name] = builder.column()
    }
    ids("trace_id", width: 16) { $0.traceID }
    ids("span_id", width: 8) { $0.spanID }
    columns["attributes"] = attributes(form)
    let all = schema.fields.map { field in
      columns[field.name] ?? Column.absent(field.type, count: count)
    }
    return ColumnBatch(schema: schema, columns: all, count: count)
  }

  private func attributes(_ form: BatchForm) -> Column {
    var offsets = BufferBuilder<UInt32>()
    offsets.append(0)
    var keys: [String?] = []
    var values: [String?] = []
    for row in self {
      for (key, value) in row.entries {
        keys.append(key)
        values.append(value)
      }
      offsets.append(UInt32(keys.count))
    }
    return Column(
      .map(
        offsets: offsets.finish(), keys: Column.texts(keys, dictionary: form.usesDictionaries),
        values: Column.texts(values, dictionary: form.usesDictionaries)), count: count)
  }
}

extension TestRow {
  /// Attributes as the table holds them: the resource's that no own one shadows, then its own.
  fileprivate var entries: [(String, String)] {
    let own = Set(record.map(\.0))
    return resource.filter { !own.contains($0.0) } + record
  }

  fileprivate var shape: String? {
    let own = Set(record.map(\.0))
    let kept = resource.filter { !own.contains($0.0) }.count
    let shape =
      (kept > 0 ? "R" + String(repeating: "s", count: kept) : "")
      + (record.isEmpty ? "" : "I" + String(repeating: "s", count: record.count))
    return shape.isEmpty ? nil : shape
  }

  fileprivate var resourceJSON: String? {
    let members = resource.map { "{\"key\":\"\($0.0)\",\"value\":{\"stringValue\":\"\($0.1)\"}}" }
    return "{\"attributes\":[" + members.joined(separator: ",") + "]}"
  }
}

extension Int64 {
  fileprivate func floorDivided(_ other: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: other)
    return remainder < 0 ? quotient - 1 : quotient
  }
}

extension Column {
  static func texts(_ values: [String?], dictionary: Bool) -> Column {
    var plain = BytesColumnBuilder()
    for value in values { if let value { plain.append(value) } else { plain.appendAbsent() } }
    let column = plain.column()
    guard dictionary else { return column }
    var numbers: [String: UInt32] = [:]
    var entries = BytesColumnBuilder()
    var indices = BufferBuilder<UInt32>()
    for value in values {
      guard let value else {
        indices.append(0)
        continue
      }
      if numbers[value] == nil {
        numbers[value] = UInt32(entries.count)
        entries.append(value)
      }
      indices.append(numbers[value]!)
    }
    if entries.count == 0 { entries.append("") }
    return Column(
      .dictionary(indices: indices.finish(), dictionary: entries.column()), count: values.count,
      validity: column.validity)
  }

  static func absent(_ type: FieldType, count: Int) -> Column {
    let validity = Buffer<UInt8>(repeating: 0, count: count)
    switch type {
    case .boolean: return Column(.boolean(Buffer(repeating: 0, count: count)), count: count, validity: validity)
    case .int: return Column(.int32(Buffer(repeating: 0, count: count)), count: count, validity: validity)
    case .long, .timestamptz:
      return Column(.int64(Buffer(repeating: 0, count: count)), count: count, validity: validity)
    case .fixed(let width):
      return Column(.fixed(Buffer(repeating: 0, count: count * width), width: width), count: count, validity: validity)
    default:
      return Column(
        .bytes(offsets: Buffer(repeating: 0, count: count + 1), data: Buffer([])), count: count, validity: validity)
    }
  }
}
