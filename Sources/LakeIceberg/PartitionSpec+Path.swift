import LakeModel
package import LakeSchema

extension PartitionSpec {
  /// The path of a partition below the data directory: `tenant_id=a/account_id=null/timestamp_day=2026-11-01`; empty for
  /// an unpartitioned table. Names and values are encoded as in URL forms.
  ///
  /// - Parameter types: of the partition values, as `TableMetadata.partitionTypes` gives them.
  /// - Precondition: one value and one type per field.
  package func path(of partition: [Datum?], types: [FieldType]) -> String {
    precondition(partition.count == fields.count && types.count == fields.count)
    return zip(fields, zip(partition, types)).map { field, pair in
      "\(Self.encoded(field.name))=\(Self.encoded(field.transform.text(of: pair.0, type: pair.1)))"
    }.joined(separator: "/")
  }

  /// Letters, digits and `.-*_` stay, a space becomes `+`, other bytes `%HH`.
  private static func encoded(_ text: String) -> String {
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "*"),
        UInt8(ascii: "_"):
        out.append(byte)
      case UInt8(ascii: " "): out.append(UInt8(ascii: "+"))
      default:
        out.append(UInt8(ascii: "%"))
        out.append(contentsOf: [upperDigits[Int(byte >> 4)], upperDigits[Int(byte & 15)]])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static let upperDigits = Array("0123456789ABCDEF".utf8)
}

extension Transform {
  /// A partition value for people: days as dates, hours as `2026-11-01-05`, bytes as base64.
  ///
  /// - Parameter type: of the partition value.
  package func text(of value: Datum?, type: FieldType) -> String {
    guard let value else { return "null" }
    switch (self, value) {
    case (.year, .int(let years)): return Self.padded(1970 + Int64(years), 4)
    case (.month, .int(let months)):
      let year = Self.floorDivide(Int64(months), 12)
      return "\(Self.padded(1970 + year, 4))-\(Self.padded(Int64(months) - year * 12 + 1, 2))"
    case (.day, .int(let days)): return Self.date(Int64(days))
    case (.hour, .int(let hours)):
      let day = Self.floorDivide(Int64(hours), 24)
      return "\(Self.date(day))-\(Self.padded(Int64(hours) - day * 24, 2))"
    default: return Self.plain(value, type)
    }
  }

  private static func plain(_ value: Datum, _ type: FieldType) -> String {
    switch (value, type) {
    case (.int(let days), .date): return date(Int64(days))
    case (.long(let time), .time): return clock(time)
    case (.long(let time), .timestamp), (.long(let time), .timestamptz):
      let day = floorDivide(time, 86_400_000_000)
      let zone = type == .timestamptz ? "+00:00" : ""
      return "\(date(day))T\(clock(time - day * 86_400_000_000))\(zone)"
    case (.binary(let bytes), .uuid) where bytes.count == 16:
      let hex = Hex.text(bytes)
      return [hex.prefix(8), hex.dropFirst(8).prefix(4), hex.dropFirst(12).prefix(4), hex.dropFirst(16).prefix(4)]
        .map(String.init).joined(separator: "-") + "-" + hex.suffix(12)
    case (.binary(let bytes), _): return base64(bytes)
    case (.decimal(let unscaled), .decimal(_, let scale)): return decimal(unscaled, scale: scale)
    case (.boolean(let value), _): return "\(value)"
    case (.int(let value), _): return "\(value)"
    case (.long(let value), _): return "\(value)"
    case (.float(let value), _): return "\(value)"
    case (.double(let value), _): return "\(value)"
    case (.decimal(let value), _): return "\(value)"
    case (.string(let value), _): return value
    }
  }

  private static func date(_ days: Int64) -> String {
    let civil = CivilDate(daysSinceEpoch: days)
    return "\(padded(civil.year, 4))-\(padded(Int64(civil.month), 2))-\(padded(Int64(civil.day), 2))"
  }

  /// `HH:MM:SS`, with microseconds when there are any.
  private static func clock(_ microseconds: Int64) -> String {
    let seconds = microseconds / 1_000_000
    let rest = microseconds % 1_000_000
    let text = "\(padded(seconds / 3600, 2)):\(padded(seconds / 60 % 60, 2)):\(padded(seconds % 60, 2))"
    return rest == 0 ? text : "\(text).\(padded(rest, 6))"
  }

  private static func decimal(_ unscaled: Int128, scale: Int) -> String {
    guard scale > 0 else { return "\(unscaled)" }
    var digits = String(unscaled.magnitude)
    digits = String(repeating: "0", count: max(0, scale + 1 - digits.count)) + digits
    return "\(unscaled < 0 ? "-" : "")\(digits.dropLast(scale)).\(digits.suffix(scale))"
  }

  private static func padded(_ value: Int64, _ width: Int) -> String {
    let digits = String(value.magnitude)
    return (value < 0 ? "-" : "") + String(repeating: "0", count: max(0, width - digits.count)) + digits
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var out: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = bytes[start..<min(start + 3, bytes.count)]
      let bits = group.reduce(0) { $0 << 8 | UInt32($1) } << UInt32(8 * (3 - group.count))
      for position in 0..<4 {
        out.append(
          position <= group.count ? alphabet[Int(bits >> UInt32(18 - 6 * position) & 63)] : UInt8(ascii: "="))
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
