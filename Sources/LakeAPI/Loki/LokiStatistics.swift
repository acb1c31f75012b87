import LakeJSON
import LakeModel
import LakeQuery

/// Statistics of a query in Loki's shape: a data file or a WAL segment is a chunk, what was not there is 0.
enum LokiStatistics {
  static func write(_ statistics: QueryStatistics, _ json: inout JSONWriter) {
    json.object { json in
      json.key("summary")
      summary(statistics, &json)
      json.key("querier")
      json.object { json in
        json.key("store")
        store(
          &json, found: statistics.filesTotal, read: statistics.filesTotal - statistics.filesPruned,
          lines: statistics.rowsRead, bytes: statistics.bytesProcessed, fetched: statistics.bytesFetched,
          matched: statistics.rowsMatched)
      }
      json.key("ingester")
      json.object { json in
        json.member("totalReached", statistics.segmentsTotal > 0 ? 1 : 0)
        json.member("totalChunksMatched", statistics.segmentsTotal)
        json.member("totalBatches", 0)
        json.member("totalLinesSent", 0)
        json.key("store")
        json.raw(emptyStore)
      }
      json.key("cache")
      caches(statistics, &json)
      json.key("index")
      json.object { json in
        json.member("totalChunks", statistics.rowGroupsTotal)
        json.member("postFilterChunks", statistics.rowGroupsTotal - statistics.rowGroupsPruned)
        json.member("shardsDuration", 0)
        json.member("usedBloomFilters", false)
        json.member("totalStreams", 0)
      }
    }
  }

  private static func summary(_ statistics: QueryStatistics, _ json: inout JSONWriter) {
    let seconds = Double(max(0, statistics.elapsed.nanoseconds)) / 1e9
    func perSecond(_ count: Int) -> Int { seconds > 0 ? Int(min(Double(count) / seconds, 9e15)) : 0 }
    json.object { json in
      json.member("bytesProcessedPerSecond", perSecond(statistics.bytesProcessed))
      json.member("linesProcessedPerSecond", perSecond(statistics.rowsRead))
      json.member("totalBytesProcessed", statistics.bytesProcessed)
      json.member("totalLinesProcessed", statistics.rowsRead)
      json.member("execTime", seconds)
      json.member("queueTime", Double(LokiRequestContext.queued.nanoseconds) / 1e9)
      json.member("subqueries", 0)
      json.member("totalEntriesReturned", statistics.resultCount)
      json.member("splits", 0)
      json.member("shards", 0)
      json.member("totalPostFilterLines", statistics.rowsMatched)
      json.member(
        "totalStructuredMetadataBytesProcessed", statistics.bytesProcessed - statistics.lineBytesProcessed)
    }
  }

  private static let emptyStore = text { store(&$0, found: 0, read: 0, lines: 0, bytes: 0, fetched: 0, matched: 0) }

  /// What is the same in every answer is written once.
  private static func text(_ write: (inout JSONWriter) -> Void) -> String {
    var json = JSONWriter()
    write(&json)
    return json.finish().withUnsafeBytes { String(decoding: $0, as: UTF8.self) }
  }

  private static func store(
    _ json: inout JSONWriter, found: Int, read: Int, lines: Int, bytes: Int, fetched: Int, matched: Int
  ) {
    json.object { json in
      json.member("totalChunksRef", found)
      json.member("totalChunksDownloaded", read)
      json.member("chunksDownloadTime", 0)
      json.member("queryReferencedStructuredMetadata", false)
      json.key("chunk")
      json.object { json in
        json.member("headChunkBytes", 0)
        json.member("headChunkLines", 0)
        json.member("decompressedBytes", bytes)
        json.member("decompressedLines", lines)
        json.member("compressedBytes", fetched)
        json.member("totalDuplicates", 0)
        json.member("postFilterLines", matched)
        json.member("headChunkStructuredMetadataBytes", 0)
        json.member("decompressedStructuredMetadataBytes", 0)
      }
      json.member("chunkRefsFetchTime", 0)
      json.member("congestionControlLatency", 0)
      json.member("pipelineWrapperFilteredLines", 0)
    }
  }

  private static func caches(_ statistics: QueryStatistics, _ json: inout JSONWriter) {
    json.object { json in
      json.key("chunk")
      cache(&json, hits: statistics.cacheHits, misses: statistics.cacheMisses)
      for name in ["index", "result", "statsResult", "volumeResult", "seriesResult", "labelResult"] {
        json.key(name)
        json.raw(emptyCache)
      }
    }
  }

  private static let emptyCache = text { cache(&$0, hits: 0, misses: 0) }

  private static func cache(_ json: inout JSONWriter, hits: Int, misses: Int) {
    json.object { json in
      json.member("entriesFound", hits)
      json.member("entriesRequested", hits + misses)
      json.member("entriesStored", misses)
      json.member("bytesReceived", 0)
      json.member("bytesSent", 0)
      json.member("requests", hits + misses)
      json.member("downloadTime", 0)
    }
  }
}
