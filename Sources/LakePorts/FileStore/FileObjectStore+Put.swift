package import LakeModel

extension FileObjectStore {
  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    try await publish(key, pieces: [bytes], condition: condition)
  }

  /// Writes `pieces` as one object.
  func publish(_ key: ObjectKey, pieces: [Bytes], condition: PutCondition) async throws(ObjectStoreError) -> ContentTag
  {
    try FileObjectStore.check(key)
    let files = files
    let planted = planted
    let temporary = "\(FileObjectStore.scratch)/\(random.laneID())"
    let outcome: Result<ContentTag, PutFailure> = await files.run {
      do throws(PutFailure) {
        return .success(try FileObjectStore.publish(key, pieces, condition, temporary, files, planted))
      } catch { return .failure(error) }
    }
    switch outcome {
    case .success(let tag): return tag
    case .failure(.certain(let error)): throw error
    case .failure(.unclear(let why)): throw .outcomeUnknown(key, why)
    }
  }

  /// Before the object has its name nothing has happened; after, a failure leaves the outcome unknown.
  enum PutFailure: Error {
    case certain(ObjectStoreError)
    case unclear(String)
  }

  private static func publish(
    _ key: ObjectKey, _ pieces: [Bytes], _ condition: PutCondition, _ temporary: String, _ files: any FileOperations,
    _ planted: PlantedDefect?
  ) throws(PutFailure) -> ContentTag {
    defer { try? files.unlink(temporary) }
    let tag = try stage(key, pieces, temporary, files, planted)
    switch condition {
    case .ifAbsent:
      try create(key, temporary, files, planted)
    case .none, .ifMatch:
      let done: Result<Void, PutFailure>
      do throws(FileError) {
        done = try files.locked(lockName(key)) {
          do throws(PutFailure) {
            return .success(try replace(key, condition, temporary, files, planted))
          } catch { return .failure(error) }
        }
      } catch { throw .certain(translate(error, key)) }
      try done.get()
    }
    return tag
  }

  /// The contents, durable under a temporary name.
  private static func stage(
    _ key: ObjectKey, _ pieces: [Bytes], _ temporary: String, _ files: any FileOperations, _ planted: PlantedDefect?
  ) throws(PutFailure) -> ContentTag {
    do throws(FileError) {
      do throws(FileError) {
        try files.writeNew(temporary, pieces)
      } catch .notFound {
        do throws(FileError) { try files.makeDirectory(scratch) } catch .exists {}
        try files.writeNew(temporary, pieces)
      }
      if planted != .skipFileSync { try files.syncFile(temporary) }
      return try files.status(temporary).tag
    } catch {
      throw .certain(translate(error, key))
    }
  }

  private static func create(
    _ key: ObjectKey, _ temporary: String, _ files: any FileOperations, _ planted: PlantedDefect?
  ) throws(PutFailure) {
    do throws(FileError) {
      try named(key, files) { () throws(FileError) in try files.link(temporary, to: key.text) }
    } catch .exists {
      do throws(FileError) {
        if try files.status(key.text).isDirectory { throw .denied("\(key) is a prefix of other objects") }
        try files.syncFile(key.text)
        try syncPath(key.text.parentPath, files)
      } catch .denied(let why) {
        throw .certain(.denied(why))
      } catch .notFound {
        throw .certain(.unavailable("\(key) went away while it was looked at"))
      } catch {
        throw .unclear("\(error)")
      }
      throw .certain(.preconditionFailed(key))
    } catch {
      throw .certain(denial(error, key))
    }
    if planted != .skipDirectorySync { try settle(key, files) }
  }

  private static func replace(
    _ key: ObjectKey, _ condition: PutCondition, _ temporary: String, _ files: any FileOperations,
    _ planted: PlantedDefect?
  ) throws(PutFailure) {
    do throws(FileError) {
      if case .ifMatch(let tag) = condition {
        let status: FileStatus
        do throws(FileError) { status = try files.status(key.text) } catch .notFound { throw .exists }
        if status.isDirectory || status.tag != tag { throw .exists }
      }
      try named(key, files) { () throws(FileError) in try files.rename(temporary, to: key.text) }
    } catch {
      throw .certain(denial(error, key))
    }
    if planted != .skipDirectorySync { try settle(key, files) }
  }

  /// Gives a staged file its name, making directories as needed. A remover may take an empty directory away in between.
  private static func named(_ key: ObjectKey, _ files: any FileOperations, _ give: () throws(FileError) -> Void)
    throws(FileError)
  {
    for attempt in 0...directoryAttemptsMax {
      do throws(FileError) {
        return try give()
      } catch .notFound where attempt < directoryAttemptsMax {
        try makeDirectories(key.text.parentPath, files)
      }
    }
  }

  private static let directoryAttemptsMax = 8

  private static func makeDirectories(_ path: String, _ files: any FileOperations) throws(FileError) {
    if path.isEmpty { return }
    do throws(FileError) {
      try files.makeDirectory(path)
    } catch .exists {
      return
    } catch .notFound {
      try makeDirectories(path.parentPath, files)
      do throws(FileError) { try files.makeDirectory(path) } catch .exists {}
    }
  }

  private static func settle(_ key: ObjectKey, _ files: any FileOperations) throws(PutFailure) {
    do throws(FileError) { try syncPath(key.text.parentPath, files) } catch { throw .unclear("\(error)") }
  }

  /// Makes a directory's entries and its own name durable, up to the root: who made a directory may have died before its sync.
  private static func syncPath(_ path: String, _ files: any FileOperations) throws(FileError) {
    var path = path
    while true {
      try files.syncDirectory(path)
      if path.isEmpty { return }
      path = path.parentPath
    }
  }

  private static func denial(_ error: FileError, _ key: ObjectKey) -> ObjectStoreError {
    switch error {
    case .wrongKind: .denied("\(key) lies below, or is a prefix of, another object; a directory cannot hold both")
    default: translate(error, key)
    }
  }
}
