package import LakeModel
package import LakePorts
import Synchronization

/// Footers and fingerprint objects that were read lately. Both never change once written, so a cached one is as good as
/// a read one while a listing or a state still names it.
///
/// A lock and not an actor: a query looks up every segment of the tail, and none of the looks waits for anything.
package final class WALCache: Sendable {
  /// Names a segment without its key's text: a query looks up every segment of the tail.
  private struct Name: Hashable {
    let topic: Topic
    let id: SegmentID
  }

  private struct State {
    var segments: LastUsed<Name, OpenSegment>
    var sets: LastUsed<ObjectKey, FingerprintSet>
    /// All fingerprints of the objects that one state named, by the objects' keys.
    var merged: (keys: [ObjectKey], fingerprints: Set<Fingerprint>)?
  }
  private let state: Mutex<State>
  /// Fingerprints of a merged set that is kept, at most.
  private let mergedMax: Int

  /// - Parameter bytesMax: memory for each of the three.
  package init(footersMax: Int = 2048, fingerprintObjectsMax: Int = 4096, bytesMax: Int = 64 << 20) {
    state = Mutex(
      State(
        segments: LastUsed(countMax: footersMax, weightMax: bytesMax),
        sets: LastUsed(countMax: fingerprintObjectsMax, weightMax: bytesMax)))
    mergedMax = fingerprintObjectsMax > 0 ? bytesMax / 32 : 0
  }

  package func segment(_ id: SegmentID, of topic: Topic) -> OpenSegment? {
    state.withLock { $0.segments.value(of: Name(topic: topic, id: id)) }
  }
  /// Those that are kept, in the order of the ids.
  func segments(_ ids: [SegmentID], of topic: Topic) -> [OpenSegment?] {
    state.withLock { state in ids.map { state.segments.value(of: Name(topic: topic, id: $0)) } }
  }
  package func keep(_ segment: OpenSegment, of topic: Topic) {
    state.withLock {
      $0.segments.insert(segment, for: Name(topic: topic, id: segment.id), weight: segment.memoryBytes)
    }
  }
  package func fingerprints(_ key: ObjectKey) -> FingerprintSet? { state.withLock { $0.sets.value(of: key) } }
  package func keep(_ set: FingerprintSet, for key: ObjectKey) {
    state.withLock { $0.sets.insert(set, for: key, weight: set.fingerprints.count * 16) }
  }

  /// The fingerprints of exactly these objects, if they were merged last.
  func merged(_ keys: [ObjectKey]) -> Set<Fingerprint>? {
    state.withLock { $0.merged?.keys == keys ? $0.merged?.fingerprints : nil }
  }
  func keep(merged fingerprints: Set<Fingerprint>, of keys: [ObjectKey]) {
    state.withLock { $0.merged = fingerprints.count <= mergedMax ? (keys, fingerprints) : nil }
  }
}

/// A table that drops what was used longest ago.
struct LastUsed<Key: Hashable, Value> {
  private var entries: [Key: (value: Value, weight: Int, used: UInt64)] = [:]
  private var clock: UInt64 = 0
  private var weight = 0
  private let countMax: Int
  private let weightMax: Int

  init(countMax: Int, weightMax: Int) {
    self.countMax = countMax
    self.weightMax = weightMax
  }

  mutating func value(of key: Key) -> Value? {
    guard let entry = entries[key] else { return nil }
    clock += 1
    entries[key]!.used = clock
    return entry.value
  }

  mutating func insert(_ value: Value, for key: Key, weight: Int) {
    guard countMax > 0, weight <= weightMax else { return }
    remove(key)
    clock += 1
    entries[key] = (value, weight, clock)
    self.weight += weight
    // The older half goes at once, so that an insertion costs a constant on average.
    while entries.count > countMax || self.weight > weightMax {
      let median = entries.values.map(\.used).sorted()[entries.count / 2]
      entries = entries.filter { $0.value.used > median }
      self.weight = entries.values.reduce(0) { $0 + $1.weight }
    }
  }

  mutating func remove(_ key: Key) {
    if let removed = entries.removeValue(forKey: key) { weight -= removed.weight }
  }
}
