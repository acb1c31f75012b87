import LakeModel
import LakeParquet
import LakeSchema

/// A value as a test writes it down: the model that columns are compared with.
indirect enum TestValue: Equatable, Sendable, CustomStringConvertible {
  case absent
  case boolean(Bool)
  case int(Int64)
  /// The bits, so that NaN equals NaN and the zeros differ.
  case float(UInt32)
  case double(UInt64)
  case bytes([UInt8])
  case list([TestValue])
  case structure([TestValue])
  case map([[TestValue]])

  static func text(_ text: String) -> TestValue { .bytes(Array(text.utf8)) }

  var description: String {
    switch self {
    case .absent: "-"
    case .boolean(let value): "\(value)"
    case .int(let value): "\(value)"
    case .float(let bits): "\(Float(bitPattern: bits))"
    case .double(let bits): "\(Double(bitPattern: bits))"
    case .bytes(let bytes): Hex.text(bytes)
    case .list(let values): "\(values)"
    case .structure(let values): "(\(values))"
    case .map(let pairs): "{\(pairs)}"
    }
  }
}

extension FieldType {
  /// Bytes of a decimal in a column, told apart from the code under test: precision to the fewest bytes.
  var testWidth: Int {
    switch self {
    case .uuid: 16
    case .fixed(let width): width
    case .decimal(let precision, _):
      [
        0, 1, 1, 2, 2, 3, 3, 4, 4, 4, 5, 5, 6, 6, 6, 7, 7, 8, 8, 9, 9, 9, 10, 10, 11, 11, 11, 12, 12, 13, 13, 13, 14,
        14,
        15, 15, 16, 16, 16,
      ][precision]
    default: 0
    }
  }
}

enum TestColumns {
  /// A column of these values, in the plain form.
  static func column(_ values: [TestValue], _ type: FieldType) -> Column {
    let validity = values.contains(.absent) ? Buffer(values.map { $0 == .absent ? UInt8(0) : 1 }) : nil
    return Column(self.values(values, type), count: values.count, validity: validity)
  }

  private static func integer(_ value: TestValue) -> Int64 {
    if case .int(let value) = value { return value }
    return 0
  }

  private static func values(_ values: [TestValue], _ type: FieldType) -> Column.Values {
    switch type {
    case .boolean: return .boolean(Buffer(values.map { $0 == .boolean(true) ? UInt8(1) : 0 }))
    case .int, .date: return .int32(Buffer(values.map { Int32(integer($0)) }))
    case .long, .time, .timestamp, .timestamptz: return .int64(Buffer(values.map(integer)))
    case .float:
      return .float(Buffer(values.map { if case .float(let bits) = $0 { Float(bitPattern: bits) } else { 0 } }))
    case .double:
      return .double(Buffer(values.map { if case .double(let bits) = $0 { Double(bitPattern: bits) } else { 0 } }))
    case .string, .binary:
      var builder = BytesColumnBuilder()
      for value in values {
        if case .bytes(let bytes) = value {
          bytes.withUnsafeBytes { builder.append($0) }
        } else {
          builder.appendAbsent()
        }
      }
      return builder.column().values
    case .uuid, .fixed, .decimal:
      let width = type.testWidth
      let all = values.flatMap { value -> [UInt8] in
        if case .bytes(let bytes) = value { return bytes }
        return Array(repeating: 0, count: width)
      }
      return .fixed(Buffer(all), width: width)
    case .structure(let fields):
      return .structure(
        fields.indices.map { index in
          column(
            values.map { if case .structure(let values) = $0 { values[index] } else { .absent } }, fields[index].type)
        })
    case .list(_, let element, _):
      let lists = values.map { value -> [TestValue] in if case .list(let list) = value { list } else { [] } }
      return .list(offsets: offsets(lists.map(\.count)), element: column(lists.flatMap { $0 }, element))
    case .map(_, let key, _, let value, _):
      let maps = values.map { value -> [[TestValue]] in if case .map(let pairs) = value { pairs } else { [] } }
      let pairs = maps.flatMap { $0 }
      return .map(
        offsets: offsets(maps.map(\.count)), keys: column(pairs.map { $0[0] }, key),
        values: column(pairs.map { $0[1] }, value))
    }
  }

  private static func offsets(_ counts: [Int]) -> Buffer<UInt32> {
    var sum: UInt32 = 0
    return Buffer(
      [0]
        + counts.map { count in
          sum += UInt32(count)
          return sum
        })
  }

  /// The values of a column, whatever its form.
  static func values(_ column: Column, _ type: FieldType) -> [TestValue] {
    (0..<column.count).map { value(column, $0, type) }
  }

  static func value(_ column: Column, _ row: Int, _ type: FieldType) -> TestValue {
    guard column.isPresent(row) else { return .absent }
    switch (column.values, type) {
    case (.dictionary(let indices, let dictionary), _): return value(dictionary, Int(indices[row]), type)
    case (.boolean(let values), _): return .boolean(values[row] != 0)
    case (.int32(let values), _): return .int(Int64(values[row]))
    case (.int64(let values), _): return .int(values[row])
    case (.float(let values), _): return .float(values[row].bitPattern)
    case (.double(let values), _): return .double(values[row].bitPattern)
    case (.fixed(let data, let width), _): return .bytes(data.slice(row * width..<(row + 1) * width).array)
    case (.bytes(let offsets, let data), _):
      return .bytes(data.slice(Int(offsets[row])..<Int(offsets[row + 1])).array)
    case (.list(let offsets, let element), .list(_, let type, _)):
      return .list((Int(offsets[row])..<Int(offsets[row + 1])).map { value(element, $0, type) })
    case (.structure(let columns), .structure(let fields)):
      return .structure(zip(columns, fields).map { value($0, row, $1.type) })
    case (.map(let offsets, let keys, let values), .map(_, let keyType, _, let valueType, _)):
      return .map(
        (Int(offsets[row])..<Int(offsets[row + 1])).map { [value(keys, $0, keyType), value(values, $0, valueType)] })
    default: preconditionFailure("column of another form than \(type)")
    }
  }

  static func batch(_ schema: Schema, _ columns: [[TestValue]]) -> ColumnBatch {
    ColumnBatch(
      schema: schema, columns: zip(schema.fields, columns).map { column($1, $0.type) }, count: columns[0].count)
  }

  static func values(_ batch: ColumnBatch) -> [[TestValue]] {
    zip(batch.columns, batch.schema.fields).map { values($0, $1.type) }
  }
}

/// A small generator with a fixed sequence per seed (splitmix64).
struct TestRandom {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }

  mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
  mutating func chance(_ percent: Int) -> Bool { below(100) < percent }
}

/// Random schemas and rows.
struct TestGenerator {
  var random: TestRandom
  private var nextID = 1

  init(seed: UInt64) { random = TestRandom(seed) }

  private mutating func id() -> Int {
    defer { nextID += 1 }
    return nextID
  }

  static let scalars: [FieldType] = [
    .boolean, .int, .long, .float, .double, .date, .time, .timestamp, .timestamptz, .string, .uuid, .binary, .fixed(3),
    .fixed(16), .decimal(precision: 5, scale: 2), .decimal(precision: 18, scale: 4), .decimal(precision: 38, scale: 10),
  ]

  mutating func type(depth: Int) -> FieldType {
    guard depth > 0, random.chance(50) else { return Self.scalars[random.below(Self.scalars.count)] }
    switch random.below(3) {
    case 0: return .list(elementID: id(), element: type(depth: depth - 1), elementRequired: random.chance(40))
    case 1:
      return .map(
        keyID: id(), key: random.chance(70) ? .string : .int, valueID: id(), value: type(depth: depth - 1),
        valueRequired: random.chance(40))
    default:
      return .structure(
        (0...random.below(2)).map { index in
          Field(id(), "f\(index)", type(depth: depth - 1), required: random.chance(40))
        })
    }
  }

  mutating func schema() -> Schema {
    Schema(
      id: 0,
      fields: (0...random.below(4)).map { index in
        Field(id(), "c\(index)", type(depth: random.below(4)), required: random.chance(40))
      })
  }

  mutating func rows(_ field: Field, count: Int) -> [TestValue] {
    let absent = field.isRequired ? 0 : [0, 10, 60, 100][random.below(4)]
    let distinct = [2, 20, 1 << 40][random.below(3)]
    return (0..<count).map { _ in value(field.type, field.isRequired, absent, distinct) }
  }

  private mutating func value(_ type: FieldType, _ required: Bool, _ absent: Int, _ distinct: Int) -> TestValue {
    if !required && random.chance(absent) { return .absent }
    let draw = random.next() % UInt64(distinct)
    switch type {
    case .boolean: return .boolean(draw & 1 == 1)
    case .int, .date: return .int(Int64(Int32(truncatingIfNeeded: distinct > 100 ? random.next() : draw)))
    case .long, .time, .timestamp, .timestamptz:
      return .int(distinct > 100 ? Int64(bitPattern: random.next()) : Int64(draw))
    case .float: return .float(distinct > 100 ? UInt32(truncatingIfNeeded: random.next()) : Float(draw).bitPattern)
    case .double: return .double(distinct > 100 ? random.next() : Double(draw).bitPattern)
    case .string: return .text("text \(draw)" + String(repeating: "é", count: Int(draw % 5)))
    case .binary: return .bytes((0..<Int(draw % 30)).map { UInt8(truncatingIfNeeded: draw &* UInt64($0 + 7)) })
    case .uuid, .fixed:
      return .bytes((0..<type.testWidth).map { UInt8(truncatingIfNeeded: draw >> UInt64($0 % 8 * 8)) })
    case .decimal:
      let sign: UInt8 = draw & 1 == 1 ? 0xFF : 0
      let width = type.testWidth
      return .bytes(
        (0..<width).map { $0 * 2 < width ? sign : UInt8(truncatingIfNeeded: draw >> UInt64($0 % 8 * 8)) & 0x7F })
    case .structure(let fields):
      return .structure(fields.map { value($0.type, $0.isRequired, absent, distinct) })
    case .list(_, let element, let required):
      return .list((0..<random.below(5)).map { _ in value(element, required, absent, distinct) })
    case .map(_, let key, _, let element, let required):
      return .map(
        (0..<random.below(4)).map { _ in [value(key, true, 0, distinct), value(element, required, absent, distinct)] })
    }
  }
}
