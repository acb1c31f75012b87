import LakeIceberg
import LakeModel
import LakeParquet
import Synchronization

/// What queries keep between them: footers, metadata and decoded pages of objects that never change. Bounded in bytes;
/// results are never kept.
///
/// Two lists, both in order of use: what was used once, and what was used again. A scan over more than fits passes
/// through the first and leaves the second alone.
final class QueryCache: Sendable {
  /// Names one kept thing. Objects never change under their key.
  struct Key: Hashable, Sendable {
    let object: Name
    let part: Part
    enum Part: Hashable, Sendable {
      case bytes, footer, rowGroups, manifestList, manifest
      /// The files of a manifest that a tenant's queries may read.
      case files(tenant: String)
      case column(rowGroup: Int32, field: LogField)
      case vector(rowGroup: Int32, field: LogField)
      case times(rowGroup: Int32)
      case request(rowGroup: Int32)
      case bodyPages(rowGroup: Int32)
      case body(rowGroup: Int32, piece: Int32)
      case textIndex(rowGroup: Int32)
      /// What a Bloom filter says of a value.
      case bloom(rowGroup: Int32, leaf: Int32, value: [UInt8])
      case attributes(rowGroup: Int32)
      /// What delete files say of a data file, and which rows of a row group they leave.
      case deletes
      case left(rowGroup: Int32)
    }
  }

  /// The name of an object, hashed once: keys are long, and a query looks up many parts of each object.
  struct Name: Hashable, Sendable {
    let text: String
    private let hash: Int

    init(_ text: String) {
      self.text = text
      hash = text.hashValue
    }

    static func == (a: Name, b: Name) -> Bool { a.hash == b.hash && a.text == b.text }
    func hash(into hasher: inout Hasher) { hasher.combine(hash) }
  }

  fileprivate struct Entry {
    let key: Key
    let value: any Sendable
  }

  /// Where an entry stands in its list. Apart from the entries, so that a use moves a few numbers and counts no references.
  fileprivate struct Link {
    var bytes: Int
    var isReused = false
    var previous = -1
    var next = -1
  }

  /// A list through `links`: first used latest.
  fileprivate struct Chain {
    var first = -1
    var last = -1
    var bytes = 0
  }

  fileprivate struct State {
    var index: [Key: Int] = [:]
    /// Each has its link under the same index.
    var entries: [Entry?] = []
    var links: [Link] = []
    var free: [Int] = []
    var once = Chain()
    var again = Chain()
  }

  /// Numbers of the texts in kept counts.
  let texts = LabelTexts()
  private let state = Mutex(State())
  private let bytesMax: Int
  /// Share of the whole that things used once may take while others wait.
  private static let onceShare = 4

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  func value<Value: Sendable>(_ key: Key, as type: Value.Type) -> Value? {
    state.withLock { state -> Value? in
      guard let slot = state.index[key] else { return nil }
      state.promote(slot)
      return state.entries[slot]!.value as? Value
    }
  }

  func keep(_ value: some Sendable, bytes: Int, for key: Key) {
    // One thing that would push out most others is not worth it.
    guard bytes <= bytesMax / 4 else { return }
    state.withLock { state in
      if let slot = state.index[key] { state.remove(slot) }
      state.insert(key, value, bytes)
      while state.once.bytes + state.again.bytes > bytesMax {
        let isOnceTooLarge = state.once.bytes > bytesMax / QueryCache.onceShare || state.again.last < 0
        let slot = isOnceTooLarge ? state.once.last : state.again.last
        guard slot >= 0 else { break }
        state.remove(slot)
      }
    }
  }

  /// Whether it is there; does not count as a use.
  func holds(_ key: Key) -> Bool { state.withLock { $0.index[key] != nil } }

  /// Bytes held, as their keepers stated them.
  var bytes: Int { state.withLock { $0.once.bytes + $0.again.bytes } }
}

extension QueryCache.State {
  fileprivate mutating func insert(_ key: QueryCache.Key, _ value: any Sendable, _ bytes: Int) {
    let entry = QueryCache.Entry(key: key, value: value)
    let slot: Int
    if let reused = free.popLast() {
      slot = reused
      entries[slot] = entry
      links[slot] = QueryCache.Link(bytes: bytes)
    } else {
      slot = entries.count
      entries.append(entry)
      links.append(QueryCache.Link(bytes: bytes))
    }
    index[key] = slot
    link(slot)
  }

  fileprivate mutating func promote(_ slot: Int) {
    if again.first == slot { return }
    unlink(slot)
    links[slot].isReused = true
    link(slot)
  }

  fileprivate mutating func remove(_ slot: Int) {
    unlink(slot)
    index[entries[slot]!.key] = nil
    entries[slot] = nil
    free.append(slot)
  }

  private mutating func link(_ slot: Int) {
    let isReused = links[slot].isReused
    var chain = isReused ? again : once
    links[slot].previous = -1
    links[slot].next = chain.first
    if chain.first >= 0 { links[chain.first].previous = slot }
    chain.first = slot
    if chain.last < 0 { chain.last = slot }
    chain.bytes += links[slot].bytes
    if isReused { again = chain } else { once = chain }
  }

  private mutating func unlink(_ slot: Int) {
    let link = links[slot]
    var chain = link.isReused ? again : once
    if link.previous >= 0 { links[link.previous].next = link.next } else { chain.first = link.next }
    if link.next >= 0 { links[link.next].previous = link.previous } else { chain.last = link.previous }
    chain.bytes -= link.bytes
    if link.isReused { again = chain } else { once = chain }
  }
}
