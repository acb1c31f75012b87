/// The tape of a document as raw memory, for transcoders that visit every value: no reference counting, no bounds.
///
/// A word holds a type in its top byte. Numbers take two words. An object's or array's word names the word after its end.
/// Source: simdjson's "The tape" document.
@usableFromInline package struct JSONTape {
  @usableFromInline let words: UnsafePointer<UInt64>
  @usableFromInline let strings: UnsafePointer<UInt8>

  @usableFromInline
  init(words: UnsafePointer<UInt64>, strings: UnsafePointer<UInt8>) {
    self.words = words
    self.strings = strings
  }

  /// The root value's position.
  package static let root = 1

  @inlinable
  package func kind(_ index: Int) -> JSONValue.Kind {
    switch UInt8(truncatingIfNeeded: words[index] >> 56) {
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

  /// Bytes of a string. - Precondition: `kind(index)` is `.string`.
  @inlinable
  package func string(_ index: Int) -> UnsafeBufferPointer<UInt8> {
    let at = strings + Int(words[index] & 0x00FF_FFFF_FFFF_FFFF)
    return UnsafeBufferPointer(start: at + 4, count: Int(UnsafeRawPointer(at).loadUnaligned(as: UInt32.self)))
  }

  /// The second word of a number: an `Int64`, a `UInt64` or a `Double` by kind.
  @inlinable
  package func bits(_ index: Int) -> UInt64 { words[index + 1] }

  @inlinable
  package func isTrue(_ index: Int) -> Bool { UInt8(truncatingIfNeeded: words[index] >> 56) == UInt8(ascii: "t") }

  /// Where the value after this one lies.
  @inlinable
  package func after(_ index: Int) -> Int {
    switch UInt8(truncatingIfNeeded: words[index] >> 56) {
    case UInt8(ascii: "{"), UInt8(ascii: "["): Int(words[index] & 0xFFFF_FFFF)
    case UInt8(ascii: "l"), UInt8(ascii: "u"), UInt8(ascii: "d"): index + 2
    default: index + 1
    }
  }

  /// Positions of what lies inside an object (names and values in turn) or an array: `index + 1 ..< end`.
  @inlinable
  package func end(_ index: Int) -> Int { after(index) - 1 }
}

extension JSONDocument {
  /// The tape, valid inside `body` only.
  package func withTape<R, E: Error>(_ body: (JSONTape) throws(E) -> R) throws(E) -> R {
    let result = try body(JSONTape(words: tape, strings: strings))
    withExtendedLifetime(self) {}
    return result
  }
}

extension JSONValue {
  /// Where the value lies on its document's tape.
  package var tapeIndex: Int { index }
}
