import LakeJSON
import LakeModel

/// A text column of few distinct values: dictionary indices a row.
struct TextColumnBuilder: ~Copyable {
  private var table: ByteTable
  private var indices: BufferBuilder<UInt32>
  private var presence = Presence()
  private var last: UInt32?

  init(seed: UInt64) {
    table = ByteTable(seed: seed, capacity: 16)
    indices = BufferBuilder(capacity: 256)
  }

  var count: Int { indices.count }

  /// - Returns: false when invalid UTF-8 was repaired.
  @inline(__always)
  @discardableResult
  mutating func append(_ text: RawBytes) -> Bool {
    if let last, table.entry(last).equals(text) {
      presence.append(true, after: indices.count)
      indices.append(last)
      return true
    }
    return appendOther(text)
  }

  private mutating func appendOther(_ text: RawBytes) -> Bool {
    let (index, isValid) = entry(of: text)
    last = index
    presence.append(true, after: indices.count)
    indices.append(index)
    return isValid
  }

  /// The entry of a text, for `append(_:count:)`; valid is false when invalid UTF-8 was repaired.
  mutating func entry(of text: RawBytes) -> (UInt32, isValid: Bool) {
    if text.isValidUTF8 { return (table.index(of: text), true) }
    var repaired = String(repairing: text.buffer)
    return (repaired.withUTF8 { table.index(of: RawBytes($0.baseAddress!, $0.count)) }, false)
  }

  /// As `entry`, but nothing for the empty text.
  mutating func entryUnlessEmpty(_ text: RawBytes) -> UInt32? { text.isEmpty ? nil : entry(of: text).0 }

  /// The same value, nil for none, in the next rows.
  mutating func append(_ entry: UInt32?, count: Int) {
    presence.append(entry != nil, repeated: count, after: indices.count)
    indices.append(repeating: entry ?? 0, count: count)
  }

  @inline(__always)
  mutating func appendAbsent() {
    presence.append(false, after: indices.count)
    indices.append(0)
  }

  var dataBytes: Int { table.data.count }

  consuming func column() -> Column {
    let count = indices.count
    return Column(
      .dictionary(indices: indices.finish(), dictionary: table.column()), count: count, validity: presence.finish())
  }
}
