import LakeCompression
package import LakeModel
import LakeParquet
package import LakeSchema

/// The rows of one request on their way into a segment.
package struct SegmentRequest: Sendable {
  /// Rows of the topic's table, all of one tenant and account.
  package let batch: ColumnBatch
  package let fingerprint: Fingerprint?

  package init(batch: ColumnBatch, fingerprint: Fingerprint?) {
    self.batch = batch
    self.fingerprint = fingerprint
  }
}

/// A segment ready to be put: the same bytes under the same key, as often as it takes (WAL-4).
package struct EncodedSegment: Sendable {
  package let bytes: Bytes
  package let metadata: SegmentMetadata

  package init(bytes: Bytes, metadata: SegmentMetadata) {
    self.bytes = bytes
    self.metadata = metadata
  }
}

/// Requests -> the bytes of one segment (WAL-3). Pure and heavy: call it off event loops.
package enum SegmentEncoder {
  /// The column that says which request a row came from, in the WAL only. Its id lies above all that tables use and
  /// below those that Iceberg reserves.
  package static let requestField = Field(2_147_483_000, "request", .int, required: true)

  /// - Parameter contentID: random, new for each segment.
  /// - Precondition: `requests` is not empty, and no batch is.
  package static func encode(
    _ requests: [SegmentRequest], topic: Topic, contentID: ContentID, settings: QueueSettings
  ) throws(WALError) -> EncodedSegment {
    guard let table = settings.tables[topic] else { throw .unfit("the topic \(topic.rawValue) has no table") }
    let rows = try merged(requests, table)
    let split: PartitionedRows
    do throws(PartitionError) {
      split = try rows.partitioned(sortedBy: table.sortOrder)
    } catch {
      throw .unfit("\(error)")
    }
    var shares = [[SegmentMetadata.Share]](repeating: [], count: requests.count)
    do throws(ParquetError) {
      var writer = try ParquetWriter(schema: rows.schema, layouts: layouts(table), options: options(table, settings))
      var groups: [SegmentMetadata.RowGroup] = []
      for part in split.parts {
        var start = part.range.lowerBound
        while start < part.range.upperBound {
          let range = start..<min(start + max(1, settings.rowGroupRowsMax), part.range.upperBound)
          // The writer keeps only the entries that a row group uses, so no tenant's values stand between another's. It goes
          // through the whole dictionary for that: too much for each of many small groups.
          let gathered = rows.gather(split.rows.slice(range))
          let group = range.count * 16 < rows.count ? gathered.compacted() : gathered
          count(group, rowGroup: groups.count, into: &shares)
          try writer.writeRowGroup(group)
          groups.append(
            .init(
              key: part.key, rowCount: group.count,
              mayHoldEvents: topic == .logs ? EventMarks.mayBeIn(group) : nil))
          start = range.upperBound
        }
      }
      let metadata = SegmentMetadata(
        contentID: contentID, topic: topic, rowGroups: groups,
        requests: zip(requests, shares).map { .init(fingerprint: $0.fingerprint, shares: $1) })
      let content = metadata.json
      writer.addKeyValue(SegmentMetadata.formatKey, SegmentMetadata.format)
      writer.addKeyValue(SegmentMetadata.contentKey, content)
      writer.addKeyValue(SegmentMetadata.checksumKey, SegmentMetadata.checksum(of: content))
      _ = try writer.finish()
      return EncodedSegment(bytes: Bytes.joined(writer.takeOutput()), metadata: metadata)
    } catch {
      throw .unfit("\(error)")
    }
  }

  /// The requests' rows one after another, with the request column behind the table's.
  private static func merged(_ requests: [SegmentRequest], _ table: LakeTable) throws(WALError) -> ColumnBatch {
    for request in requests where request.batch.schema != table.schema {
      throw .unfit("rows of another schema than that of \(table.name)")
    }
    let rows = ColumnBatch.concatenate(requests.map(\.batch), unitesDictionaries: false)
    let numbers = Buffer<Int32>(count: rows.count) { out in
      var at = out
      for (number, request) in requests.enumerated() {
        at.update(repeating: Int32(number), count: request.batch.count)
        at += request.batch.count
      }
    }
    return ColumnBatch(
      schema: segmentSchema(table.schema), columns: rows.columns + [Column(.int32(numbers), count: rows.count)],
      count: rows.count)
  }

  package static func segmentSchema(_ schema: Schema) -> Schema {
    Schema(id: schema.id, fields: schema.fields + [requestField])
  }

  /// Adds the rows of each request in this row group.
  private static func count(_ group: ColumnBatch, rowGroup: Int, into shares: inout [[SegmentMetadata.Share]]) {
    guard case .int32(let numbers) = group.columns[group.columns.count - 1].values else { return }
    var rows = [Int](repeating: 0, count: shares.count)
    numbers.withValues { for number in $0 { rows[Int(number)] += 1 } }
    for (request, rows) in rows.enumerated() where rows > 0 {
      shares[request].append(.init(rowGroup: rowGroup, rowCount: rows))
    }
  }

  /// The table's layouts without Bloom filters: a segment lives for a minute and has small row groups.
  private static func layouts(_ table: LakeTable) -> [ColumnLayout] {
    table.layouts.map { ColumnLayout($0.path, $0.encoding) }
  }

  private static func options(_ table: LakeTable, _ settings: QueueSettings) -> ParquetWriterOptions {
    var options = ParquetWriterOptions(sortOrder: table.sortOrder)
    options.codec = settings.compression
    options.writesPageIndex = false
    // Read once or twice and gone: what is saved here and when it is read outweighs a larger object.
    options.level = settings.compression == .zstd ? -20 : nil
    options.arrangesDictionaries = false
    return options
  }
}

extension Topic {
  /// The table whose rows the topic's segments hold.
  package var table: LakeTable? {
    switch self {
    case .logs: .logs
    case .spans: .spans
    case .metrics: .metrics
    case .operations: nil
    }
  }

  /// The tables that its lanes feed (WAL-3).
  package var consumers: [LakeTable] { LakeTable.all.filter { $0.topic == rawValue } }
}

extension Bytes {
  /// Pieces laid one after another.
  package static func joined(_ pieces: [Bytes]) -> Bytes {
    if pieces.count == 1 { return pieces[0] }
    let storage = RawStorage(capacity: pieces.reduce(0) { $0 + $1.count })
    var at = 0
    for piece in pieces where piece.count > 0 {
      piece.withUnsafeBytes { (storage.base + at).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
      at += piece.count
    }
    return Bytes(storage: storage, offset: 0, count: at)
  }
}
