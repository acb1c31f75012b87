/// Values up to a limit; what was used longest ago goes first.
struct RecentUse<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Entry: Sendable {
    var value: Value
    let weight: Int
    var turn: UInt64
  }

  let weightMax: Int
  private(set) var weight = 0
  private var entries: [Key: Entry] = [:]
  /// Uses in order; all but the newest of a key count for nothing.
  private var uses: [(key: Key, turn: UInt64)] = []
  private var head = 0
  private var turn: UInt64 = 0

  init(weightMax: Int) { self.weightMax = weightMax }

  var count: Int { entries.count }

  mutating func find(_ key: Key) -> Value? {
    guard let entry = entries[key] else { return nil }
    touch(key)
    return entry.value
  }

  /// - Returns: what had to go; a value heavier than the limit goes itself.
  mutating func keep(_ key: Key, _ value: Value, weight added: Int) -> [(Key, Value)] {
    if added > weightMax { return [(key, value)] }
    if let old = entries[key] { weight -= old.weight }
    entries[key] = Entry(value: value, weight: added, turn: turn)
    weight += added
    touch(key)
    var gone: [(Key, Value)] = []
    while weight > weightMax, head < uses.count {
      let use = uses[head]
      head += 1
      guard let entry = entries[use.key], entry.turn == use.turn else { continue }
      gone.append((use.key, entry.value))
      weight -= entry.weight
      entries[use.key] = nil
    }
    return gone
  }

  @discardableResult
  mutating func remove(_ key: Key) -> Value? {
    guard let entry = entries.removeValue(forKey: key) else { return nil }
    weight -= entry.weight
    return entry.value
  }

  private mutating func touch(_ key: Key) {
    turn += 1
    entries[key]?.turn = turn
    uses.append((key, turn))
    if head > 1024 && head * 2 > uses.count || uses.count > 64 + 8 * entries.count { compact() }
  }

  private mutating func compact() {
    uses = uses[head...].filter { entries[$0.key]?.turn == $0.turn }
    head = 0
  }
}
