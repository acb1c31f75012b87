import LakeModel

/// Percent-encoding as AWS signs it: everything but letters, digits and `-._~`.
package enum PercentEncoding {
  /// - Parameter keepsSlash: whether `/` stays, as in paths.
  package static func encode(_ text: String, keepsSlash: Bool = false) -> String {
    var out: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
        out.append(byte)
      case UInt8(ascii: "/") where keepsSlash: out.append(byte)
      default:
        out.append(UInt8(ascii: "%"))
        out.append(upper[Int(byte >> 4)])
        out.append(upper[Int(byte & 15)])
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  private static let upper: [UInt8] = Array("0123456789ABCDEF".utf8)

  /// `+` stays; a malformed escape stays as it is.
  package static func decode(_ text: String) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var index = 0
    while index < bytes.count {
      if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = Hex.value(of: bytes[index + 1]),
        let low = Hex.value(of: bytes[index + 2])
      {
        out.append(high << 4 | low)
        index += 3
      } else {
        out.append(bytes[index])
        index += 1
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
