import CLinux
import Glibc
import LakeModel
package import LakePorts
import Synchronization

/// Writes the journal to standard output, one line per entry, from a thread of its own: a reader that stands still
/// never holds up an event loop. Lines beyond `pendingBytesMax` are dropped, and the next line that fits says how many.
package final class StdoutJournal: Journal {
  private struct Pending {
    var bytes: [UInt8] = []
    var droppedCount = 0
  }

  private static let pendingBytesMax = 1 << 20

  private let filter: LogFilter
  private let wall: any WallClock
  private let output: Int32
  private let wakeup: Int32
  private let pending = Mutex(Pending())
  /// Held while writing, so that lines leave in the order they came.
  private let writing = Mutex(())

  /// - Parameter output: an open file descriptor, kept open.
  package init(filter: LogFilter = .standard, wall: any WallClock = SystemWallClock(), output: Int32 = STDOUT_FILENO) {
    self.filter = filter
    self.wall = wall
    self.output = output
    wakeup = eventfd(0, Int32(EFD_CLOEXEC))
    precondition(wakeup >= 0, "eventfd: \(errno)")
    startThread("journal") { [self] in
      while true {
        var count: UInt64 = 0
        _ = read(wakeup, &count, 8)
        flush()
      }
    }
  }

  package func note(_ level: JournalLevel, _ event: StaticString, _ facts: @autoclosure () -> [(StaticString, String)])
  {
    guard filter.allows(level, event) else { return }
    let line = LogLine.render(wall.now, level, event, facts())
    let needsWakeup = pending.withLock { pending in
      guard pending.bytes.count + line.utf8.count <= StdoutJournal.pendingBytesMax else {
        pending.droppedCount += 1
        return false
      }
      let wasEmpty = pending.bytes.isEmpty
      if pending.droppedCount > 0 {
        let notice: [(StaticString, String)] = [("lines", String(pending.droppedCount))]
        pending.bytes += LogLine.render(wall.now, .warning, "journal.dropped", notice).utf8
        pending.droppedCount = 0
      }
      pending.bytes += line.utf8
      return wasEmpty
    }
    guard needsWakeup else { return }
    var one: UInt64 = 1
    _ = write(wakeup, &one, 8)
  }

  /// Writes out what is pending; for the end of the process. Waits for the reader of standard output.
  package func flush() {
    writing.withLock { _ in
      let bytes = pending.withLock { pending in
        defer { pending.bytes = [] }
        return pending.bytes
      }
      bytes.withUnsafeBytes { bytes in
        var written = 0
        while written < bytes.count {
          let count = write(output, bytes.baseAddress! + written, bytes.count - written)
          if count > 0 {
            written += count
          } else if errno != EINTR {
            return  // standard output is gone: nobody to tell
          }
        }
      }
    }
  }
}
