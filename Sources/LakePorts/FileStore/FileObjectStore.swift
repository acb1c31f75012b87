import LakeModel

/// An object store on a directory (PRT-1).
///
/// An object is a file at its key. It is written to a temporary name, synced, and then linked (create) or renamed (replace)
/// into place; the directory and every directory made for it are synced before the answer. A create that finds something
/// there syncs that too before it says so, since its writer may have died before its own sync. A sync that fails leaves
/// the outcome unknown and is not repeated: the kernel may have dropped the dirty pages and would report success.
///
/// What a file system cannot do is refused (`denied`): a key segment over 255 bytes, a key below another object's key.
package struct FileObjectStore: ObjectStore {
  let files: any FileOperations
  let random: any Randomness
  /// See `PlantedDefect`; nil in production.
  let planted: PlantedDefect?

  /// Where temporary files live; not a place for objects.
  static let scratch = ".icegate"
  static let segmentBytesMax = 255

  package init(files: any FileOperations, random: any Randomness, planted: PlantedDefect? = nil) {
    self.files = files
    self.random = random
    self.planted = planted
  }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try FileObjectStore.check(key)
    let files = files
    let outcome: Result<StoredObject, FileError> = await files.run {
      do throws(FileError) {
        let (bytes, status) = try files.read(key.text, range: range)
        if status.isDirectory { throw .notFound }
        return .success(StoredObject(bytes: bytes, info: status.info(key)))
      } catch { return .failure(error) }
    }
    return try FileObjectStore.unwrap(outcome, key)
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    try FileObjectStore.check(key)
    let files = files
    let outcome: Result<ObjectInfo, FileError> = await files.run {
      do throws(FileError) {
        let status = try files.status(key.text)
        if status.isDirectory { throw .notFound }
        return .success(status.info(key))
      } catch { return .failure(error) }
    }
    return try FileObjectStore.unwrap(outcome, key)
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    try FileObjectStore.check(key)
    let files = files
    let planted = planted
    let outcome: Result<Void, FileError> = await files.run {
      do throws(FileError) {
        return try files.locked(FileObjectStore.lockName(key)) {
          do throws(FileError) {
            try FileObjectStore.remove(key.text, files, planted)
            return .success(())
          } catch { return .failure(error) }
        }
      } catch { return .failure(error) }
    }
    do {
      _ = try outcome.get()
    } catch .notFound, .wrongKind {
      return
    } catch .failed(let why) {
      throw .outcomeUnknown(key, why)
    } catch {
      throw FileObjectStore.translate(error, key)
    }
  }

  /// Unlinks, makes that durable, and takes away directories left empty.
  private static func remove(_ path: String, _ files: any FileOperations, _ planted: PlantedDefect?) throws(FileError) {
    var parent = path.parentPath
    do throws(FileError) {
      if try files.status(path).isDirectory { return }
      try files.unlink(path)
    } catch .notFound {
      // Its remover may have died before its own sync: the absence must be durable before we say so.
      if (try? files.status(parent)) == nil { return }
    }
    if planted != .unlinkWithoutSync { try files.syncDirectory(parent) }
    while !parent.isEmpty, (try? files.removeDirectory(parent)) != nil { parent = parent.parentPath }
  }

  static func check(_ key: ObjectKey) throws(ObjectStoreError) {
    for segment in key.text.utf8.split(separator: UInt8(ascii: "/")) where segment.count > segmentBytesMax {
      throw .denied("a segment of \(key) has \(segment.count) bytes; a file name holds \(segmentBytesMax)")
    }
    if key.text.hasPrefix(scratch + "/") || key.text == scratch {
      throw .denied("keys below \(scratch)/ are the store's own")
    }
  }

  /// Keys share a fixed number of locks. FNV-1a: the same in every process, unlike `Hasher`.
  static func lockName(_ key: ObjectKey) -> String {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in key.text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return "lock-\(hash % 64)"
  }

  static func unwrap<R>(_ outcome: Result<R, FileError>, _ key: ObjectKey) throws(ObjectStoreError) -> R {
    do { return try outcome.get() } catch { throw translate(error, key) }
  }

  /// For calls that change nothing: no outcome is unknown.
  static func translate(_ error: FileError, _ key: ObjectKey) -> ObjectStoreError {
    switch error {
    case .notFound, .wrongKind: .notFound(key)
    case .exists: .preconditionFailed(key)
    case .notEmpty: .unavailable("directory of \(key) is not empty")
    case .rangeNotSatisfiable(let size): .rangeNotSatisfiable(key, size: size)
    case .full(let why), .failed(let why): .unavailable(why)
    case .denied(let why): .denied(why)
    }
  }
}

extension FileStatus {
  func info(_ key: ObjectKey) -> ObjectInfo { ObjectInfo(key: key, size: size, tag: tag, modified: modified) }
}

extension String {
  /// Everything before the last slash; `""` when there is none.
  var parentPath: String {
    guard let slash = lastIndex(of: "/") else { return "" }
    return String(self[..<slash])
  }
}
