import LakeModel

extension FileObjectStore {
  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage
  {
    precondition(limit > 0)
    let files = files
    let outcome: Result<ObjectPage, FileError> = await files.run {
      var walk = ListWalk(
        files: files, prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit)
      do throws(FileError) {
        try walk.visit(walk.root)
        return .success(walk.page)
      } catch { return .failure(error) }
    }
    do { return try outcome.get() } catch { throw .unavailable("\(error)") }
  }

  package func relist(prefix: String, known: [ObjectInfo]) async throws(ObjectStoreError) -> [ObjectInfo]? {
    let files = files
    let outcome: Result<[ObjectInfo]?, FileError> = await files.run {
      var walk = ListWalk(
        files: files, prefix: prefix, delimiter: nil, startAfter: nil, limit: .max, known: known)
      do throws(FileError) {
        try walk.visit(walk.root)
        return .success(walk.isAsKnown ? nil : walk.page.objects)
      } catch { return .failure(error) }
    }
    do { return try outcome.get() } catch { throw .unavailable("\(error)") }
  }
}

/// Walks directories in key order, leaving out whole subtrees that cannot hold what is asked for.
private struct ListWalk {
  let files: any FileOperations
  let prefix: String
  let delimiter: String?
  let startAfter: String?
  let limit: Int
  private var objects: [ObjectInfo] = []
  private var prefixes: [String] = []
  private var last: String?
  private var isFull = false
  /// Ascending by key: objects that need not be looked at again.
  private let known: [ObjectInfo]
  /// The first of them whose key has not gone by.
  private var nextKnown = 0
  private var knownCount = 0

  init(
    files: any FileOperations, prefix: String, delimiter: String?, startAfter: String?, limit: Int,
    known: [ObjectInfo] = []
  ) {
    self.known = known
    self.files = files
    self.prefix = prefix
    self.delimiter = delimiter
    self.startAfter = startAfter
    self.limit = limit
  }

  /// The deepest directory that holds every key with the prefix.
  var root: String { prefix.parentPath }

  var page: ObjectPage { ObjectPage(objects: objects, prefixes: prefixes, next: isFull ? last : nil) }

  /// Whether exactly the known objects were found.
  var isAsKnown: Bool { knownCount == objects.count && knownCount == known.count }

  mutating func visit(_ directory: String) throws(FileError) {
    let entries: [FileEntry]
    do throws(FileError) { entries = try files.entries(directory) } catch .notFound { return } catch .wrongKind {
      return
    }
    // A directory sorts as its keys do: its name and then a slash.
    let names = entries.map { $0.isDirectory ? $0.name + "/" : $0.name }
    for place in ListWalk.order(of: names) {
      let (name, entry) = (names[place], entries[place])
      if directory.isEmpty && entry.name == FileObjectStore.scratch { continue }
      let path = directory.isEmpty ? name : "\(directory)/\(name)"
      if entry.isDirectory {
        if mayHold(path) { try visit(String(path.dropLast())) }
      } else {
        try take(path)
      }
      if isFull { return }
    }
  }

  /// The places of names in the order of keys. Sorts runs of one block of memory: a lane may hold thousands of segments, and every query
  /// lists them.
  private static func order(of names: [String]) -> [Int] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(names.reduce(0) { $0 + $1.utf8.count })
    var ends: [Int] = []
    ends.reserveCapacity(names.count)
    for name in names {
      bytes += name.utf8
      ends.append(bytes.count)
    }
    return bytes.withUnsafeBytes { bytes in
      func name(_ place: Int) -> UnsafeRawBufferPointer {
        let start = place == 0 ? 0 : ends[place - 1]
        return UnsafeRawBufferPointer(rebasing: bytes[start..<ends[place]])
      }
      return names.indices.sorted { ByteOrder.compare(name($0), name($1)) < 0 }
    }
  }

  /// Whether keys that begin with `path` (a directory with its slash) can be wanted.
  private func mayHold(_ path: String) -> Bool {
    guard path.hasPrefix(prefix) || prefix.hasPrefix(path) else { return false }
    guard let startAfter else { return true }
    if startAfter.utf8.starts(with: path.utf8) {
      // Keys below may come after, unless they roll up into a prefix, which then does not.
      return rolledUp(path) == nil
    }
    return startAfter.utf8.lexicographicallyPrecedes(path.utf8)
  }

  /// The common prefix that a key falls into, if any.
  private func rolledUp(_ key: String) -> String? {
    guard let delimiter, key.hasPrefix(prefix), let found = key.dropFirst(prefix.count).firstRange(of: delimiter) else {
      return nil
    }
    return String(key[..<found.upperBound])
  }

  private mutating func take(_ path: String) throws(FileError) {
    if isKnown(path) {
      objects.append(known[nextKnown])
      knownCount += 1
      return
    }
    guard path.hasPrefix(prefix), let key = ObjectKey(path) else { return }
    if let startAfter, !startAfter.utf8.lexicographicallyPrecedes(path.utf8) { return }
    if let common = rolledUp(path) {
      if let startAfter, !startAfter.utf8.lexicographicallyPrecedes(common.utf8) { return }
      if prefixes.last == common { return }
      if count == limit {
        isFull = true
        return
      }
      prefixes.append(common)
      last = common
      return
    }
    if count == limit {
      isFull = true
      return
    }
    let status: FileStatus
    do throws(FileError) { status = try files.status(path) } catch .notFound { return }
    objects.append(status.info(key))
    last = path
  }

  private mutating func isKnown(_ path: String) -> Bool {
    while nextKnown < known.count, known[nextKnown].key.text.utf8.precedes(path.utf8) { nextKnown += 1 }
    return nextKnown < known.count && known[nextKnown].key.text.utf8.isSame(as: path.utf8)
  }

  private var count: Int { objects.count + prefixes.count }
}
