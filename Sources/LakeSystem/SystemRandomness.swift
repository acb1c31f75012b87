import CLinux
import Glibc
import LakePorts
import Synchronization

/// Random words from the kernel, fetched a page at a time.
package final class SystemRandomness: Randomness {
  private struct Pool {
    var words: [UInt64]
    var used: Int
  }

  private static let wordsPerFill = 512
  private let pool = Mutex(Pool(words: [], used: 0))

  package init() {}

  package func next() -> UInt64 {
    pool.withLock { pool in
      if pool.used == pool.words.count {
        pool.words = SystemRandomness.fill()
        pool.used = 0
      }
      let word = pool.words[pool.used]
      pool.words[pool.used] = 0  // a word that was handed out is not kept
      pool.used += 1
      return word
    }
  }

  private static func fill() -> [UInt64] {
    var words = [UInt64](repeating: 0, count: wordsPerFill)
    words.withUnsafeMutableBytes { bytes in
      var filled = 0
      while filled < bytes.count {
        let got = getrandom(bytes.baseAddress! + filled, bytes.count - filled, 0)
        if got > 0 { filled += got } else { precondition(errno == EINTR, "getrandom: \(errno)") }
      }
    }
    return words
  }
}
