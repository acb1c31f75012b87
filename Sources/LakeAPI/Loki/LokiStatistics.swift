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
        store(&json, found: 0, read: 0, lines: 0, bytes: 0, fetched: 0, matched: 0)
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
      for name in ["chunk", "index", "result", "statsResult", "volumeResult", "seriesResult", "labelResult"] {
        let isData = name == "chunk"
        json.key(name)
        json.object { json in
          json.member("entriesFound", isData ? statistics.cacheHits : 0)
          json.member("entriesRequested", isData ? statistics.cacheHits + statistics.cacheMisses : 0)
          json.member("entriesStored", isData ? statistics.cacheMisses : 0)
          json.member("bytesReceived", 0)
          json.member("bytesSent", 0)
          json.member("requests", isData ? statistics.cacheHits + statistics.cacheMisses : 0)
          json.member("downloadTime", 0)
        }
      }
    }
  }
}
