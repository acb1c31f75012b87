package import LakeModel

/// What an upload has been given so far, and whether it may be given more.
package struct UploadParts: Sendable {
  private var parts: [Bytes] = []
  private var isOver = false

  package init() {}

  /// - Throws: `.denied` when the upload is over, or when the part before this one was too small to be followed.
  package mutating func append(_ bytes: Bytes) throws(ObjectStoreError) {
    if isOver { throw .denied("the upload is over") }
    if let last = parts.last, last.count < ObjectTable.partBytesMin {
      throw .denied("a part of \(last.count) bytes may only be the last")
    }
    parts.append(bytes)
  }

  /// The whole object; the upload is over.
  package mutating func finish() throws(ObjectStoreError) -> Bytes {
    if isOver { throw .denied("the upload is over") }
    isOver = true
    if parts.count == 1 { return parts[0] }
    let whole = RawStorage(capacity: parts.reduce(0) { $0 + $1.count })
    var filled = 0
    for part in parts {
      part.withUnsafeBytes { source in
        if let base = source.baseAddress, source.count > 0 {
          (whole.base + filled).copyMemory(from: base, byteCount: source.count)
        }
      }
      filled += part.count
    }
    parts = []
    return Bytes(storage: whole, offset: 0, count: filled)
  }

  package mutating func abandon() {
    isOver = true
    parts = []
  }
}
