package import LakePorts

/// Footers and fingerprint objects that were read lately. Both never change once written, so a cached one is as good as
/// a read one while a listing or a state still names it.
package actor WALCache {
  private var segments: LastUsed<ObjectKey, OpenSegment>
  private var sets: LastUsed<ObjectKey, FingerprintSet>

  /// - Parameter bytesMax: memory for each of the two.
  package init(footersMax: Int = 2048, fingerprintObjectsMax: Int = 4096, bytesMax: Int = 64 << 20) {
    segments = LastUsed(countMax: footersMax, weightMax: bytesMax)
    sets = LastUsed(countMax: fingerprintObjectsMax, weightMax: bytesMax)
  }

  package func segment(_ key: ObjectKey) -> OpenSegment? { segments.value(of: key) }
  package func keep(_ segment: OpenSegment) { segments.insert(segment, for: segment.key, weight: segment.memoryBytes) }
  package func forget(_ key: ObjectKey) { segments.remove(key) }
  package func fingerprints(_ key: ObjectKey) -> FingerprintSet? { sets.value(of: key) }
  package func keep(_ set: FingerprintSet, for key: ObjectKey) {
    sets.insert(set, for: key, weight: set.fingerprints.count * 16)
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
