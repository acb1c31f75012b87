import LakeAPI
import LakeModel

/// gRPC's conventions on top of HTTP/2 fields.
enum GRPCWire {
  /// `application/grpc` and `application/grpc+proto`; not gRPC-Web, which is another protocol, nor other codecs.
  static func isGRPC(_ contentType: String?) -> Bool {
    guard let contentType else { return false }
    let type = contentType.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)[0]
    let name = type.split(separator: " ").first.map { $0.lowercased() }
    return name == "application/grpc" || name == "application/grpc+proto"
  }

  /// The value of `grpc-timeout`: at most eight digits and a unit, `250m`, `5S`.
  /// - Returns: nil when it is none.
  static func timeout(_ text: String) -> Duration? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 2, bytes.count <= 9, bytes.dropLast().allSatisfy(isDigit) else { return nil }
    let value = bytes.dropLast().reduce(Int64(0)) { $0 * 10 + Int64($1 - 48) }
    switch bytes[bytes.count - 1] {
    case UInt8(ascii: "H"): return .seconds(value * 3600)
    case UInt8(ascii: "M"): return .seconds(value * 60)
    case UInt8(ascii: "S"): return .seconds(value)
    case UInt8(ascii: "m"): return .milliseconds(value)
    case UInt8(ascii: "u"): return .microseconds(value)
    case UInt8(ascii: "n"): return .nanoseconds(value)
    default: return nil
    }
  }

  /// The fields that end a call.
  static func trailers(_ status: GRPCStatus, and more: HTTPHeaders = HTTPHeaders()) -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = [("grpc-status", String(status.code.rawValue))]
    if !status.message.isEmpty { fields.append(("grpc-message", percentEncoded(status.message))) }
    if let details = status.details { fields.append(("grpc-status-details-bin", base64(details))) }
    return fields + passed(more)
  }

  /// What a handler may add: nothing of HTTP's or gRPC's own.
  static func passed(_ fields: HTTPHeaders) -> [(name: String, value: String)] {
    fields.fields.filter { field in
      let name = field.name.lowercased()
      return !HTTP2Fields.isForbidden(name) && !name.hasPrefix("grpc-") && !name.hasPrefix(":")
        && name != "content-type"
    }
  }

  /// Status messages in UTF-8, with everything but printable ASCII as `%XX`.
  static func percentEncoded(_ text: String) -> String {
    var out: [UInt8] = []
    for byte in text.utf8 {
      if byte >= 0x20, byte <= 0x7E, byte != UInt8(ascii: "%") {
        out.append(byte)
      } else {
        out += [UInt8(ascii: "%"), upperDigits[Int(byte >> 4)], upperDigits[Int(byte & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// Without padding, as gRPC sends binary metadata.
  static func base64(_ bytes: Bytes) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count * 4 / 3 + 4)
    var index = 0
    while index < bytes.count {
      let count = min(3, bytes.count - index)
      var group: UInt32 = 0
      for part in 0..<3 { group = group << 8 | (part < count ? UInt32(bytes[index + part]) : 0) }
      for digit in 0...count { out.append(base64Digits[Int(group >> UInt32(18 - 6 * digit) & 63)]) }
      index += 3
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static let upperDigits = Array("0123456789ABCDEF".utf8)
  private static let base64Digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

  /// A message with its prefix: not compressed, four bytes of length.
  static func frame(_ message: Bytes) -> Bytes {
    let storage = RawStorage(capacity: message.count + 5)
    storage.base.storeBytes(of: 0, as: UInt8.self)
    storage.base.storeBytes(of: UInt32(message.count).bigEndian, toByteOffset: 1, as: UInt32.self)
    message.withUnsafeBytes {
      if let base = $0.baseAddress { (storage.base + 5).copyMemory(from: base, byteCount: $0.count) }
    }
    return Bytes(storage: storage, offset: 0, count: message.count + 5)
  }
}
