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

  init(files: any FileOperations, prefix: String, delimiter: String?, startAfter: String?, limit: Int) {
    self.files = files
    self.prefix = prefix
    self.delimiter = delimiter
    self.startAfter = startAfter
    self.limit = limit
  }

  /// The deepest directory that holds every key with the prefix.
  var root: String { prefix.parentPath }

  var page: ObjectPage { ObjectPage(objects: objects, prefixes: prefixes, next: isFull ? last : nil) }

  mutating func visit(_ directory: String) throws(FileError) {
    let entries: [FileEntry]
    do throws(FileError) { entries = try files.listing(directory).entries } catch .notFound { return } catch .wrongKind
    {
      return
    }
    // A directory sorts as its keys do: its name and then a slash.
    let names = entries.map { $0.isDirectory ? $0.name + "/" : $0.name }
    for place in KeyOrder.places(of: names) {
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

  private var count: Int { objects.count + prefixes.count }
}
