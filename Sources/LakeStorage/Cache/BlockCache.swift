import LakeModel
import LakePorts

/// Blocks in memory, blocks on disk, and who is fetching what: each block is fetched once however many ask.
actor BlockCache {
  private var memory: RecentUse<BlockID, Bytes>
  private var stats: RecentUse<ObjectKey, Stat>
  private let disk: DiskTier?
  private let statTTL: Duration?
  private let clock: any LakeClock
  private let instruments: CacheInstruments
  /// Fetches under way, and who waits for them.
  private var flights: [Flight: [CheckedContinuation<Void, Never>]] = [:]
  /// Counts what was forgotten: what was read before that is not kept after it.
  private(set) var epoch = 0

  struct Stat: Sendable {
    let info: ObjectInfo
    let since: ClockInstant
  }

  enum Knowledge: Sendable {
    case fresh(ObjectInfo)
    /// Was so, and has to be asked for again.
    case expired
    case none
  }

  enum Flight: Hashable, Sendable {
    case stat(ObjectKey)
    case block(BlockID)
  }

  init(settings: CacheSettings, disk: DiskTier?, clock: any LakeClock, instruments: CacheInstruments) {
    memory = RecentUse(weightMax: settings.memoryBytesMax)
    stats = RecentUse(weightMax: settings.statsMax)
    statTTL = settings.statTTL
    self.disk = disk
    self.clock = clock
    self.instruments = instruments
  }

  // MARK: stats

  /// What is known of an object.
  func stat(_ key: ObjectKey) async -> Knowledge {
    if let found = stats.find(key) {
      if let statTTL, found.since.advanced(by: statTTL) <= clock.now { return .expired }
      return .fresh(found.info)
    }
    // An earlier process left blocks: they say what the object was, and it cannot have changed.
    let epoch = epoch
    guard let disk, let block = await disk.anyBlock(of: key) else { return .none }
    guard statTTL == nil else { return .expired }
    let info = ObjectInfo(key: key, size: block.size, tag: block.id.tag, modified: block.modified)
    keep(info, epoch)
    return .fresh(info)
  }

  /// - Parameter epoch: as it was before the object was asked for.
  func keep(_ info: ObjectInfo, _ epoch: Int) {
    guard epoch == self.epoch else { return }
    _ = stats.keep(info.key, Stat(info: info, since: clock.now), weight: 1)
  }

  func forget(_ key: ObjectKey) {
    epoch += 1
    stats.remove(key)
    disk?.forget(key)
  }

  // MARK: blocks

  /// The block from memory or disk.
  func block(_ id: BlockID) async -> Bytes? {
    if let found = memory.find(id) {
      instruments.memoryHits.add()
      return found
    }
    if let found = await disk?.block(id) {
      instruments.diskHits.add()
      remember(id, found.bytes)
      return found.bytes
    }
    return nil
  }

  private func remember(_ id: BlockID, _ bytes: Bytes) {
    _ = memory.keep(id, bytes, weight: bytes.count)
    instruments.memoryBytes.set(Double(memory.weight))
  }

  /// - Parameter bytes: the block alone, in memory of its own.
  func keep(_ id: BlockID, _ info: ObjectInfo, _ bytes: Bytes) async {
    remember(id, bytes)
    guard let disk else { return }
    await disk.keep(CacheBlock(id: id, size: info.size, modified: info.modified, bytes: bytes))
    instruments.diskBytes.set(Double(disk.bytes))
  }

  // MARK: flights

  /// - Returns: true: the caller asks for the object, and lands the flight whatever comes; false: somebody did meanwhile,
  ///   look again.
  func takeOff(_ key: ObjectKey) async -> Bool {
    if stats.find(key) != nil { return false }
    guard flights[.stat(key)] != nil else {
      flights[.stat(key)] = []
      return true
    }
    await landing(of: .stat(key))
    return false
  }

  /// Waits for what somebody else fetches.
  func landing(of flight: Flight) async {
    guard flights[flight] != nil else { return }
    await withCheckedContinuation { flights[flight]!.append($0) }
  }

  /// Those of the blocks that nobody fetches or has fetched yet; the caller does.
  func takeOff(_ ids: [BlockID]) -> [BlockID] {
    let free = ids.filter { flights[.block($0)] == nil && memory.find($0) == nil }
    for id in free { flights[.block(id)] = [] }
    return free
  }

  func land(_ flight: Flight) {
    for waiting in flights.removeValue(forKey: flight) ?? [] { waiting.resume() }
  }
}

/// What the cache tells the metrics port.
struct CacheInstruments: Sendable {
  let memoryHits: Counter
  let diskHits: Counter
  let misses: Counter
  let fetchedBytes: Counter
  let memoryBytes: Gauge
  let diskBytes: Gauge

  init(_ registry: MetricsRegistry) {
    func blocks(_ outcome: String) -> Counter {
      registry.counter(
        "icegate_cache_blocks_total", help: "Blocks asked of the read cache, by where they were found.",
        labels: [("found", outcome)])
    }
    memoryHits = blocks("memory")
    diskHits = blocks("disk")
    misses = blocks("store")
    fetchedBytes = registry.counter(
      "icegate_cache_fetched_bytes_total", help: "Bytes that the read cache fetched from the store.")
    func bytes(_ tier: String) -> Gauge {
      registry.gauge("icegate_cache_bytes", help: "Bytes that the read cache holds, by tier.", labels: [("tier", tier)])
    }
    memoryBytes = bytes("memory")
    diskBytes = bytes("disk")
  }
}
