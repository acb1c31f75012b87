package import LakeModel
package import LakeSchema

/// A commit made ready: upload the objects, then commit the updates with the requirements.
///
/// Nothing here has touched the outside. On `.conflict` load the table again and build a new commit on it (the data files
/// stay good); objects uploaded for a commit that lost are orphans.
package struct SnapshotCommit: Sendable {
  package struct Upload: Sendable {
    /// Absolute location, fresh: put with `ifAbsent`.
    package let location: String
    package let bytes: Bytes

    package init(location: String, bytes: Bytes) {
      self.location = location
      self.bytes = bytes
    }
  }

  /// In order: manifests first, the manifest list last.
  package let uploads: [Upload]
  package let requirements: [TableRequirement]
  package let updates: [TableUpdate]
  package let snapshot: Snapshot

  package init(
    uploads: [Upload], requirements: [TableRequirement], updates: [TableUpdate], snapshot: Snapshot
  ) {
    self.uploads = uploads
    self.requirements = requirements
    self.updates = updates
    self.snapshot = snapshot
  }
}

/// What every commit needs from its surroundings.
package struct CommitContext: Sendable {
  /// Positive and random.
  package var snapshotID: Int64
  /// Random, one for each attempt: names of manifests and manifest list hold it.
  package var commitUUID: String
  /// Milliseconds since the epoch. Where the wall clock went back, the last snapshot's time is taken instead.
  package var now: Int64
  /// Table properties set in the same commit (`icegate.queue.state`); they change together with the snapshot or not at all.
  package var properties: [String: String]
  /// Added to the snapshot's summary (`icegate.queue.generation`).
  package var summary: [String: String]

  package init(
    snapshotID: Int64, commitUUID: String, now: Int64, properties: [String: String] = [:],
    summary: [String: String] = [:]
  ) {
    self.snapshotID = snapshotID
    self.commitUUID = commitUUID
    self.now = now
    self.properties = properties
    self.summary = summary
  }
}
