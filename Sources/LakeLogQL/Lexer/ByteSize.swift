import LakeModel

/// Sizes such as `5MB` and `1.5GiB`, as the library reads and writes them that Loki uses.
package enum ByteSize {
  private static let units: [String: UInt64] = {
    var units: [String: UInt64] = ["": 1, "b": 1]
    var binary: UInt64 = 1
    var decimal: UInt64 = 1
    for prefix in ["k", "m", "g", "t", "p", "e"] {
      binary *= 1024
      decimal *= 1000
      units[prefix + "ib"] = binary
      units[prefix + "i"] = binary
      units[prefix + "b"] = decimal
      units[prefix] = decimal
    }
    return units
  }()

  /// - Returns: whole bytes, nil when the text is no size or 2^64 and more.
  package static func parse(_ text: String) -> UInt64? {
    if case .success(let size) = read(text) { return size }
    return nil
  }

  package struct Malformed: Error, Hashable, Sendable {
    package let message: String
  }

  /// As `parse`, with the library's message.
  package static func read(_ text: String) -> Result<UInt64, Malformed> {
    // The library looks at every Unicode digit here, and fails on the odd ones when it reads the number.
    let digits = text.unicodeScalars.prefix {
      $0 == "." || $0 == "," || $0.properties.generalCategory == .decimalNumber
    }
    let number = String(String.UnicodeScalarView(digits.filter { $0 != "," }))
    guard let value = FloatText.parse(number).value else {
      return .failure(Malformed(message: FloatText.parse(number).problem ?? "invalid syntax"))
    }
    let rest = Substring(text.unicodeScalars.dropFirst(digits.count))
    let unit = String(rest.drop(while: \.isWhitespace)).lowercased()
    var name = Substring(unit)
    while name.last?.isWhitespace ?? false { name.removeLast() }
    guard let scale = units[String(name)] else {
      return .failure(Malformed(message: "unhandled size name: \(name)"))
    }
    let size = value * Double(scale)
    guard size < 18_446_744_073_709_551_616, size >= 0 else {
      return .failure(Malformed(message: "too large: \(text)"))
    }
    return .success(UInt64(size))
  }

  /// `83MB`: powers of 1000, two significant digits at most below ten.
  package static func text(_ size: UInt64) -> String {
    if size < 10 { return "\(size)B" }
    let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
    let exponent = (FloatText.naturalLogarithm(Double(size)) / FloatText.naturalLogarithm(1000)).rounded(.down)
    var divisor = 1.0
    for _ in 0..<Int(exponent) { divisor *= 1000 }
    let value = (Double(size) / divisor * 10 + 0.5).rounded(.down) / 10
    let unit = units[min(Int(exponent), 6)]
    return value < 10
      ? FloatText.decimals(value, places: 1) + unit : FloatText.decimals(value, places: 0) + unit
  }
}
