import LakeCompression
import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

/// Rows of one partition in table order -> data files: encoded in row groups, laid into files, uploaded.
struct DataFileWriter: Sendable {
  let ports: Ports
  let settings: ShiftSettings
  let target: TableTarget

  /// Column by column, so that of what came in each column is gone once all row groups have it.
  func encode(_ rows: consuming SortedMerge) throws(ShiftError) -> [EncodedRowGroup] {
    do throws(ParquetError) {
      let writer = try fileWriter()
      let compressor = Compressor()
      var groups = [[EncodedColumn]](repeating: [], count: rows.ranges.count)
      for field in target.schema.fields.indices {
        try rows.takeColumn(field) { group, column throws(ParquetError) in
          groups[group].append(try writer.encode(column, field: field, compressor))
        }
      }
      return zip(groups, rows.ranges).map { EncodedRowGroup($0, rowCount: $1.count) }
    } catch {
      throw .unfit("\(target.table.name): \(error)")
    }
  }

  /// - Parameter groups: of one partition, in table order.
  /// - Returns: descriptions of files whose upload was answered (SHF-3), in the order of their rows.
  func write(_ groups: [EncodedRowGroup], key: PartitionKey) async throws(ShiftError) -> [DataFile] {
    var files: [DataFile] = []
    var start = 0
    while start < groups.count {
      let (file, summary, end) = try file(groups, from: start)
      let location = try await Uploader(ports: ports).upload(file, below: target.directory(of: key), suffix: ".parquet")
      files.append(try describe(location, summary, key))
      start = end
    }
    return files
  }

  /// Rows of a row group: see README.md, "Row groups of data files".
  func rowGroupRows(_ rowCount: Int, memoryBytes: Int) -> Int {
    let bytesPerRow = max(1, memoryBytes / rowCount)
    let wanted = max(
      settings.rowGroupRows, min(DataFileWriter.rowGroupRowsTarget, DataFileWriter.rowGroupBytesTarget / bytesPerRow))
    // Equal parts rather than full ones and a small rest; a little too large rather than half empty.
    let most = wanted + wanted / 8
    let count = (rowCount + most - 1) / most
    return (rowCount + count - 1) / count
  }

  static let rowGroupRowsTarget = 131_072
  static let rowGroupBytesTarget = 128 << 20

  /// Lays one file out from a row group on, until they or the file are full.
  private func file(
    _ groups: [EncodedRowGroup], from start: Int
  ) throws(ShiftError) -> (Bytes, ParquetFileSummary, end: Int) {
    do throws(ParquetError) {
      var writer = try fileWriter()
      var at = start
      while at < groups.count && (at == start || writer.bytesWritten < settings.fileBytesMax) {
        writer.append(groups[at])
        at += 1
      }
      let summary = try writer.finish()
      return (Bytes.joined(writer.takeOutput()), summary, at)
    } catch {
      throw .unfit("\(target.table.name): \(error)")
    }
  }

  private func fileWriter() throws(ParquetError) -> ParquetWriter {
    let properties = target.state.metadata.properties
    return try ParquetWriter(
      schema: target.schema, layouts: target.table.layouts(properties: properties),
      options: ParquetWriterOptions(sortOrder: target.table.sortOrder, properties: properties))
  }

  private func describe(_ location: String, _ summary: ParquetFileSummary, _ key: PartitionKey) throws(ShiftError)
    -> DataFile
  {
    DataFile(
      path: location, specID: target.spec.id, partition: target.partition(of: key),
      recordCount: Int64(summary.rowCount), fileSize: Int64(summary.bytes),
      metrics: FileMetrics(summary, target: target), splitOffsets: summary.rowGroupOffsets.map { Int64($0) },
      sortOrderID: target.sortOrderID)
  }
}

/// Puts objects under fresh names until one is answered (SHF-3).
struct Uploader: Sendable {
  let ports: Ports

  private static let attemptsMax = 6
  private static let singlePutBytesMax = 16 << 20
  private static let partBytes = 8 << 20

  /// - Returns: the location of an object whose upload was answered.
  func upload(_ bytes: Bytes, below directory: String, suffix: String) async throws(ShiftError) -> String {
    var failure = ObjectStoreError.unavailable("no attempt was made")
    for attempt in 0..<Uploader.attemptsMax {
      if attempt > 0 { try await Backoff(ports: ports).rest(attempt) }
      // A name that was tried may stand, or may yet appear: never twice.
      let location = "\(directory)/\(ports.random.uuid())\(suffix)"
      let key: ObjectKey
      do throws(WarehouseError) {
        key = try ports.warehouse.key(of: location)
      } catch {
        throw .unfit("\(error)")
      }
      do throws(ObjectStoreError) {
        try await put(key, bytes)
        return location
      } catch {
        if case .outcomeUnknown = error, ports.hasPlanted(.commitUnansweredUpload) { return location }
        failure = error
        ports.journal.note(.debug, "shift.upload.again", [("key", key.text)])
        switch error {
        case .outcomeUnknown, .unavailable, .throttled, .preconditionFailed: continue
        case .cancelled: throw .cancelled
        default: throw .store(error)
        }
      }
    }
    throw .store(failure)
  }

  private func put(_ key: ObjectKey, _ bytes: Bytes) async throws(ObjectStoreError) {
    if bytes.count <= Uploader.singlePutBytesMax {
      _ = try await ports.store.put(key, bytes, condition: .ifAbsent)
      return
    }
    let upload = try await ports.store.beginUpload(key)
    do throws(ObjectStoreError) {
      var at = 0
      while at < bytes.count {
        let end = bytes.count - at < 2 * Uploader.partBytes ? bytes.count : at + Uploader.partBytes
        try await upload.append(bytes[at..<end])
        at = end
      }
      _ = try await upload.complete()
    } catch {
      await upload.abort()
      throw error
    }
  }
}

/// Rests between attempts: doubling, with chance.
struct Backoff: Sendable {
  let ports: Ports

  func rest(_ attempt: Int) async throws(ShiftError) {
    let base = Duration.milliseconds(min(5000, 50 << min(attempt, 7)))
    do {
      try await ports.clock.sleep(for: base + base * ports.random.uniform(0..<512) / 512)
    } catch {
      throw .cancelled
    }
  }
}
