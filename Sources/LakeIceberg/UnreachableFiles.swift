/// Which files nothing leads to any more once some snapshots have been expired. Two steps, because the second needs
/// manifests read:
///
///     var files = UnreachableFiles(kept: lists of kept snapshots, expired: lists of expired ones)
///     for manifest in files.manifestsToRead { files.add(entries of manifest, of: manifest) }
///     delete(files.result())
///
/// Delete only after the commit that expired the snapshots is known, and never what a commit in flight may name (DEL-3).
package struct UnreachableFiles: Sendable {
  /// A snapshot's manifest list, decoded.
  package struct List: Sendable {
    package let location: String
    package let manifests: [ManifestFile]

    package init(location: String, manifests: [ManifestFile]) {
      self.location = location
      self.manifests = manifests
    }
  }

  private let lists: [String]
  private let unreachable: [ManifestFile]
  private let reachable: [ManifestFile]
  private var candidates: Set<String> = []
  private var live: Set<String> = []

  package init(kept: [List], expired: [List]) {
    let keptLists = Set(kept.map(\.location))
    lists = expired.map(\.location).filter { !keptLists.contains($0) }
    var byPath: [String: ManifestFile] = [:]
    for list in kept { for manifest in list.manifests { byPath[manifest.path] = manifest } }
    reachable = byPath.values.sorted { $0.path < $1.path }
    var gone: [String: ManifestFile] = [:]
    for list in expired {
      for manifest in list.manifests where byPath[manifest.path] == nil { gone[manifest.path] = manifest }
    }
    unreachable = gone.values.sorted { $0.path < $1.path }
  }

  /// Without unreachable manifests no data file can have become unreachable, and none is read.
  package var manifestsToRead: [ManifestFile] { unreachable.isEmpty ? [] : unreachable + reachable }

  /// - Parameter entries: of one of `manifestsToRead`, deleted ones included.
  package mutating func add(_ entries: [ManifestEntry], of manifest: ManifestFile) {
    let isReachable = !unreachable.contains { $0.path == manifest.path }
    for entry in entries {
      if isReachable {
        if entry.isLive { live.insert(entry.file.path) }
      } else {
        candidates.insert(entry.file.path)
      }
    }
  }

  /// Locations: data and delete files, then manifests, then manifest lists, each ascending.
  /// - Precondition: every one of `manifestsToRead` was added.
  package func result() -> [String] {
    candidates.subtracting(live).sorted() + unreachable.map(\.path) + lists.sorted()
  }
}
