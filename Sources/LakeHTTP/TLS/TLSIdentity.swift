import CLinux
import Glibc
import LakePorts
import Synchronization

/// The context that new connections get: read anew when its files have changed, so that a renewed certificate needs no restart.
final class TLSIdentity: Sendable {
  private struct State {
    var context: TLSContext
    var stamps: [FileStamp]
    var looked: Int64
  }

  private let files: TLSFiles
  private let journal: any Journal
  private let state: Mutex<State>

  /// Between two looks at the files.
  private static let period: Int64 = 1_000_000_000

  init(_ files: TLSFiles, journal: any Journal) throws(HTTPServerError) {
    self.files = files
    self.journal = journal
    let stamps = TLSIdentity.stamps(files)
    state = Mutex(State(context: try TLSContext(files), stamps: stamps, looked: 0))
  }

  /// - Parameter now: of the loop that asks.
  func context(now: Int64) -> TLSContext {
    state.withLock { state in
      guard now - state.looked >= TLSIdentity.period else { return state.context }
      state.looked = now
      let stamps = TLSIdentity.stamps(files)
      guard stamps != state.stamps else { return state.context }
      state.stamps = stamps
      do throws(HTTPServerError) {
        state.context = try TLSContext(files)
        journal.note(.info, "tls.reloaded", [("certificate", files.certificates)])
      } catch {
        // Perhaps only one of the two files is there yet; they are read again when they change again.
        journal.note(.error, "tls.reload_failed", [("reason", "\(error)")])
      }
      return state.context
    }
  }

  private static func stamps(_ files: TLSFiles) -> [FileStamp] {
    [files.certificates, files.key, files.clientAuthorities].compactMap(\.self).map { FileStamp($0) }
  }
}

/// Tells a file from its successor.
private struct FileStamp: Equatable {
  private var inode: UInt64 = 0
  private var bytes = 0
  private var seconds = 0
  private var nanoseconds = 0

  init(_ path: String) {
    var found = stat()
    guard stat(path, &found) == 0 else { return }
    inode = UInt64(found.st_ino)
    bytes = Int(found.st_size)
    seconds = found.st_mtim.tv_sec
    nanoseconds = found.st_mtim.tv_nsec
  }
}
