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

  private var keptLists: Set<String> = []
  private var expiredLists: Set<String> = []
  private var kept: [String: ManifestFile] = [:]
  private var expired: [String: ManifestFile] = [:]
  private var candidates: Set<String> = []
  private var live: Set<String> = []

  package init() {}

  package init(kept: [List], expired: [List]) {
    for list in kept { add(kept: list) }
    for list in expired { add(expired: list) }
  }

  /// Lists are many and name mostly the same manifests: they may be added one by one, in any order.
  package mutating func add(kept list: List) {
    keptLists.insert(list.location)
    for manifest in list.manifests { kept[manifest.path] = manifest }
  }

  package mutating func add(expired list: List) {
    expiredLists.insert(list.location)
    for manifest in list.manifests { expired[manifest.path] = manifest }
  }

  private var unreachable: [ManifestFile] {
    expired.values.filter { kept[$0.path] == nil }.sorted { $0.path < $1.path }
  }

  /// Without unreachable manifests no data file can have become unreachable, and none is read.
  package var manifestsToRead: [ManifestFile] {
    let unreachable = unreachable
    return unreachable.isEmpty ? [] : unreachable + kept.values.sorted { $0.path < $1.path }
  }

  /// - Parameter entries: of one of `manifestsToRead`, deleted ones included.
  package mutating func add(_ entries: [ManifestEntry], of manifest: ManifestFile) {
    let isKept = kept[manifest.path] != nil
    for entry in entries {
      if isKept {
        if entry.isLive { live.insert(entry.file.path) }
      } else {
        candidates.insert(entry.file.path)
      }
    }
  }

  /// Locations: data and delete files, then manifests, then manifest lists, each ascending.
  /// - Precondition: every one of `manifestsToRead` was added.
  package func result() -> [String] {
    candidates.subtracting(live).sorted() + unreachable.map(\.path) + expiredLists.subtracting(keptLists).sorted()
  }
}
