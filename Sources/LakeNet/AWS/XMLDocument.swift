package import LakeModel

/// The little XML that AWS's answers are made of: elements and text, no attributes wanted, no namespaces, no entities of its own.
///
/// A malformed document gives fewer elements, never a trap; nesting is bounded.
package struct XMLDocument: Sendable {
  package final class Element: Sendable {
    package let name: String
    package let text: String
    package let children: [Element]

    init(name: String, text: String, children: [Element]) {
      self.name = name
      self.text = text
      self.children = children
    }

    package subscript(_ name: String) -> Element? { children.first { $0.name == name } }
    package func all(_ name: String) -> [Element] { children.filter { $0.name == name } }
  }

  package let root: Element?

  package init(_ bytes: Bytes) {
    var scanner = XMLScanner(bytes.array)
    root = scanner.document()
  }

  /// Text of the first element of this name, at any depth.
  package func first(_ name: String) -> String? { root.flatMap { XMLDocument.find(name, in: $0) } }

  private static func find(_ name: String, in element: Element) -> String? {
    if element.name == name { return element.text }
    for child in element.children {
      if let found = find(name, in: child) { return found }
    }
    return nil
  }
}

private struct XMLScanner {
  let bytes: [UInt8]
  var at = 0
  static let depthMax = 64

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() -> XMLDocument.Element? {
    while let tag = nextTag() {
      if case .open(let name, let isEmpty) = tag {
        return isEmpty ? .init(name: name, text: "", children: []) : element(name, 0)
      }
    }
    return nil
  }

  enum Tag {
    case open(String, isEmpty: Bool)
    case close
  }

  /// The element whose start tag has just been read.
  private mutating func element(_ name: String, _ depth: Int) -> XMLDocument.Element {
    var children: [XMLDocument.Element] = []
    var text: [UInt8] = []
    while at < bytes.count {
      let start = at
      while at < bytes.count, bytes[at] != UInt8(ascii: "<") { at += 1 }
      text += bytes[start..<at]
      guard let tag = nextTag() else { break }
      guard case .open(let inner, let isEmpty) = tag else { break }
      if isEmpty {
        children.append(.init(name: inner, text: "", children: []))
      } else if depth < XMLScanner.depthMax {
        children.append(element(inner, depth + 1))
      } else {
        break
      }
    }
    return .init(name: name, text: XMLScanner.unescaped(text), children: children)
  }

  private mutating func nextTag() -> Tag? {
    while let start = bytes[at...].firstIndex(of: UInt8(ascii: "<")),
      let end = bytes[start...].firstIndex(of: UInt8(ascii: ">"))
    {
      at = end + 1
      let inside = bytes[(start + 1)..<end]
      guard let first = inside.first else { continue }
      if first == UInt8(ascii: "?") || first == UInt8(ascii: "!") { continue }
      if first == UInt8(ascii: "/") { return .close }
      let name = inside.prefix { $0 != 32 && $0 != 9 && $0 != 10 && $0 != 13 && $0 != UInt8(ascii: "/") }
      return .open(String(decoding: name, as: UTF8.self), isEmpty: inside.last == UInt8(ascii: "/"))
    }
    at = bytes.count
    return nil
  }

  private static func unescaped(_ bytes: [UInt8]) -> String {
    let text = String(decoding: bytes, as: UTF8.self)
    guard text.utf8.contains(UInt8(ascii: "&")) else { return text }
    var out = ""
    var rest = text[...]
    while let ampersand = rest.firstIndex(of: "&") {
      out += rest[..<ampersand]
      guard let end = rest[ampersand...].firstIndex(of: ";") else { return out + rest[ampersand...] }
      let entity = rest[rest.index(after: ampersand)..<end]
      out += character(entity).map(String.init) ?? "&\(entity);"
      rest = rest[rest.index(after: end)...]
    }
    return out + rest
  }

  private static func character(_ entity: Substring) -> Character? {
    switch entity {
    case "amp": return "&"
    case "lt": return "<"
    case "gt": return ">"
    case "quot": return "\""
    case "apos": return "'"
    default:
      let code =
        entity.hasPrefix("#x")
        ? UInt32(entity.dropFirst(2), radix: 16) : entity.hasPrefix("#") ? UInt32(entity.dropFirst()) : nil
      return code.flatMap(Unicode.Scalar.init).map(Character.init)
    }
  }
}
