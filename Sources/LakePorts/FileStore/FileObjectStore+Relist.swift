import LakeModel

extension FileObjectStore {
  package func relist(prefix: String, known: KnownObjects?) async throws(ObjectStoreError) -> KnownObjects? {
    let files = files
    let outcome: Result<KnownObjects?, FileError> = await files.run {
      var walk = RelistWalk(files: files, prefix: prefix, known: known)
      do throws(FileError) {
        try walk.visit(prefix.parentPath)
        return .success(walk.isAsKnown ? nil : walk.found)
      } catch { return .failure(error) }
    }
    do { return try outcome.get() } catch { throw .unavailable("\(error)") }
  }
}

/// A directory as an earlier walk found it.
private final class KnownDirectory: Sendable {
  enum Step: Sendable {
    case objects([ObjectInfo])
    case directory(String)
  }
  /// nil: must be looked at again in any case.
  let listing: DirectoryListing?
  /// In the order of keys.
  let steps: [Step]

  init(_ listing: DirectoryListing?, _ steps: [Step]) {
    self.listing = listing
    self.steps = steps
  }
}

/// Walks the directories below a prefix in key order. Of one whose entries are those of the last time nothing else is looked at.
private struct RelistWalk {
  private let files: any FileOperations
  private let prefix: String
  private let known: KnownObjects?
  private let before: [String: KnownDirectory]
  private var directories: [String: KnownDirectory] = [:]
  /// One after the other, as visited.
  private var parts: [[ObjectInfo]] = []
  private var asBefore = 0

  init(files: any FileOperations, prefix: String, known: KnownObjects?) {
    self.files = files
    self.prefix = prefix
    self.known = known
    before = known?.memo as? [String: KnownDirectory] ?? [:]
    directories.reserveCapacity(before.count)
  }

  /// Whether every directory is as it was: those that are there name all others.
  var isAsKnown: Bool { known != nil && asBefore == directories.count && asBefore == before.count }

  var found: KnownObjects { KnownObjects(parts.flatMap { $0 }, memo: directories) }

  mutating func visit(_ path: String) throws(FileError) {
    let listing: DirectoryListing
    do throws(FileError) { listing = try files.listing(path) } catch .notFound { return } catch .wrongKind { return }
    let directory: KnownDirectory
    if let same = before[path], same.listing == listing {
      directory = same
      asBefore += 1
    } else {
      directory = try look(path, listing)
    }
    directories[path] = directory
    for step in directory.steps {
      switch step {
      case .objects(let objects): parts.append(objects)
      case .directory(let path): try visit(path)
      }
    }
  }

  /// Looks at the files that were not there before.
  private func look(_ path: String, _ listing: DirectoryListing) throws(FileError) -> KnownDirectory {
    var isComplete = true
    var steps: [KnownDirectory.Step] = []
    var objects: [ObjectInfo] = []
    let old = oldObjects(path)
    let entries = listing.entries
    // A directory sorts as its keys do: its name and then a slash.
    let names = entries.map { $0.isDirectory ? $0.name + "/" : $0.name }
    for place in KeyOrder.places(of: names) {
      if path.isEmpty && entries[place].name == FileObjectStore.scratch { continue }
      let name = path.isEmpty ? names[place] : "\(path)/\(names[place])"
      if entries[place].isDirectory {
        guard name.hasPrefix(prefix) || prefix.hasPrefix(name) else { continue }
        if !objects.isEmpty { steps.append(.objects(objects)) }
        objects = []
        steps.append(.directory(String(name.dropLast())))
      } else if name.hasPrefix(prefix), let key = ObjectKey(name) {
        if let same = old[key] {
          objects.append(same)
          continue
        }
        do throws(FileError) { objects.append(try files.status(name).info(key)) } catch .notFound {
          // Gone meanwhile: should the name come again, it must be looked at.
          isComplete = false
        }
      }
    }
    if !objects.isEmpty { steps.append(.objects(objects)) }
    return KnownDirectory(isComplete ? listing : nil, steps)
  }

  private func oldObjects(_ path: String) -> [ObjectKey: ObjectInfo] {
    var objects: [ObjectKey: ObjectInfo] = [:]
    for case .objects(let some) in before[path]?.steps ?? [] { for object in some { objects[object.key] = object } }
    return objects
  }
}

/// The order of keys.
enum KeyOrder {
  /// The places of names in order. Sorts runs of one block of memory: a lane may hold thousands of segments.
  static func places(of names: [String]) -> [Int] {
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
}
