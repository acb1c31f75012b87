import Glibc
import LakeCatalogs
import LakeNet
import LakePorts
import LakeStorage
import LakeSystem

/// Opens the ports of a process: which store, which catalog, where.
struct Outside {
  let environment: @Sendable (String) -> String?
  let clock = SystemClock()
  let wall = SystemWallClock()
  let random = SystemRandomness()
  let journal: StdoutJournal
  let metrics = MetricsRegistry()
  /// Started when a first request of ours needs it.
  private let network = Network()

  static let storeThreads = 8

  init(environment: @escaping @Sendable (String) -> String? = Outside.processEnvironment) throws {
    self.environment = environment
    journal = StdoutJournal(filter: try Outside.logFilter(environment), wall: wall)
  }

  static let processEnvironment: @Sendable (String) -> String? = { name in getenv(name).map { String(cString: $0) } }

  /// `ICEGATE_LOG`, or its old name.
  private static func logFilter(_ environment: (String) -> String?) throws -> LogFilter {
    for name in ["ICEGATE_LOG", "RUST_LOG"] {
      if let text = environment(name) { return try LogFilter(text) }
    }
    return .standard
  }

  func ports(_ configuration: some ServiceConfiguration) async throws -> Ports {
    let places = try Places(configuration)
    let keys = keys(configuration.storage)
    let store = try store(configuration.storage, keys)
    if let buckets = store as? S3Buckets { try await refuseExpiry(buckets, places, configuration.facts) }
    let catalog = try await catalog(configuration, places, store, keys)
    return Ports(
      clock: clock, wall: wall, random: random, store: store, catalog: catalog, warehouse: places.mapping,
      journal: journal, metrics: metrics)
  }

  /// A bucket that deletes by age would delete rows that are not shifted yet, and files that tables name (PRT-3).
  private func refuseExpiry(_ store: S3Buckets, _ places: Places, _ facts: ConfigFacts) async throws {
    let tables = places.tables.flatMap { try? places.mapping.key(of: "\($0)/x").text.dropLast() }.map(String.init)
    for (key, place) in [("queue.common.base_path", places.queue.map { $0 + "/" }), ("catalog.warehouse", tables)] {
      guard let place, let slash = place.firstIndex(of: "/") else { continue }
      let prefix = place[place.index(after: slash)...]
      guard let rules = try await store.store(ofBucket: String(place[..<slash])).expiringPrefixes() else {
        journal.note(.info, "store.expiry_unknown", [("bucket", String(place[..<slash]))])
        continue
      }
      for rule in rules where prefix.hasPrefix(rule) || rule.hasPrefix(prefix) {
        throw facts.refusal(
          key,
          "lies under a rule of the bucket that deletes what begins with `\(rule)` by age: rows would be lost; allowed: a place without one"
        )
      }
    }
  }

  /// What queries read through; nil without a `catalog.cache` section.
  func cached(_ ports: Ports, _ configuration: CacheConfiguration?) -> (any ObjectStore)? {
    guard let configuration, configuration.isEnabled else { return nil }
    var settings = CacheSettings()
    settings.memoryBytesMax = configuration.memoryMiB << 20
    settings.diskFolder = configuration.diskDirectory
    settings.diskBytesMax = configuration.diskMiB << 20
    settings.statTTL = configuration.statTTL
    settings.writeBytesMax = (configuration.writeMiBMax ?? 0) << 20
    settings.prefetchBytesMax = configuration.prefetchBytesMax
    return CachedStore(
      base: ports.store, settings: settings, clock: clock, wall: wall, metrics: ports.metrics,
      pool: BlockingPool(threads: Outside.storeThreads))
  }

  private func store(_ configuration: StorageConfiguration, _ keys: VendedCredentials) throws -> any ObjectStore {
    switch configuration.backend {
    case .memory: return MemoryObjectStore()
    case .filesystem(let root): return try fileStore(root: root)
    case .s3(let s3):
      let settings = S3Settings(
        bucket: s3.bucket, region: s3.region, endpoint: s3.endpoint, usesPathStyle: s3.usesPathStyle)
      return S3Buckets(
        settings: settings, transport: network.transport, credentials: keys, clock: clock, wall: wall, random: random,
        metrics: metrics)
    }
  }

  /// The configured keys, or those found where AWS's tools look; and what catalogs give out with tables.
  private func keys(_ configuration: StorageConfiguration) -> VendedCredentials {
    var given: AWSCredentials?
    var region = "us-east-1"
    if case .s3(let s3) = configuration.backend {
      region = s3.region
      given = s3.accessKeyID.map {
        AWSCredentials(accessKeyID: $0, secretAccessKey: s3.secretAccessKey ?? "", sessionToken: s3.sessionToken)
      }
    }
    let sources = CredentialChain.Sources(
      given: given, environment: environment, readFile: SmallFile.text, region: region)
    return VendedCredentials(
      standard: CredentialChain(sources: sources, transport: network.transport, wall: wall), wall: wall)
  }

  /// - Parameter root: an absolute path; the folder is created.
  func fileStore(root: String) throws -> FileObjectStore {
    let pool = BlockingPool(threads: Outside.storeThreads)
    let files = try PosixFiles(root: root, pool: pool, random: random, wall: wall)
    return FileObjectStore(files: files, random: random)
  }

  private func catalog(
    _ configuration: some ServiceConfiguration, _ places: Places, _ store: any ObjectStore, _ keys: VendedCredentials
  ) async throws -> any Catalog {
    let tables = places.tables ?? configuration.catalog.warehouse
    switch configuration.catalog.backend {
    case .memory: return MemoryCatalog(warehouse: WarehouseLocation(trusted: tables), random: random, wall: wall)
    case .sqlite(let path):
      return SQLiteCatalog(
        path: path, store: store, warehouse: places.mapping, tables: tables, random: random, wall: wall,
        mayBlockHere: { BlockingPool.mayBlockHere })
    case .objectStore:
      let catalog = try ObjectStoreCatalog(
        store: store, warehouse: places.mapping, tables: tables, random: random, wall: wall)
      // Without If-Match, two commits on one base would both win.
      let folder = try places.mapping.key(of: "\(tables)/.icegate-catalog/probe")
      try await StoreProbe(store: store, random: random).run(prefix: "\(folder)/", needsReplacement: true)
      return catalog
    case .rest(let uri):
      let properties = Dictionary(configuration.catalog.properties.map { ($0.key, $0.value) }) { $1 }
      return RESTCatalog(
        settings: RESTCatalogSettings(uri: uri, warehouse: configuration.catalog.warehouse, properties: properties),
        transport: network.transport, credentials: keys, vended: keys, clock: clock, wall: wall, random: random)
    case .glue(let catalogID):
      return GlueCatalog(
        service: service("glue", configuration, keys), catalogID: catalogID, store: store, warehouse: places.mapping,
        tables: tables)
    case .s3tables(let arn):
      return S3TablesCatalog(
        service: service("s3tables", configuration, keys), tableBucket: arn, store: store, warehouse: places.mapping)
    }
  }

  /// - Parameter name: as AWS calls it; `<name>.endpoint` and `<name>.region` of the catalog's properties count.
  private func service(_ name: String, _ configuration: some ServiceConfiguration, _ keys: VendedCredentials)
    -> AWSService
  {
    let properties = Dictionary(configuration.catalog.properties.map { ($0.key, $0.value) }) { $1 }
    var region = "us-east-1"
    if case .s3(let s3) = configuration.storage.backend { region = s3.region }
    if case .s3tables(let arn) = configuration.catalog.backend {
      let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
      if parts.count > 3, !parts[3].isEmpty { region = String(parts[3]) }
    }
    let settings = AWSService.Settings(
      region: properties["\(name).region"] ?? region, endpoint: properties["\(name).endpoint"])
    return AWSService(
      name: name, settings: settings, transport: network.transport, credentials: keys, clock: clock, wall: wall,
      random: random)
  }

  static var transport: any HTTPTransport { Network().transport }

  /// Requests of ours go over one transport, whose thread starts with the first of them.
  private final class Network: Sendable {
    var transport: CurlTransport { Network.shared }
    private static let shared = CurlTransport()
  }
}

/// Files of a few lines: tokens and credentials.
enum SmallFile {
  private static let bytesMax = 1 << 20

  /// - Returns: nil when it cannot be read.
  static let text: @Sendable (String) -> String? = { path in
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: bytesMax)
    let count = fread(&bytes, 1, bytesMax, file)
    return ferror(file) == 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
  }
}
