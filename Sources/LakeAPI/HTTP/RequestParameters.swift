import LakeModel

/// Parameters of a request: its form body (`application/x-www-form-urlencoded`), then its query, in order, repeats
/// included. So the body's come first, as in Go's servers.
package struct RequestParameters: Sendable {
  package let fields: [(name: String, value: String)]

  /// - Throws: when an escape is malformed.
  package init(_ request: HTTPRequest) throws(MalformedParameters) {
    var fields: [(name: String, value: String)] = []
    if request.method == "POST", let type = request.headers["Content-Type"],
      MediaType(type)?.name == "application/x-www-form-urlencoded"
    {
      fields += try request.body.withUnsafeBytes { (bytes) throws(MalformedParameters) in
        try RequestParameters.parse(bytes)
      }
    }
    fields += try RequestParameters.parse(request.query.utf8)
    self.fields = fields
  }

  package struct MalformedParameters: Error, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// The first value of this name; nil when absent.
  package subscript(_ name: String) -> String? { fields.first { $0.name == name }?.value }

  package func all(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  private static func parse(_ bytes: some Collection<UInt8>) throws(MalformedParameters) -> [(
    name: String, value: String
  )] {
    var fields: [(name: String, value: String)] = []
    for pair in bytes.split(separator: UInt8(ascii: "&")) {
      let equals = pair.firstIndex(of: UInt8(ascii: "="))
      let name = try decode(pair[..<(equals ?? pair.endIndex)])
      let value = try equals.map { (at) throws(MalformedParameters) in try decode(pair[pair.index(after: at)...]) }
      fields.append((name, value ?? ""))
    }
    return fields
  }

  private static func decode(_ bytes: some Collection<UInt8>) throws(MalformedParameters) -> String {
    var out: [UInt8] = []
    out.reserveCapacity(bytes.count)
    var at = bytes.startIndex
    while at != bytes.endIndex {
      let byte = bytes[at]
      at = bytes.index(after: at)
      switch byte {
      case UInt8(ascii: "+"): out.append(32)
      case UInt8(ascii: "%"):
        let digits = bytes[at...].prefix(2)
        guard digits.count == 2, let decoded = RequestParameters.byte(digits) else {
          throw MalformedParameters(description: "invalid URL escape \"%\(String(decoding: digits, as: UTF8.self))\"")
        }
        out.append(decoded)
        at = digits.endIndex
      default: out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The byte that hexadecimal digits mean; nil when one is none.
  private static func byte(_ digits: some Collection<UInt8>) -> UInt8? {
    var byte: UInt8 = 0
    for digit in digits {
      guard let value = Hex.value(of: digit) else { return nil }
      byte = byte << 4 | value
    }
    return byte
  }
}

/// A media type without its parameters, in lower case. Source: RFC 9110, section 8.3.1.
package struct MediaType: Sendable {
  /// `application/json`
  package let name: String

  /// - Returns: nil when it, or one of its parameters, is malformed, or when a parameter comes twice with different values.
  package init?(_ text: String) {
    let whole = Substring(text)
    let end = whole.firstIndex(of: ";") ?? whole.endIndex
    let name = MediaType.trimmed(whole[..<end]).lowercased()
    let halves = name.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2, halves.allSatisfy(MediaType.isToken) else { return nil }
    var rest = MediaType.trimmed(whole[end...])
    var parameters: [String: String] = [:]
    // A semicolon may end the list, as Go's parser has it.
    while !rest.isEmpty, rest != ";" {
      guard let (key, value) = MediaType.parameter(&rest), parameters[key, default: value] == value else { return nil }
      parameters[key] = value
      rest = MediaType.trimmed(rest)
    }
    self.name = name
  }

  /// Takes `; key=value` off, where the value is a token or stands in double quotes.
  private static func parameter(_ rest: inout Substring) -> (String, String)? {
    guard rest.first == ";" else { return nil }
    let pair = trimmed(rest.dropFirst())
    guard let equals = pair.firstIndex(of: "=") else { return nil }
    let key = trimmed(pair[..<equals])
    guard isToken(key) else { return nil }
    rest = trimmed(pair[pair.index(after: equals)...])
    if rest.first == "\"" {
      guard let value = quoted(&rest) else { return nil }
      return (key.lowercased(), value)
    }
    let value = rest.prefix { isToken(Substring(String($0))) }
    guard !value.isEmpty else { return nil }
    rest = rest[value.endIndex...]
    return (key.lowercased(), String(value))
  }

  private static func quoted(_ rest: inout Substring) -> String? {
    var value = ""
    var at = rest.index(after: rest.startIndex)
    while at < rest.endIndex {
      var character = rest[at]
      at = rest.index(after: at)
      if character == "\"" {
        rest = rest[at...]
        return value
      }
      if character == "\\", at < rest.endIndex {
        character = rest[at]
        at = rest.index(after: at)
      }
      value.append(character)
    }
    return nil
  }

  private static func trimmed(_ text: Substring) -> Substring {
    var text = text
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return text
  }

  private static func isToken(_ text: Substring) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }
}
