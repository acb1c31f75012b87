import LakeSchema

/// Counters of a snapshot's summary. Source: Iceberg table specification, Appendix F, "Snapshot summary".
struct SnapshotSummary {
  private var counts: [String: Int64] = [:]
  private var partitions = Set<PartitionKey>()

  private struct PartitionKey: Hashable {
    let specID: Int
    let values: [Datum?]
  }

  mutating func add(_ file: DataFile) { count(file, "added", "added-data-files", "added-records") }
  mutating func remove(_ file: DataFile) { count(file, "removed", "deleted-data-files", "deleted-records") }

  private mutating func count(_ file: DataFile, _ verb: String, _ dataFiles: String, _ records: String) {
    partitions.insert(PartitionKey(specID: file.specID, values: file.partition))
    counts["\(verb)-files-size", default: 0] += file.fileSize
    switch file.content {
    case .data:
      counts[dataFiles, default: 0] += 1
      counts[records, default: 0] += file.recordCount
    case .positionDeletes:
      counts["\(verb)-delete-files", default: 0] += 1
      counts["\(verb)-position-delete-files", default: 0] += 1
      counts["\(verb)-position-deletes", default: 0] += file.recordCount
    case .equalityDeletes:
      counts["\(verb)-delete-files", default: 0] += 1
      counts["\(verb)-equality-delete-files", default: 0] += 1
      counts["\(verb)-equality-deletes", default: 0] += file.recordCount
    }
  }

  private static let totals: [(total: String, added: String, removed: String)] = [
    ("total-data-files", "added-data-files", "deleted-data-files"),
    ("total-records", "added-records", "deleted-records"),
    ("total-files-size", "added-files-size", "removed-files-size"),
    ("total-delete-files", "added-delete-files", "removed-delete-files"),
    ("total-position-deletes", "added-position-deletes", "removed-position-deletes"),
    ("total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"),
  ]

  /// - Parameter parent: the snapshot before; a total it does not know stays unknown.
  func entries(operation: String, after parent: Snapshot?) -> [String: String] {
    var entries: [String: String] = ["operation": operation]
    for (name, count) in counts where count > 0 { entries[name] = "\(count)" }
    if !partitions.isEmpty { entries["changed-partition-count"] = "\(partitions.count)" }
    for (total, added, removed) in Self.totals {
      let before: Int64? = if let parent { parent.summary[total].flatMap { Int64($0) } } else { 0 }
      guard let before else { continue }
      let after = before.addingReportingOverflow((counts[added] ?? 0) - (counts[removed] ?? 0))
      if !after.overflow, after.partialValue >= 0 { entries[total] = "\(after.partialValue)" }
    }
    return entries
  }
}
