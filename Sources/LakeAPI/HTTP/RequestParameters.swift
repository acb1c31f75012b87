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
        guard digits.count == 2, let decoded = Hex.bytes(digits) else {
          throw MalformedParameters(description: "invalid URL escape \"%\(String(decoding: digits, as: UTF8.self))\"")
        }
        out += decoded
        at = digits.endIndex
      default: out.append(byte)
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}

/// A media type without its parameters, in lower case. Source: RFC 9110, section 8.3.1.
package struct MediaType: Sendable {
  /// `application/json`
  package let name: String

  /// - Returns: nil when it, or one of its parameters, is malformed.
  package init?(_ text: String) {
    let parts = text.split(separator: ";", omittingEmptySubsequences: false).map(MediaType.trimmed)
    let name = parts[0].lowercased()
    let halves = name.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count == 2, halves.allSatisfy(MediaType.isToken) else { return nil }
    for (index, parameter) in parts.dropFirst().enumerated() {
      // A semicolon may end the list, as Go's parser has it.
      if parameter.isEmpty && index == parts.count - 2 { continue }
      let pair = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard pair.count == 2, MediaType.isToken(pair[0]), !pair[1].isEmpty else { return nil }
    }
    self.name = name
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
