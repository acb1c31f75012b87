package import LakePorts

/// Footers and fingerprint objects that were read lately. Both never change once written, so a cached one is as good as
/// a read one while a listing or a state still names it.
package actor WALCache {
  private var segments: LastUsed<ObjectKey, OpenSegment>
  private var sets: LastUsed<ObjectKey, FingerprintSet>

  package init(footersMax: Int = 2048, fingerprintObjectsMax: Int = 256) {
    segments = LastUsed(capacity: footersMax)
    sets = LastUsed(capacity: fingerprintObjectsMax)
  }

  package func segment(_ key: ObjectKey) -> OpenSegment? { segments.value(of: key) }
  package func keep(_ segment: OpenSegment) { segments.insert(segment, for: segment.key) }
  package func forget(_ key: ObjectKey) { segments.remove(key) }
  package func fingerprints(_ key: ObjectKey) -> FingerprintSet? { sets.value(of: key) }
  package func keep(_ set: FingerprintSet, for key: ObjectKey) { sets.insert(set, for: key) }
}

/// A table that drops what was used longest ago.
struct LastUsed<Key: Hashable, Value> {
  private var entries: [Key: (value: Value, used: UInt64)] = [:]
  private var clock: UInt64 = 0
  private let capacity: Int

  init(capacity: Int) { self.capacity = max(capacity, 0) }

  mutating func value(of key: Key) -> Value? {
    guard let entry = entries[key] else { return nil }
    clock += 1
    entries[key]!.used = clock
    return entry.value
  }

  mutating func insert(_ value: Value, for key: Key) {
    guard capacity > 0 else { return }
    clock += 1
    entries[key] = (value, clock)
    // The older half goes at once, so that an insertion costs a constant on average.
    guard entries.count > capacity else { return }
    let median = entries.values.map(\.used).sorted()[entries.count / 2]
    entries = entries.filter { $0.value.used >= median }
  }

  mutating func remove(_ key: Key) { entries[key] = nil }
}
