import LakeAPI
import LakeCompression
import LakeQuery
import LakeShift
import LakeSystem
import LakeWAL

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

extension Tenancy.Invalid {
  init(_ configuration: TenancyConfiguration) {
    switch configuration.invalid {
    case .default: self = .default
    case .reject: self = .reject
    }
  }
}
