package import LakeModel

/// Where an object lies: `/`-separated segments, UTF-8, no leading slash, no empty, `.` or `..` segment, 1 to 1024 bytes.
///
/// Two keys are the same when their bytes are. A store may deny a segment of more than 255 bytes, and an object below the
/// key of another object: a filesystem can hold neither.
package struct ObjectKey: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let text: String

  /// - Returns: nil when the rules above are broken.
  package init?(_ text: String) {
    guard !text.isEmpty, text.utf8.count <= 1024, !text.utf8.contains(0) else { return nil }
    // Of the segment so far.
    var length = 0
    var dots = 0
    for byte in text.utf8 {
      if byte == UInt8(ascii: "/") {
        if length == dots && length <= 2 { return nil }
        length = 0
        dots = 0
      } else {
        length += 1
        if byte == UInt8(ascii: ".") { dots += 1 }
      }
    }
    if length == dots && length <= 2 { return nil }
    self.text = text
  }

  /// For keys written in our own code. - Precondition: the rules above hold.
  package init(trusted text: String) {
    precondition(ObjectKey(text) != nil, "not an object key: \(text)")
    self.text = text
  }

  package static func == (a: ObjectKey, b: ObjectKey) -> Bool { a.text.utf8.isSame(as: b.text.utf8) }
  package static func < (a: ObjectKey, b: ObjectKey) -> Bool { a.text.utf8.precedes(b.text.utf8) }
  package var description: String { text }
}

/// Names one content of one object (an ETag); a store never gives two contents of a key the same tag.
package struct ContentTag: Hashable, Sendable {
  package let text: String
  package init(_ text: String) { self.text = text }
}

package struct ObjectInfo: Hashable, Sendable {
  package let key: ObjectKey
  /// Bytes.
  package let size: Int
  package let tag: ContentTag
  /// As the store tells it: milliseconds since the epoch; for people and orphan listings, never for the protocol (CLK-1).
  package let modified: Int64

  package init(key: ObjectKey, size: Int, tag: ContentTag, modified: Int64) {
    self.key = key
    self.size = size
    self.tag = tag
    self.modified = modified
  }
}

package struct StoredObject: Sendable {
  /// What was asked for: the range, or the whole object.
  package let bytes: Bytes
  /// The object the bytes come from; `info.size` is its whole size.
  package let info: ObjectInfo

  package init(bytes: Bytes, info: ObjectInfo) {
    self.bytes = bytes
    self.info = info
  }
}

/// A part of an object, in bytes. One that holds no byte of the object is `rangeNotSatisfiable`: an empty or negative
/// span, a start at or beyond the end, a suffix of 0.
package enum ByteRange: Hashable, Sendable {
  /// Cut at the object's end.
  case span(Range<Int>)
  /// From an offset to the end.
  case from(Int)
  /// The last `n` bytes, or the whole object when it is shorter (even when it is empty).
  case suffix(Int)
}

package enum PutCondition: Hashable, Sendable {
  case none
  /// `If-None-Match: *`: creates whole or not at all.
  case ifAbsent
  /// `If-Match`: replaces exactly this content.
  case ifMatch(ContentTag)
}

package struct ObjectPage: Sendable {
  /// Ascending by key.
  package let objects: [ObjectInfo]
  /// With a delimiter: the prefixes below which further keys lie, ascending, each ending in the delimiter.
  package let prefixes: [String]
  /// Pass as `startAfter` for the next page; nil at the end.
  package let next: String?

  package init(objects: [ObjectInfo], prefixes: [String], next: String?) {
    self.objects = objects
    self.prefixes = prefixes
    self.next = next
  }
}

/// An object store with conditional writes (PRT-1).
///
/// A get or list begun after a write was answered sees it; a delete is durable when answered; `ifAbsent` creates whole or not at all.
package protocol ObjectStore: Sendable {
  /// - Throws: `.notFound`, `.rangeNotSatisfiable`, `.unavailable`, ...
  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject

  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo

  /// Durable when it returns.
  /// - Throws: `.preconditionFailed` when the condition does not hold (something is there, or something else is);
  ///   `.outcomeUnknown` when the write may or may not stand, or may yet appear.
  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag

  /// Deleting what is not there succeeds.
  func delete(_ key: ObjectKey) async throws(ObjectStoreError)

  /// Deletes many at once, where the store can, or several at a time.
  /// - Returns: what is not known to be gone, in the order of `keys`.
  func deleteAll(_ keys: [ObjectKey]) async -> [DeletionFailure]

  /// One page of the entries (keys, or prefixes rolled up by the delimiter) that start with `prefix` and sort after
  /// `startAfter`, ascending by UTF-8 bytes. A rolled-up prefix sorts by its own text, so that a page may start after it.
  ///
  /// - Parameters:
  ///   - delimiter: keys that hold it after the prefix are rolled up into `prefixes` (usually "/").
  ///   - limit: most entries (objects and prefixes) wanted; a page may be shorter without being the last.
  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage

  /// What lies below a prefix under which objects are never changed once written, and was listed before.
  ///
  /// Which keys are there is asked anew; of those that `known` names, nothing else is.
  ///
  /// - Parameter known: what an earlier call for the prefix returned; nil when there was none.
  /// - Returns: nil when exactly the keys of `known` are there.
  func relist(prefix: String, known: KnownObjects?) async throws(ObjectStoreError) -> KnownObjects?

  /// Begins an object written in parts; it appears whole at `complete`. For data files under fresh names only (PRT-1):
  /// what happens to an object that is already there is left open.
  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload
}

/// What lay below a prefix when it was listed last.
package struct KnownObjects: Sendable {
  /// Ascending by key.
  package let objects: [ObjectInfo]
  /// What the store noted to know them again.
  package let memo: (any Sendable)?

  package init(_ objects: [ObjectInfo], memo: (any Sendable)? = nil) {
    self.objects = objects
    self.memo = memo
  }
}

package struct DeletionFailure: Error, Hashable, Sendable {
  package let key: ObjectKey
  package let error: ObjectStoreError

  package init(key: ObjectKey, error: ObjectStoreError) {
    self.key = key
    self.error = error
  }
}

package protocol ObjectUpload: Sendable {
  /// Parts are appended in the order of the calls; all but the last hold at least 5 MiB. No part makes an empty object.
  func append(_ bytes: Bytes) async throws(ObjectStoreError)
  func complete() async throws(ObjectStoreError) -> ContentTag
  /// Gives up; what was sent is removed.
  func abort() async
}

extension ObjectStore {
  package func get(_ key: ObjectKey) async throws(ObjectStoreError) -> StoredObject { try await get(key, range: nil) }

  package func deleteAll(_ keys: [ObjectKey]) async -> [DeletionFailure] { await deleteOneByOne(keys) }

  /// For stores that delete one object a request; eight requests at a time.
  package func deleteOneByOne(_ keys: [ObjectKey]) async -> [DeletionFailure] {
    let failures = await concurrently(keys, limit: 8) { key in
      do throws(ObjectStoreError) {
        try await delete(key)
        return DeletionFailure?.none
      } catch { return DeletionFailure(key: key, error: error) }
    }
    return failures.compactMap { $0 }
  }

  /// For stores that tell everything of an object with its key.
  package func relist(prefix: String, known: KnownObjects?) async throws(ObjectStoreError) -> KnownObjects? {
    var found = try await listAll(prefix: prefix)
    guard let known = known?.objects else { return KnownObjects(found) }
    var next = 0
    var keptCount = 0
    for index in found.indices {
      while next < known.count, known[next].key < found[index].key { next += 1 }
      guard next < known.count, known[next].key == found[index].key else { continue }
      found[index] = known[next]
      keptCount += 1
    }
    return keptCount == found.count && keptCount == known.count ? nil : KnownObjects(found)
  }

  /// Every object below a prefix, page after page.
  package func listAll(prefix: String, startAfter: String? = nil) async throws(ObjectStoreError) -> [ObjectInfo] {
    var found: [ObjectInfo] = []
    var after = startAfter
    while true {
      let page = try await list(prefix: prefix, delimiter: nil, startAfter: after, limit: 1000)
      found += page.objects
      guard let next = page.next else { return found }
      after = next
    }
  }
}

package enum ObjectStoreError: Error, Hashable, Sendable {
  case notFound(ObjectKey)
  /// The condition of a put did not hold.
  case preconditionFailed(ObjectKey)
  case rangeNotSatisfiable(ObjectKey, size: Int)
  /// Certainly not carried out; worth another try later.
  case unavailable(String)
  /// Certainly not carried out; the store asks for fewer requests.
  case throttled(String)
  /// The reply was lost or unclear: the write may stand, or may land yet. Read back and compare before anything else (WAL-4).
  case outcomeUnknown(ObjectKey, String)
  /// Refused for good: credentials, permissions, a key the store does not take.
  case denied(String)
  /// Stored bytes that the store itself knows to be damaged.
  case corrupt(ObjectKey, String)
  case cancelled
}
