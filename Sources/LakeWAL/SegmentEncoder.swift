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
    let (rows, parts) = try sorted(requests, table)
    var shares = [[SegmentMetadata.Share]](repeating: [], count: requests.count)
    do throws(ParquetError) {
      var writer = try ParquetWriter(schema: rows.schema, layouts: layouts(table), options: options(table, settings))
      var groups: [SegmentMetadata.RowGroup] = []
      for part in parts {
        var start = part.range.lowerBound
        while start < part.range.upperBound {
          let range = start..<min(start + max(1, settings.rowGroupRowsMax), part.range.upperBound)
          // The writer keeps only the entries that a row group uses, so no tenant's values stand between another's. It goes
          // through the whole dictionary for that: too much for each of many small groups.
          let slice = rows.slice(range)
          let group = range.count * 16 < rows.count ? slice.compacted() : slice
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

  /// The requests' rows partition by partition in table order, with the request column behind the table's. What says where they go
  /// is laid end to end, everything else goes straight to its place.
  private static func sorted(
    _ requests: [SegmentRequest], _ table: LakeTable
  ) throws(WALError) -> (rows: ColumnBatch, parts: [PartitionedRows.Part]) {
    for request in requests where request.batch.schema != table.schema {
      throw .unfit("rows of another schema than that of \(table.name)")
    }
    let batches = requests.map(\.batch)
    let split: PartitionedRows
    do throws(PartitionError) {
      split = try keys(batches, table).partitioned(sortedBy: table.sortOrder)
    } catch {
      throw .unfit("\(error)")
    }
    let places = PartRows(batches.map(\.count)).gather(split.rows)
    var columns = table.schema.fields.indices.map { field in
      ColumnParts(batches.map { $0.columns[field] }).gather(places)
    }
    columns.append(Column(.int32(places.parts), count: places.count))
    let schema = segmentSchema(table.schema)
    return (ColumnBatch(schema: schema, columns: columns, count: places.count), split.parts)
  }

  /// The columns that partition and order are made of.
  private static func keys(_ batches: [ColumnBatch], _ table: LakeTable) -> ColumnBatch {
    let ids = Set((table.partitionSpec.fields.map(\.sourceID)) + table.sortOrder.fields.map(\.sourceID))
    let fields = table.schema.fields.indices.filter { ids.contains(table.schema.fields[$0].id) }
    return ColumnBatch(
      schema: Schema(id: table.schema.id, fields: fields.map { table.schema.fields[$0] }),
      columns: fields.map { field in Column.concatenate(batches.map { $0.columns[field] }) },
      count: batches.reduce(0) { $0 + $1.count })
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
    options.level = settings.compression == .zstd ? -40 : nil
    options.compressedShareMax = 0.5
    options.arrangesDictionaries = false
    options.unitesDictionaries = false
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
