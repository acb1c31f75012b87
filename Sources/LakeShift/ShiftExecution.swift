import LakeIceberg
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeWAL

/// Carries out the tasks of a plan: reads row groups, derives rows, writes data files. Decides nothing.
struct ShiftExecution: Sendable {
  let access: QueueAccess
  let settings: ShiftSettings
  let target: TableTarget
  let derivation: any RowDerivation

  /// What a task could not read. The plan is made anew with it.
  struct Problems: Sendable {
    /// Failed twice, read past every cache (SHF-5).
    var badRowGroups: [SegmentID: [Int: String]] = [:]
    var unreadable: [SegmentID: String] = [:]

    var isEmpty: Bool { badRowGroups.isEmpty && unreadable.isEmpty }

    mutating func add(_ other: Problems) {
      badRowGroups.merge(other.badRowGroups) { $0.merging($1) { first, _ in first } }
      unreadable.merge(other.unreadable) { first, _ in first }
    }
  }

  /// What tasks came to.
  struct Outcome: Sendable {
    var files: [DataFile] = []
    var problems = Problems()
    /// When the oldest of the rows came in, in microseconds of the wall clock of whoever took it in; nil without rows.
    var oldest: Int64?
  }

  func run(_ tasks: [ShiftTask]) async throws(ShiftError) -> Outcome {
    let lots = ShiftTask.lots(tasks, limits: settings)
    let results = try await concurrently(lots, limit: settings.workersMax) { lot throws(ShiftError) in
      try await concurrently(lot, limit: lot.count) { task throws(ShiftError) in try await run(task) }
    }.flatMap { $0 }
    var outcome = Outcome(files: results.flatMap(\.files), oldest: results.compactMap(\.oldest).min())
    for result in results { outcome.problems.add(result.problems) }
    return outcome
  }

  private func run(_ task: ShiftTask) async throws(ShiftError) -> Outcome {
    let sources = task.sources.filter { derivation.needs($0.segment.metadata.rowGroups[$0.index]) }
    if sources.isEmpty { return Outcome() }
    let writer = DataFileWriter(ports: access.ports, settings: settings, target: target)
    let (groups, oldest, problems) = try await encoded(sources, writer)
    guard let groups, problems.isEmpty else { return Outcome(problems: problems) }
    return Outcome(files: try await writer.write(groups, key: task.key), oldest: oldest)
  }

  /// A function of its own, so that what was read is gone when the files are put together.
  private func encoded(
    _ sources: [WALRowGroup], _ writer: DataFileWriter
  ) async throws(ShiftError) -> (groups: [EncodedRowGroup]?, oldest: Int64?, problems: Problems) {
    let read = try await concurrently(sources, limit: settings.taskReadsMax) { source throws(ShiftError) in
      try await rows(of: source)
    }
    return try encode(consume read, writer)
  }

  private func encode(
    _ read: consuming [Read], _ writer: DataFileWriter
  ) throws(ShiftError) -> (groups: [EncodedRowGroup]?, oldest: Int64?, problems: Problems) {
    var problems = Problems()
    var parts: [ColumnBatch] = []
    for result in read {
      switch result {
      case .rows(let rows): parts.append(rows)
      case .problem(let problem): problems.add(problem)
      }
    }
    read = []
    guard problems.isEmpty, !parts.isEmpty else { return (nil, nil, problems) }
    let oldest = parts.compactMap { ShiftExecution.oldest(of: $0) }.min()
    let merge = SortedMerge(parts, order: target.table.sortOrder, rangeRows: writer.rowGroupRows)
    // Columns are given up one by one: nobody else may hold them.
    parts = []
    return (try writer.encode(consume merge), oldest, problems)
  }

  private static func oldest(of rows: ColumnBatch) -> Int64? {
    guard case .int64(let times)? = rows.column("ingested_timestamp")?.values else { return nil }
    return times.withValues { $0.min() }
  }

  private enum Read: Sendable {
    case rows(ColumnBatch)
    case problem(Problems)
  }

  private func rows(of source: WALRowGroup) async throws(ShiftError) -> Read {
    let id = source.segment.id
    var problems = Problems()
    let rows: ColumnBatch
    do throws(WALError) {
      do throws(WALError) {
        rows = try await read(source, isFresh: false)
      } catch {
        guard case .damaged = error else { throw error }
        rows = try await read(source, isFresh: true)
      }
    } catch {
      switch error {
      case .damaged(_, let message): problems.badRowGroups[id] = [source.index: message]
      case .store(let failure): problems.unreadable[id] = "\(failure)"
      case .cancelled: throw .cancelled
      // Somebody else has shifted and deleted it.
      default: throw .wal(error)
      }
      return .problem(problems)
    }
    do {
      return .rows(try derivation.derive(rows, table: target.schema))
    } catch {
      throw .unfit("\(target.table.name): \(error)")
    }
  }

  private func read(_ source: WALRowGroup, isFresh: Bool) async throws(WALError) -> ColumnBatch {
    var segment = source.segment
    if isFresh {
      segment = try await access.open(segment.id, size: segment.file.fileBytes, isFresh: true)
      guard segment.metadata == source.segment.metadata else {
        throw .damaged(segment.key, "changed while it was read")
      }
    }
    return try await access.rows(
      of: segment, rowGroup: source.index, columns: derivation.source(for: target.schema),
      dropping: source.droppedRequests, isFresh: isFresh)
  }
}
