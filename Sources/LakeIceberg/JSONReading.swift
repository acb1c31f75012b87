import LakeJSON

/// One member of a JSON object after another, with the path kept for error messages.
struct JSONReader {
  let value: JSONValue
  let path: String

  init(_ value: JSONValue, path: String) {
    self.value = value
    self.path = path
  }

  func fail(_ expected: String) -> IcebergError { .malformed("\(path): expected \(expected)") }

  /// The member, or nil when it is absent or null.
  func optional(_ name: String) -> JSONReader? {
    guard let member = value[name], !member.isNull else { return nil }
    return JSONReader(member, path: "\(path).\(name)")
  }

  func required(_ name: String) throws(IcebergError) -> JSONReader {
    guard let member = optional(name) else { throw .malformed("\(path): no \(name)") }
    return member
  }

  func string() throws(IcebergError) -> String {
    guard let text = value.string else { throw fail("a string") }
    return text
  }

  func int64() throws(IcebergError) -> Int64 {
    guard let number = value.int64 else { throw fail("a whole number") }
    return number
  }

  /// A 32-bit number.
  func int() throws(IcebergError) -> Int {
    guard let number = value.int64, let small = Int32(exactly: number) else { throw fail("a 32-bit number") }
    return Int(small)
  }

  func bool() throws(IcebergError) -> Bool {
    guard let flag = value.bool else { throw fail("true or false") }
    return flag
  }

  func object() throws(IcebergError) -> JSONReader {
    guard value.kind == .object else { throw fail("an object") }
    return self
  }

  func array<Element>(_ read: (JSONReader) throws(IcebergError) -> Element) throws(IcebergError) -> [Element] {
    guard value.kind == .array else { throw fail("an array") }
    var found: [Element] = []
    for element in value.elements { found.append(try read(JSONReader(element, path: "\(path)[\(found.count)]"))) }
    return found
  }

  func members<Element>(_ read: (JSONReader) throws(IcebergError) -> Element) throws(IcebergError) -> [String: Element]
  {
    guard value.kind == .object else { throw fail("an object") }
    var found: [String: Element] = [:]
    for member in value.members {
      let name = member.nameText
      found[name] = try read(JSONReader(member.value, path: "\(path).\(name)"))
    }
    return found
  }

  func strings() throws(IcebergError) -> [String: String] {
    try members { (member) throws(IcebergError) in try member.string() }
  }
}

extension JSONWriter {
  /// Members in the order of their names' bytes.
  mutating func members(_ strings: [String: String]) {
    object { json in
      for (name, value) in strings.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
        json.member(name, value)
      }
    }
  }
}
