package import LakePorts

/// What a `CachedStore` keeps, and where.
package struct CacheSettings: Sendable {
  /// `catalog.cache.memory_size_mb`, in bytes.
  package var memoryBytesMax = 256 << 20
  /// `catalog.cache.disk_dir`; nil: memory only.
  package var diskFolder: String?
  /// `catalog.cache.disk_size_mb`, in bytes.
  package var diskBytesMax = 0
  /// `catalog.cache.stat_ttl_secs`: how long an object is taken to be there without asking; nil: as long as it is known.
  package var statTTL: Duration?
  /// `catalog.cache.max_write_cache_size_mb`, in bytes: what is put and is no larger is kept; 0: nothing.
  package var writeBytesMax = 0
  /// `catalog.cache.prefetch.max_prefetch_bytes`: a first read near an object's end brings so much of that end.
  package var prefetchBytesMax = 1 << 20
  /// Objects are kept in blocks of this size.
  package var blockBytes = 256 << 10
  /// Objects whose stats are remembered.
  package var statsMax = 100_000
  /// Which objects never change once they are there; all others are passed through.
  package var isImmutable: @Sendable (ObjectKey) -> Bool = CacheSettings.isLakeFile

  package init() {}

  /// Segments, data files, manifests and metadata files: each is written once under a name of its own. Pointers of an
  /// object-store catalog are not among them.
  package static let isLakeFile: @Sendable (ObjectKey) -> Bool = { key in
    [".parquet", ".avro", ".metadata.json", ".puffin", ".orc"].contains { key.text.hasSuffix($0) }
  }
}
