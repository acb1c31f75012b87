import Synchronization

/// Reads tables' pointers on the caller's thread, over a connection of its own: every query of the lake asks for one twice, and two hops
/// to the database's thread and back take longer than reading it.
final class SQLitePointerReader: Sendable {
  private struct State: ~Copyable {
    var connection: SQLiteConnection?
    /// Asks for the pointer; nil until the database has been prepared.
    var statement: String?
  }

  private let path: String
  private let state = Mutex(State())
  /// Whether the calling thread may wait for a disk.
  private let mayBlockHere: @Sendable () -> Bool

  init(path: String, mayBlockHere: @escaping @Sendable () -> Bool) {
    self.path = path
    self.mayBlockHere = mayBlockHere
  }

  /// - Parameter statement: see `SQLiteCatalogDatabase.pointerStatement`.
  func prepare(_ statement: String) { state.withLock { $0.statement = statement } }

  /// The row of the table's pointer, if there is one; nil: the database must be asked, because the thread may not block, or something was
  /// in the way.
  func rows(_ values: [String]) -> [[String?]]? {
    guard mayBlockHere() else { return nil }
    return state.withLock { state in
      guard let statement = state.statement else { return nil }
      do throws(SQLiteError) {
        if state.connection == nil { state.connection = try SQLiteConnection(path: path) }
        return try state.connection?.run(statement, values)
      } catch {
        state.connection = nil
        return nil
      }
    }
  }
}
