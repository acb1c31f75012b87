package import LakeModel
package import LakePorts

/// A store that keeps what was read of objects that never change; everything else goes through untouched.
///
/// What it holds is true of the object it was read from: blocks are kept by key and content tag. With a `statTTL` an object
/// that another process deletes may be read until that time is over; without one, as long as it is kept.
package struct CachedStore: ObjectStore {
  let base: any ObjectStore
  let settings: CacheSettings
  let cache: BlockCache
  private let wall: any WallClock

  /// How often a read starts over because the object changed under it.
  private static let turnsMax = 3

  package init(
    base: any ObjectStore, settings: CacheSettings, clock: any LakeClock, wall: any WallClock,
    metrics: MetricsRegistry, pool: BlockingPool
  ) {
    self.base = base
    self.wall = wall
    self.settings = settings
    let disk = settings.diskFolder.flatMap {
      settings.diskBytesMax > 0 ? DiskTier(folder: $0, bytesMax: settings.diskBytesMax, pool: pool) : nil
    }
    cache = BlockCache(settings: settings, disk: disk, clock: clock, instruments: CacheInstruments(metrics))
    instruments = CacheInstruments(metrics)
  }

  private let instruments: CacheInstruments

  // MARK: reading

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    guard settings.isImmutable(key), CachedStore.isPlain(range) else { return try await base.get(key, range: range) }
    for _ in 0..<CachedStore.turnsMax {
      let info: ObjectInfo
      switch await cache.stat(key) {
      case .fresh(let known): info = known
      case .expired: info = try await asked(key)
      case .none:
        guard await cache.takeOff(key) else { continue }
        let found: Result<StoredObject, ObjectStoreError>
        do throws(ObjectStoreError) { found = .success(try await first(key, range)) } catch { found = .failure(error) }
        await cache.land(.stat(key))
        return try found.get()
      }
      let span = try CachedStore.span(range, key, size: info.size)
      if let bytes = try await bytes(of: info, span) { return StoredObject(bytes: bytes, info: info) }
      await cache.forget(key)
    }
    return try await base.get(key, range: range)
  }

  /// What the store says of the object now.
  private func asked(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    let epoch = await cache.epoch
    do throws(ObjectStoreError) {
      let info = try await base.head(key)
      await cache.keep(info, epoch)
      return info
    } catch {
      if case .notFound = error { await cache.forget(key) }
      throw error
    }
  }

  /// Ranges that no object holds are left to the store, which says how that is an error.
  private static func isPlain(_ range: ByteRange?) -> Bool {
    switch range {
    case nil: true
    case .span(let span): span.lowerBound >= 0 && !span.isEmpty
    case .from(let start): start >= 0
    case .suffix(let count): count > 0
    }
  }

  private static func span(_ range: ByteRange?, _ key: ObjectKey, size: Int) throws(ObjectStoreError) -> Range<Int> {
    switch range {
    case nil: return 0..<size
    case .span(let span) where span.lowerBound < size: return span.lowerBound..<min(span.upperBound, size)
    case .from(let start) where start < size: return start..<size
    case .suffix(let count): return max(0, size - count)..<size
    case .span, .from: throw .rangeNotSatisfiable(key, size: size)
    }
  }

  /// The first read of an object that nothing is known of: one request brings what was asked for, rounded up to blocks.
  private func first(_ key: ObjectKey, _ range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    let block = settings.blockBytes
    let wider: ByteRange?
    switch range {
    case nil: wider = nil
    case .span(let span): wider = .span(down(span.lowerBound)..<up(span.upperBound))
    case .from(let start): wider = .from(down(start))
    case .suffix(let count):
      // One block more, because the end's blocks begin somewhere before what was asked for.
      let (more, isOver) = max(count, settings.prefetchBytesMax).addingReportingOverflow(block)
      wider = isOver ? nil : .suffix(more)
    }
    let epoch = await cache.epoch
    let found = try await base.get(key, range: wider)
    let info = found.info
    instruments.misses.add()
    instruments.fetchedBytes.add(found.bytes.count)
    let start: Int
    switch wider {
    case nil: start = 0
    case .span(let span): start = span.lowerBound
    case .from(let from): start = from
    case .suffix: start = info.size - found.bytes.count
    }
    await cache.keep(info, epoch)
    await keep(found.bytes, from: start, of: info)
    let span = try CachedStore.span(range, key, size: info.size)
    guard span.lowerBound >= start, span.upperBound <= start + found.bytes.count else {
      return try await base.get(key, range: range)
    }
    return StoredObject(bytes: found.bytes[span.lowerBound - start..<span.upperBound - start], info: info)
  }

  private func down(_ offset: Int) -> Int { offset / settings.blockBytes * settings.blockBytes }
  private func up(_ offset: Int) -> Int {
    let (sum, isOver) = offset.addingReportingOverflow(settings.blockBytes - 1)
    return isOver ? offset : sum / settings.blockBytes * settings.blockBytes
  }

  /// Keeps every block that lies whole in `bytes`.
  private func keep(_ bytes: Bytes, from start: Int, of info: ObjectInfo) async {
    let block = settings.blockBytes
    var index = (start + block - 1) / block
    while index * block < info.size {
      let end = min((index + 1) * block, info.size)
      if end > start + bytes.count { return }
      let part = bytes[index * block - start..<end - start]
      await cache.keep(
        BlockID(key: info.key, tag: info.tag, index: index), info,
        part.withUnsafeBytes { Bytes(copying: $0) })
      index += 1
    }
  }

  /// - Returns: nil when the object is not what `info` says any more.
  private func bytes(of info: ObjectInfo, _ span: Range<Int>) async throws(ObjectStoreError) -> Bytes? {
    if span.isEmpty { return Bytes() }
    let block = settings.blockBytes
    let ids = (span.lowerBound / block...(span.upperBound - 1) / block).map {
      BlockID(key: info.key, tag: info.tag, index: $0)
    }
    var have: [Int: Bytes] = [:]
    while have.count < ids.count {
      for id in ids where have[id.index] == nil { have[id.index] = await cache.block(id) }
      let missing = ids.filter { have[$0.index] == nil }
      if missing.isEmpty { break }
      let ours = await cache.takeOff(missing)
      guard !ours.isEmpty else {
        // Others fetch all of it: wait for the first, then look again.
        await cache.landing(of: .block(missing[0]))
        continue
      }
      let outcome: Result<Bool, ObjectStoreError>
      do throws(ObjectStoreError) {
        outcome = .success(try await fetch(ours, of: info, into: &have))
      } catch { outcome = .failure(error) }
      for id in ours { await cache.land(.block(id)) }
      if try !outcome.get() { return nil }
    }
    return CachedStore.joined(ids.map { have[$0.index]! }, cutting: span, blockBytes: block)
  }

  /// One request for each unbroken run.
  private func fetch(_ ids: [BlockID], of info: ObjectInfo, into have: inout [Int: Bytes])
    async throws(ObjectStoreError)
    -> Bool
  {
    let block = settings.blockBytes
    var rest = ids[...]
    while let first = rest.first {
      var last = first.index
      while let next = rest.dropFirst(last - first.index + 1).first, next.index == last + 1 { last += 1 }
      rest = rest.dropFirst(last - first.index + 1)
      let span = first.index * block..<min((last + 1) * block, info.size)
      let found = try await base.get(info.key, range: .span(span))
      guard found.info.tag == info.tag, found.info.size == info.size, found.bytes.count == span.count else {
        return false
      }
      instruments.misses.add(last - first.index + 1)
      instruments.fetchedBytes.add(found.bytes.count)
      for index in first.index...last {
        let part = found.bytes[index * block - span.lowerBound..<min((index + 1) * block, info.size) - span.lowerBound]
        let own = part.withUnsafeBytes { Bytes(copying: $0) }
        have[index] = own
        await cache.keep(BlockID(key: info.key, tag: info.tag, index: index), info, own)
      }
    }
    return true
  }

  private static func joined(_ blocks: [Bytes], cutting span: Range<Int>, blockBytes: Int) -> Bytes {
    let start = span.lowerBound - span.lowerBound / blockBytes * blockBytes
    if blocks.count == 1 { return blocks[0][start..<start + span.count] }
    let storage = RawStorage(capacity: span.count)
    var (done, skip) = (0, start)
    for block in blocks {
      let count = min(block.count - skip, span.count - done)
      block.withUnsafeBytes { (storage.base + done).copyMemory(from: $0.baseAddress! + skip, byteCount: count) }
      done += count
      skip = 0
    }
    return Bytes(storage: storage, offset: 0, count: span.count)
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    guard settings.isImmutable(key) else { return try await base.head(key) }
    if case .fresh(let known) = await cache.stat(key) { return known }
    return try await asked(key)
  }

  // MARK: writing

  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    guard settings.isImmutable(key) else { return try await base.put(key, bytes, condition: condition) }
    let outcome: Result<ContentTag, ObjectStoreError>
    do throws(ObjectStoreError) { outcome = .success(try await base.put(key, bytes, condition: condition)) } catch {
      outcome = .failure(error)
    }
    await cache.forget(key)
    let epoch = await cache.epoch
    let tag = try outcome.get()
    if bytes.count <= settings.writeBytesMax {
      // When it was made is the store's to say; ours is close enough for people, and nothing else depends on it.
      let made = Int64(wall.now.nanoseconds / 1_000_000)
      let info = ObjectInfo(key: key, size: bytes.count, tag: tag, modified: made)
      await cache.keep(info, epoch)
      await keep(bytes, from: 0, of: info)
    }
    return tag
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    guard settings.isImmutable(key) else { return try await base.delete(key) }
    let outcome: Result<Void, ObjectStoreError>
    do throws(ObjectStoreError) { outcome = .success(try await base.delete(key)) } catch { outcome = .failure(error) }
    await cache.forget(key)
    try outcome.get()
  }

  package func deleteAll(_ keys: [ObjectKey]) async -> [DeletionFailure] {
    let failures = await base.deleteAll(keys)
    for key in keys where settings.isImmutable(key) { await cache.forget(key) }
    return failures
  }

  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage
  {
    try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit)
  }

  package func relist(prefix: String, known: KnownObjects?) async throws(ObjectStoreError) -> KnownObjects? {
    try await base.relist(prefix: prefix, known: known)
  }

  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    let upload = try await base.beginUpload(key)
    return settings.isImmutable(key) ? CachedUpload(base: upload, key: key, cache: cache) : upload
  }
}

private struct CachedUpload: ObjectUpload {
  let base: any ObjectUpload
  let key: ObjectKey
  let cache: BlockCache

  func append(_ bytes: Bytes) async throws(ObjectStoreError) { try await base.append(bytes) }

  func complete() async throws(ObjectStoreError) -> ContentTag {
    let outcome: Result<ContentTag, ObjectStoreError>
    do throws(ObjectStoreError) { outcome = .success(try await base.complete()) } catch { outcome = .failure(error) }
    await cache.forget(key)
    return try outcome.get()
  }

  func abort() async { await base.abort() }
}
