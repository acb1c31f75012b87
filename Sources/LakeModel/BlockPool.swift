private import Glibc
private import Synchronization

/// Large blocks of memory that were given back, kept for whoever needs one next.
///
/// Memory fresh from the system costs a page fault for every 4 KiB, which is a third of the time of a scan that decodes
/// one row group after another. What is kept is bounded, the block unused for longest goes first.
package enum BlockPool {
  /// Smaller blocks are the allocator's own business.
  static let blockBytesMin = 64 << 10
  private static let pageBytes = 4096
  private static let blockCountMax = 256
  /// From this size on blocks lie in huge pages where the system has them: one fault instead of 512.
  private static let hugeBlockBytesMin = 4 << 20
  private static let hugePageBytes = 2 << 20

  /// `@unchecked Sendable`: memory that nobody uses while it is here.
  private struct Block: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let bytes: Int
  }

  private struct State {
    var keptBytesMax = 64 << 20
    /// Longest unused first.
    var blocks: [Block] = []
    var bytes = 0

    mutating func evict(to limit: Int) -> [Block] {
      var gone = 0
      while bytes > limit || blocks.count - gone > blockCountMax {
        bytes -= blocks[gone].bytes
        gone += 1
      }
      defer { blocks.removeFirst(gone) }
      return Array(blocks[..<gone])
    }
  }

  private static let state = Mutex(State())

  /// Bytes that may be kept; 0 keeps none. A process sets it once, by what it may take in all.
  package static var keptBytesMax: Int {
    get { state.withLock { $0.keptBytesMax } }
    set {
      free(
        state.withLock { state in
          state.keptBytesMax = newValue
          return state.evict(to: newValue)
        })
    }
  }

  /// Gives everything back to the system.
  package static func drain() { free(state.withLock { $0.evict(to: 0) }) }

  package static var keptBytes: Int { state.withLock { $0.bytes } }

  /// A block of at least `bytes` bytes, 64-byte aligned.
  static func take(_ bytes: Int) -> (base: UnsafeMutableRawPointer, bytes: Int) {
    let wanted = (bytes + pageBytes - 1) / pageBytes * pageBytes
    let found = state.withLock { state -> Block? in
      // The last one given back that fits well: it is the likeliest to be in a cache.
      guard let at = state.blocks.lastIndex(where: { $0.bytes >= wanted && $0.bytes - wanted <= wanted / 4 }) else {
        return nil
      }
      let block = state.blocks.remove(at: at)
      state.bytes -= block.bytes
      return block
    }
    if let found { return (found.base, found.bytes) }
    return (allocate(wanted), wanted)
  }

  private static func allocate(_ bytes: Int) -> UnsafeMutableRawPointer {
    guard bytes >= hugeBlockBytesMin else { return .allocate(byteCount: bytes, alignment: 64) }
    let base = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: hugePageBytes)
    // Whole huge pages only: the rest of the last one may be another's. A wish, so its outcome does not matter.
    _ = madvise(base, bytes / hugePageBytes * hugePageBytes, MADV_HUGEPAGE)
    return base
  }

  /// Takes back what `take` gave.
  static func give(_ base: UnsafeMutableRawPointer, bytes: Int) {
    let block = Block(base: base, bytes: bytes)
    free(
      state.withLock { state in
        if bytes > state.keptBytesMax / 2 { return [block] }
        state.blocks.append(block)
        state.bytes += bytes
        return state.evict(to: state.keptBytesMax)
      })
  }

  private static func free(_ blocks: [Block]) { for block in blocks { block.base.deallocate() } }
}
