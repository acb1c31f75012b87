import CSimdjson
package import LakeModel

package enum JSONError: Error, Hashable, Sendable {
  /// Not JSON; the parser's message.
  case malformed(String)
  /// JSON, but not of the shape asked for: where (`$.a[3]`), what was expected.
  case unexpected(path: String, expected: String)
}

/// One parsed JSON document. Values are cursors into it and keep it alive.
///
/// Parsing is simdjson's; the walk over its tape is ours, so reading a value calls no C.
@usableFromInline package final class JSONDocument: @unchecked Sendable {  // read-only after init
  private let handle: OpaquePointer
  @usableFromInline let tape: UnsafePointer<UInt64>
  @usableFromInline let strings: UnsafePointer<UInt8>

  /// - Parameter depthMax: nesting beyond it is an error.
  package init(_ bytes: Bytes, depthMax: Int = 128) throws(JSONError) {
    var message = [CChar](repeating: 0, count: 256)
    let parsed = bytes.withUnsafeBytes { input in
      icegate_json_parse(
        input.baseAddress?.assumingMemoryBound(to: UInt8.self), input.count, depthMax, &message, message.count)
    }
    guard let parsed else {
      let end = message.firstIndex(of: 0) ?? message.count
      throw .malformed(String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    handle = parsed
    tape = icegate_json_tape(parsed)
    strings = icegate_json_strings(parsed)
  }

  deinit { icegate_json_free(handle) }

  package var root: JSONValue { JSONValue(document: self, index: 1) }
}

/// A value of a document.
@usableFromInline package struct JSONValue: Sendable {
  @usableFromInline package let document: JSONDocument
  /// Position on the tape.
  @usableFromInline let index: Int

  @usableFromInline
  init(document: JSONDocument, index: Int) {
    self.document = document
    self.index = index
  }

  @usableFromInline package enum Kind: Sendable { case object, array, string, integer, unsigned, double, bool, null }

  @inlinable
  package var kind: Kind {
    switch UInt8(truncatingIfNeeded: document.tape[index] >> 56) {
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .array
    case UInt8(ascii: "\""): .string
    case UInt8(ascii: "l"): .integer
    case UInt8(ascii: "u"): .unsigned
    case UInt8(ascii: "d"): .double
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .bool
    default: .null
    }
  }

  package var isNull: Bool { kind == .null }

  /// Bytes of a string value (or nil); valid while the document lives.
  @inlinable
  package var utf8: UnsafeBufferPointer<UInt8>? {
    let word = document.tape[index]
    guard UInt8(truncatingIfNeeded: word >> 56) == UInt8(ascii: "\"") else { return nil }
    let at = document.strings + Int(word & 0x00FF_FFFF_FFFF_FFFF)
    let length = Int(UnsafeRawPointer(at).loadUnaligned(as: UInt32.self))
    return UnsafeBufferPointer(start: at + 4, count: length)
  }

  package var string: String? { utf8.map { String(decoding: $0, as: UTF8.self) } }

  /// A number without fraction that fits.
  package var int64: Int64? {
    switch kind {
    case .integer: return Int64(bitPattern: document.tape[index + 1])
    case .unsigned: return Int64(exactly: document.tape[index + 1])
    case .double: return Int64(exactly: Double(bitPattern: document.tape[index + 1]))
    default: return nil
    }
  }

  package var uint64: UInt64? {
    switch kind {
    case .integer: return UInt64(exactly: Int64(bitPattern: document.tape[index + 1]))
    case .unsigned: return document.tape[index + 1]
    case .double: return UInt64(exactly: Double(bitPattern: document.tape[index + 1]))
    default: return nil
    }
  }

  package var int: Int? { int64.map(Int.init) }

  /// Any number.
  package var double: Double? {
    switch kind {
    case .integer: return Double(Int64(bitPattern: document.tape[index + 1]))
    case .unsigned: return Double(document.tape[index + 1])
    case .double: return Double(bitPattern: document.tape[index + 1])
    default: return nil
    }
  }

  package var bool: Bool? {
    switch UInt8(truncatingIfNeeded: document.tape[index] >> 56) {
    case UInt8(ascii: "t"): true
    case UInt8(ascii: "f"): false
    default: nil
    }
  }

  /// Where the value after this one lies on the tape.
  @inlinable
  var indexAfter: Int {
    let word = document.tape[index]
    switch UInt8(truncatingIfNeeded: word >> 56) {
    case UInt8(ascii: "{"), UInt8(ascii: "["): return Int(word & 0xFFFF_FFFF)
    case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): return index + 2
    default: return index + 1
    }
  }

  /// Elements of an array; empty for any other kind.
  package var elements: JSONElements { JSONElements(self) }

  /// Members of an object in document order, repeated names included; empty for any other kind.
  package var members: JSONMembers { JSONMembers(self) }

  /// The last member of this name, or nil.
  package subscript(_ name: String) -> JSONValue? {
    var found: JSONValue?
    var name = name
    name.withUTF8 { wanted in
      for member in members where member.name.elementsEqual(wanted) { found = member.value }
    }
    return found
  }
}

package struct JSONElements: Sequence, IteratorProtocol {
  private let document: JSONDocument
  private var index: Int
  private let end: Int

  init(_ value: JSONValue) {
    document = value.document
    let isArray = value.kind == .array
    index = value.index + 1
    end = isArray ? value.indexAfter - 1 : value.index + 1
  }

  package mutating func next() -> JSONValue? {
    guard index < end else { return nil }
    let value = JSONValue(document: document, index: index)
    index = value.indexAfter
    return value
  }
}

package struct JSONMembers: Sequence, IteratorProtocol {
  package struct Member {
    /// Valid while the document lives.
    package let name: UnsafeBufferPointer<UInt8>
    package let value: JSONValue
    package var nameText: String { String(decoding: name, as: UTF8.self) }
  }
  private let document: JSONDocument
  private var index: Int
  private let end: Int

  init(_ value: JSONValue) {
    document = value.document
    let isObject = value.kind == .object
    index = value.index + 1
    end = isObject ? value.indexAfter - 1 : value.index + 1
  }

  package mutating func next() -> Member? {
    guard index < end else { return nil }
    let name = JSONValue(document: document, index: index)
    let value = JSONValue(document: document, index: index + 1)
    index = value.indexAfter
    return Member(name: name.utf8!, value: value)
  }
}
