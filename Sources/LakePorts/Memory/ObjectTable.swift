package import LakeModel

/// The objects of a store as plain values: what `MemoryObjectStore` guards with a lock and the simulator drives one step at a time.
///
/// The strictest reading of `ObjectStore`: what any adapter may refuse, this one refuses.
package struct ObjectTable: Sendable {
  /// Longest segment between two slashes that every store takes, in bytes (file names).
  package static let segmentBytesMax = 255
  /// Smallest part of an upload but the last, in bytes.
  package static let partBytesMin = 5 << 20

  private struct Entry: Sendable {
    var bytes: Bytes
    var info: ObjectInfo
  }

  private var entries: [ObjectKey: Entry] = [:]
  /// The keys of `entries`, ascending.
  private var keys: [ObjectKey] = []
  /// Writes so far; every content gets the next number as its tag, so that none is ever used twice.
  private var writes: UInt64 = 0

  package init() {}

  package var count: Int { keys.count }
  /// Every key, ascending.
  package var allKeys: [ObjectKey] { keys }

  package func get(_ key: ObjectKey, range: ByteRange?) throws(ObjectStoreError) -> StoredObject {
    guard let entry = entries[key] else { throw .notFound(key) }
    guard let range else { return StoredObject(bytes: entry.bytes, info: entry.info) }
    guard let span = range.resolved(size: entry.bytes.count) else {
      throw .rangeNotSatisfiable(key, size: entry.bytes.count)
    }
    return StoredObject(bytes: entry.bytes[span], info: entry.info)
  }

  package func head(_ key: ObjectKey) throws(ObjectStoreError) -> ObjectInfo {
    guard let entry = entries[key] else { throw .notFound(key) }
    return entry.info
  }

  /// - Parameter modified: milliseconds since the epoch.
  package mutating func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition, modified: Int64)
    throws(ObjectStoreError) -> ContentTag
  {
    let present = entries[key]
    switch condition {
    case .none: break
    case .ifAbsent: if present != nil { throw .preconditionFailed(key) }
    case .ifMatch(let tag): if present?.info.tag != tag { throw .preconditionFailed(key) }
    }
    if present == nil { try insertKey(key) }
    writes += 1
    let tag = ContentTag("m\(writes)")
    entries[key] = Entry(
      bytes: bytes, info: ObjectInfo(key: key, size: bytes.count, tag: tag, modified: modified))
    return tag
  }

  /// - Returns: whether there was anything to delete.
  @discardableResult
  package mutating func delete(_ key: ObjectKey) -> Bool {
    guard entries.removeValue(forKey: key) != nil else { return false }
    keys.remove(at: position(of: key.text))
    return true
  }

  /// Refuses what a filesystem cannot hold: long names, and objects below other objects.
  private mutating func insertKey(_ key: ObjectKey) throws(ObjectStoreError) {
    var length = 0
    var ancestor = 0
    for (index, byte) in key.text.utf8.enumerated() {
      guard byte == UInt8(ascii: "/") else {
        length += 1
        if length > ObjectTable.segmentBytesMax { throw .denied("a segment of \(key) is longer than 255 bytes") }
        continue
      }
      length = 0
      ancestor = index
      let parent = String(Substring(key.text.utf8.prefix(ancestor)))
      if entries[ObjectKey(trusted: parent)] != nil { throw .denied("\(key) lies below the object \(parent)") }
    }
    let place = position(of: key.text)
    let below = key.text + "/"
    let firstBelow = position(of: below)
    if firstBelow < keys.count, keys[firstBelow].text.utf8.starts(with: below.utf8) {
      throw .denied("objects lie below \(key)")
    }
    keys.insert(key, at: place)
  }

  /// Index of the first key that is not below `text`.
  private func position(of text: String) -> Int {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].text.utf8.precedes(text.utf8) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension ObjectTable {
  /// - Parameter limit: at least 1; at most that many entries are returned.
  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) -> ObjectPage {
    precondition(limit >= 1, "a page of \(limit) entries")
    var objects: [ObjectInfo] = []
    var prefixes: [String] = []
    var last: String?
    var index = position(of: prefix)
    if let startAfter, prefix.utf8.precedes(startAfter.utf8) { index = position(of: startAfter) }
    while index < keys.count {
      let key = keys[index]
      guard key.text.utf8.starts(with: prefix.utf8) else { break }
      let rolled = delimiter.flatMap { ObjectTable.rolledUp(key.text, prefix: prefix, delimiter: $0) }
      let entry = rolled ?? key.text
      if let startAfter, !startAfter.utf8.precedes(entry.utf8) {
        index = rolled == nil ? index + 1 : firstBeyond(entry, from: index)
        continue
      }
      if objects.count + prefixes.count == limit {
        return ObjectPage(objects: objects, prefixes: prefixes, next: last)
      }
      last = entry
      if rolled != nil {
        prefixes.append(entry)
        index = firstBeyond(entry, from: index)
      } else {
        objects.append(entries[key]!.info)
        index += 1
      }
    }
    return ObjectPage(objects: objects, prefixes: prefixes, next: nil)
  }

  /// Index of the first key at or after `index` that does not start with `prefix`.
  private func firstBeyond(_ prefix: String, from index: Int) -> Int {
    var low = index
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle].text.utf8.starts(with: prefix.utf8) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// The part of `key` up to and including the first delimiter after the prefix; nil when there is none.
  private static func rolledUp(_ key: String, prefix: String, delimiter: String) -> String? {
    let rest = key.utf8.dropFirst(prefix.utf8.count)
    guard let found = rest.firstRange(of: delimiter) else { return nil }
    return String(Substring(key.utf8[..<found]))
  }
}

extension Substring.UTF8View {
  /// Where the first occurrence of `text` ends.
  fileprivate func firstRange(of text: String) -> Index? {
    var start = startIndex
    while start < endIndex {
      let rest = self[start...]
      if rest.starts(with: text.utf8) { return rest.index(start, offsetBy: text.utf8.count) }
      start = index(after: start)
    }
    return nil
  }
}

extension ByteRange {
  /// The bytes meant in an object of `size` bytes; nil when the range cannot be satisfied.
  package func resolved(size: Int) -> Range<Int>? {
    switch self {
    case .span(let span):
      guard span.lowerBound >= 0, span.lowerBound < size, !span.isEmpty else { return nil }
      return span.lowerBound..<min(span.upperBound, size)
    case .from(let start):
      guard start >= 0, start < size else { return nil }
      return start..<size
    case .suffix(let length):
      guard length > 0 else { return nil }
      return max(0, size - length)..<size
    }
  }
}
