import Synchronization

/// How many bytes of request bodies a server holds in memory, and how many it may.
///
/// What counts is memory set aside, which grows with what was received: a client that only claims a large body takes nothing.
final class BodyBudget: Sendable {
  let bytesMax: Int
  private let used = Atomic<Int>(0)

  init(bytesMax: Int) { self.bytesMax = bytesMax }

  var bytesUsed: Int { used.load(ordering: .relaxed) }

  /// Whether a body of this size would find room now. Nothing is set aside.
  func hasRoom(for bytes: Int) -> Bool { bytes <= bytesMax - bytesUsed }

  /// - Returns: false when there is no room; then nothing was taken.
  func reserve(_ bytes: Int) -> Bool {
    if used.add(bytes, ordering: .relaxed).newValue <= bytesMax { return true }
    release(bytes)
    return false
  }

  func release(_ bytes: Int) { used.subtract(bytes, ordering: .relaxed) }
}
