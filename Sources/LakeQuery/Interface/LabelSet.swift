package import LakeModel

/// A set of labels in one block of bytes: sorted by name (as bytes), each name once, no empty values.
///
/// Layout, repeated per label: name length (u32, little endian), value length (u32), name, value.
/// Two sets are equal when their bytes are, so interning hashes one run of memory.
package struct LabelSet: Sendable, Hashable {
  package let packed: Bytes
  package let count: Int

  package static let empty = LabelSet(packed: Bytes(), count: 0)

  /// - Precondition: `packed` is in the layout above.
  package init(packed: Bytes, count: Int) {
    self.packed = packed
    self.count = count
  }

  /// From pairs in any order; of a repeated name the last counts, empty values are left out.
  package init(_ labels: [(name: String, value: String)]) {
    var last: [String: String] = [:]
    for label in labels { last[label.name] = label.value }
    var out = BufferBuilder<UInt8>(capacity: 64)
    var count = 0
    for name in last.keys.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      guard let value = last[name], !value.isEmpty else { continue }
      LabelSet.append(name: name, value: value, to: &out)
      count += 1
    }
    let bytes = out.finish()
    self.init(packed: Bytes(storage: bytes.storage, offset: bytes.offset, count: bytes.count), count: count)
  }

  package static func == (a: LabelSet, b: LabelSet) -> Bool { a.packed == b.packed }
  package func hash(into hasher: inout Hasher) { packed.hash(into: &hasher) }

  /// Calls `body` for each label in order; the buffers are valid inside the call only.
  @inlinable
  package func forEach<E: Error>(
    _ body: (_ name: UnsafeBufferPointer<UInt8>, _ value: UnsafeBufferPointer<UInt8>) throws(E) -> Void
  ) throws(E) {
    let base = packed.unsafeBase
    var at = 0
    while at < packed.count {
      let nameCount = Int((base + at).loadUnaligned(as: UInt32.self))
      let valueCount = Int((base + at + 4).loadUnaligned(as: UInt32.self))
      let name = (base + at + 8).assumingMemoryBound(to: UInt8.self)
      try body(
        UnsafeBufferPointer(start: name, count: nameCount),
        UnsafeBufferPointer(start: name + nameCount, count: valueCount))
      at += 8 + nameCount + valueCount
    }
    withExtendedLifetime(packed.storage) {}
  }

  /// The labels as text, in order.
  package var pairs: [(name: String, value: String)] {
    var out: [(name: String, value: String)] = []
    forEach { name, value in
      out.append((String(decoding: name, as: UTF8.self), String(decoding: value, as: UTF8.self)))
    }
    return out
  }

  package subscript(_ name: String) -> String? { pairs.first { $0.name == name }?.value }

  private static func append(name: String, value: String, to out: inout BufferBuilder<UInt8>) {
    for count in [name.utf8.count, value.utf8.count] {
      withUnsafeBytes(of: UInt32(count).littleEndian) { for byte in $0 { out.append(byte) } }
    }
    for byte in name.utf8 { out.append(byte) }
    for byte in value.utf8 { out.append(byte) }
  }
}

extension LabelSet: CustomStringConvertible {
  /// `{a="b", c="d"}`, for tests and messages.
  package var description: String {
    "{" + pairs.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ", ") + "}"
  }
}
