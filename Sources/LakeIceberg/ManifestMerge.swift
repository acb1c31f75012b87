package import LakeSchema

/// Small manifests put together, so that plans read few. The table properties `commit.manifest.*` say when.
package struct ManifestMerge: Sendable {
  /// Bytes of a merged manifest.
  package var targetSize: Int64
  /// Fewer small manifests than this are left alone.
  package var countMin: Int
  package var isEnabled: Bool

  package init(targetSize: Int64, countMin: Int, isEnabled: Bool = true) {
    self.targetSize = targetSize
    self.countMin = countMin
    self.isEnabled = isEnabled
  }

  package init(_ table: TableMetadata) {
    self.init(
      targetSize: Int64(
        table.properties.number(
          TableProperties.manifestTargetSize, default: TableProperties.manifestTargetSizeDefault)),
      countMin: table.properties.number(
        TableProperties.manifestMinCountToMerge, default: TableProperties.manifestMinCountToMergeDefault),
      isEnabled: table.properties.flag(TableProperties.manifestMergeEnabled, default: true))
  }

  /// Groups of manifests to merge, each of one partition spec and content, in the order of the list.
  package func plan(_ manifests: [ManifestFile]) -> [[ManifestFile]] {
    guard isEnabled else { return [] }
    var groups: [[ManifestFile]] = []
    for specID in Set(manifests.map(\.specID)).sorted() {
      for content in [ManifestFile.Content.data, .deletes] {
        let small = manifests.filter {
          $0.specID == specID && $0.content == content && $0.length < targetSize && $0.mayHoldLiveFiles
        }
        if small.count >= max(2, countMin) { groups += pack(small) }
      }
    }
    return groups
  }

  private func pack(_ manifests: [ManifestFile]) -> [[ManifestFile]] {
    var groups: [[ManifestFile]] = []
    var group: [ManifestFile] = []
    var size: Int64 = 0
    for manifest in manifests {
      if size + manifest.length > targetSize, !group.isEmpty {
        groups.append(group)
        group = []
        size = 0
      }
      group.append(manifest)
      size += manifest.length
    }
    return (groups + [group]).filter { $0.count > 1 }
  }

  /// The snapshot with the groups merged and the same files.
  ///
  /// - Parameter entries: of every manifest of the groups, by location.
  package func commit(
    _ groups: [[ManifestFile]], to table: TableMetadata, manifests: [ManifestFile],
    entries: [String: [ManifestEntry]], context: CommitContext
  ) throws(IcebergError) -> SnapshotCommit {
    var builder = try SnapshotBuilder(table: table, context: context)
    try Self.write(groups, manifests, entries, into: &builder)
    return try builder.finish(operation: "replace")
  }

  /// Writes each group as one manifest and keeps the others as they are.
  static func write(
    _ groups: [[ManifestFile]], _ manifests: [ManifestFile], _ entries: [String: [ManifestEntry]],
    into builder: inout SnapshotBuilder
  ) throws(IcebergError) {
    let merged = Set(groups.joined().map(\.path))
    guard merged.isSubset(of: Set(manifests.map(\.path))) else {
      throw .conflict("a manifest to merge is no longer in the table")
    }
    builder.keep(manifests.filter { !merged.contains($0.path) })
    for group in groups {
      var kept: [ManifestEntry] = []
      for manifest in group {
        guard let all = entries[manifest.path] else { throw .invalid("manifest \(manifest.path) was not given") }
        for var entry in all where entry.isLive {
          entry.status = .existing
          kept.append(entry)
        }
      }
      try builder.write(kept)
    }
  }
}
