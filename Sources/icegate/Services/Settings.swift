import LakeAPI
import LakeCompression
import LakeHTTP
import LakeIngest
import LakeModel
import LakeOTLP
import LakeQuery
import LakeShift
import LakeSystem
import LakeWAL

extension TLSFiles {
  init(_ configuration: TLSConfiguration) {
    self.init(
      certificates: configuration.certificateFile, key: configuration.keyFile,
      clientAuthorities: configuration.clientAuthorityFile)
  }
}

extension QueueSettings {
  /// - Parameter basePath: the key prefix that `queue.common.base_path` comes to.
  init(_ configuration: QueueConfiguration, basePath: String) {
    self.init()
    self.basePath = basePath
    channelCapacity = configuration.channelCapacity
    rowGroupRowsMax = configuration.rowGroupRowsMax
    writeRetriesMax = configuration.writeRetries
    compression = CompressionCodec(configuration.compression)
    rowGroupsPerFlush = configuration.recordsPerFlushMultiplier
    flushBytesMax = configuration.flushBytesMax
    // Waiting and being written never hold less than two batches.
    queueBytesMax = max(queueBytesMax, 2 * configuration.flushBytesMax)
    flushDelayMax = configuration.flushInterval
    footersCachedMax = configuration.metadataEntriesMax
    isDedupEnabled = configuration.isDeduplicating
    dedupWindow = configuration.deduplicationWindow
  }
}

extension QueueSettings {
  /// A quarter of the process's memory for what waits, a quarter of that for one segment.
  mutating func fit(memoryBytes: Int?) {
    guard let memoryBytes else { return }
    queueBytesMax = min(queueBytesMax, memoryBytes / 4)
    flushBytesMax = min(flushBytesMax, queueBytesMax / 4)
  }
}

extension ShiftSettings {
  /// A quarter of the process's memory for the tasks at work.
  mutating func fit(memoryBytes: Int?) {
    guard let memoryBytes else { return }
    taskMemoryMax = min(taskMemoryMax, memoryBytes / 4 / max(1, workersMax))
  }
}

extension StorageConfiguration {
  /// The store as engines of Iceberg name it; keys are theirs to bring.
  var clientDefaults: [String: String] {
    guard case .s3(let s3) = backend else { return [:] }
    var defaults = ["client.region": s3.region, "s3.region": s3.region]
    if let endpoint = s3.endpoint { defaults["s3.endpoint"] = endpoint }
    if s3.usesPathStyle ?? (s3.endpoint != nil) { defaults["s3.path-style-access"] = "true" }
    return defaults
  }
}

extension CompressionCodec {
  init(_ name: QueueConfiguration.Compression) {
    switch name {
    case .none: self = .none
    case .snappy: self = .snappy
    case .gzip: self = .gzip
    case .brotli: self = .brotli
    case .lz4: self = .lz4raw
    case .zstd: self = .zstd
    case .lzo: preconditionFailure("refused when the configuration is read")
    }
  }
}

extension ShiftSettings {
  /// - Parameter processors: of this machine; half of them work on tasks unless the configuration says otherwise.
  init(_ configuration: ShiftConfiguration, processors: Int) {
    self.init()
    taskRowGroupsMax = configuration.taskRowGroupsMax
    taskInputBytesMax = configuration.taskInputBytesMax
    planReadsMax = configuration.planParallelism
    taskReadsMax = configuration.readParallelism
    rowGroupRows = configuration.rowGroupRows
    fileBytesMax = configuration.fileMiBMax << 20
    workersMax = configuration.workerCount ?? max(1, processors / 2)
    interval = configuration.interval
  }
}

extension QuerySettings {
  init(_ configuration: QueryConfiguration) {
    self.init()
    parallelism = configuration.engine.targetPartitions
    readsWAL = configuration.readsQueue
  }
}

extension OTLPHandler.Settings {
  init(tenancy: TenancyConfiguration, cors: CORSConfiguration, limits: IngestLimitsConfiguration) {
    self.init()
    invalidTenant = .init(tenancy)
    self.cors = CORSPolicy(
      allowedOrigins: cors.allowedOrigins, allowedHeaders: cors.allowedHeaders ?? CORSPolicy.usualHeaders,
      maxAgeSeconds: cors.maxAgeSeconds)
    self.limits.attributeKeysMax = limits.keysPerRequest
    self.limits.recordsMax = limits.recordsPerRequest
  }
}

extension TenantLimitTable {
  /// - Throws: when a tenant's name breaks the rules.
  init(_ configuration: IngestLimitsConfiguration) throws(Arguments.Wrong) {
    self.init(everybody: TenantLimits(configuration.everybody))
    for (name, limits) in configuration.tenants {
      guard let tenant = TenantID(name) else {
        throw Arguments.Wrong(description: "limits.tenants: `\(name)` is no tenant id")
      }
      tenants[tenant] = TenantLimits(limits)
    }
  }
}

extension TenantLimits {
  init(_ configuration: IngestLimitsConfiguration.Limits) {
    self.init()
    rate = RateLimit(
      bytesPerSecond: configuration.bytesPerSecond, bytesBurst: configuration.bytesBurst,
      recordsPerSecond: configuration.recordsPerSecond, recordsBurst: configuration.recordsBurst)
    records = RecordLimits(
      attributesMax: configuration.attributes, attributeBytesMax: configuration.attributeBytes,
      bodyBytesMax: configuration.bodyBytes, onExcess: configuration.onExcess == .reject ? .reject : .truncate)
    daysMax = configuration.days
  }
}

extension Tenancy.Invalid {
  init(_ configuration: TenancyConfiguration) {
    switch configuration.invalid {
    case .default: self = .default
    case .reject: self = .reject
    }
  }
}
