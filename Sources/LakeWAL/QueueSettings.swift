package import LakeCompression
package import LakeModel
package import LakeSchema

/// The manual's `queue.*` settings, and ours beside them.
package struct QueueSettings: Sendable {
  /// `queue.common.base_path`: where the lanes lie in the store, no slash at either end.
  package var basePath = "queue"
  /// `queue.common.channel_capacity`: requests of one topic that may wait for a lane; more are refused at once (WAL-7).
  package var channelCapacity = 1024
  /// `queue.common.max_row_group_size`: most rows of a row group.
  package var rowGroupRowsMax = 8192

  /// `queue.write.write_retries`: further attempts after a put that certainly failed. Unknown outcomes are not counted:
  /// they are tried again until they are known, or until nobody waits any more (WAL-4).
  package var writeRetriesMax = 5
  /// `queue.write.compression`
  package var compression = CompressionCodec.zstd
  /// `queue.write.records_per_flush_multiplier`: a batch is written once it holds this many full row groups of rows, ...
  package var rowGroupsPerFlush = 1
  /// `queue.write.max_bytes_per_flush`: ... or this much memory; no segment takes more, and no request may.
  package var flushBytesMax = 64 << 20
  /// `queue.write.flush_interval_ms`: ... or has waited this long.
  package var flushDelayMax = Duration.milliseconds(200)
  /// ... or holds this many rows or this much memory and nothing came for this long: callers that wait for an answer send nothing, and
  /// waiting for them would only delay everybody.
  package var flushQuietRows = 512
  package var flushQuietBytes = 512 << 10
  package var flushQuietDelay = Duration.milliseconds(5)

  /// `queue.read.metadata_entries_cache_capacity`: footers kept in memory.
  package var footersCachedMax = 2048
  /// `engine.wal_metadata_size_hint`: bytes of a segment's end that are fetched to find its footer.
  package var footerBytesHint = 64 << 10

  /// `queue.dedup.enabled` (DUP-6).
  package var isDedupEnabled = true
  /// `queue.dedup.window`: a repeat received so long after the commit is still recognised (DUP-5).
  package var dedupWindow = Duration.seconds(600)
  /// Requests remembered at the front; economy only (DUP-3).
  package var dedupEntriesMax = 100_000

  /// Lanes of one topic, and so segments being written at once (WAL-2).
  package var lanesMax = 4
  /// Memory of all requests that wait or are being written (WAL-7).
  package var queueBytesMax = 256 << 20
  /// From receipt to acknowledgement (WAL-5).
  package var ackDelayMax = Duration.seconds(30)
  /// The writer ends its lane after so long (WAL-6).
  package var laneAgeMax = Duration.seconds(300)
  /// A lane that has not moved for so long is ended by the shift (WAL-6).
  package var laneIdleMax = Duration.seconds(900)

  /// The table whose rows the segments of a topic hold: the lake's own, unless a simulation lays narrower ones beneath.
  package var tables: [Topic: LakeTable] = Dictionary(
    uniqueKeysWithValues: Topic.allCases.compactMap { topic in topic.table.map { (topic, $0) } })

  package init() {}

  /// The wait that covers whatever a paused writer may still do: `10 x ackDelayMax` of DUP-5 and DEL-1.
  package var settleDelay: Duration { ackDelayMax * 10 }
  /// Rows that make a batch worth writing.
  package var flushRows: Int { rowGroupRowsMax * rowGroupsPerFlush }
}
