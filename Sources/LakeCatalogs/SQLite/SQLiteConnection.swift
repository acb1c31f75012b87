import CSqlite

/// One connection to a database file, used from one thread.
final class SQLiteConnection {
  private let handle: OpaquePointer
  /// Statements that were run before, reset: every query of the lake asks for a table's pointer, and parsing took longer than running.
  private var statements: [String: OpaquePointer] = [:]
  private static let statementsMax = 32
  /// How long a statement waits for other processes' locks, in milliseconds.
  static let busyTimeout: Int32 = 5_000

  init(path: String) throws(SQLiteError) {
    var opened: OpaquePointer?
    let flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX
    let status = sqlite3_open_v2(path, &opened, flags, nil)
    guard status == SQLITE_OK, let opened else {
      let message = opened.map { String(cString: sqlite3_errmsg($0)) } ?? "out of memory"
      sqlite3_close_v2(opened)
      throw SQLiteError(code: status, message: "\(path): \(message)")
    }
    handle = opened
    sqlite3_extended_result_codes(handle, 1)
    sqlite3_busy_timeout(handle, Self.busyTimeout)
  }

  deinit {
    for statement in statements.values { sqlite3_finalize(statement) }
    sqlite3_close_v2(handle)
  }

  /// Rows changed by the last statement.
  var changes: Int { Int(sqlite3_changes(handle)) }

  var isInTransaction: Bool { sqlite3_get_autocommit(handle) == 0 }

  /// Runs one statement. - Returns: its rows, each a list of texts; nil is NULL.
  @discardableResult
  func run(_ sql: String, _ values: [String?] = []) throws(SQLiteError) -> [[String?]] {
    guard let statement = try statement(sql) else { return [] }
    defer {
      sqlite3_reset(statement)
      sqlite3_clear_bindings(statement)
    }
    for (index, value) in values.enumerated() { try bind(value, at: Int32(index + 1), of: statement) }
    var rows: [[String?]] = []
    while true {
      switch sqlite3_step(statement) {
      case SQLITE_ROW: rows.append(row(of: statement))
      case SQLITE_DONE: return rows
      case let status: try check(status)
      }
    }
  }

  /// - Returns: nil for a text without a statement.
  private func statement(_ sql: String) throws(SQLiteError) -> OpaquePointer? {
    if let kept = statements[sql] { return kept }
    var prepared: OpaquePointer?
    try check(sqlite3_prepare_v2(handle, sql, -1, &prepared, nil))
    guard let prepared else { return nil }
    if statements.count >= Self.statementsMax {
      for statement in statements.values { sqlite3_finalize(statement) }
      statements = [:]
    }
    statements[sql] = prepared
    return prepared
  }

  private func bind(_ value: String?, at index: Int32, of statement: OpaquePointer) throws(SQLiteError) {
    guard var value else { return try check(sqlite3_bind_null(statement, index)) }
    let copy = unsafeBitCast(-1, to: sqlite3_destructor_type.self)  // SQLITE_TRANSIENT
    let status = value.withUTF8 { text in
      text.withMemoryRebound(to: CChar.self) { text in
        sqlite3_bind_text64(statement, index, text.baseAddress, UInt64(text.count), copy, UInt8(SQLITE_UTF8))
      }
    }
    try check(status)
  }

  private func row(of statement: OpaquePointer) -> [String?] {
    (0..<sqlite3_column_count(statement)).map { column in
      guard let text = sqlite3_column_text(statement, column) else { return nil }
      let count = Int(sqlite3_column_bytes(statement, column))
      return String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }
  }

  private func check(_ status: Int32) throws(SQLiteError) {
    guard status != SQLITE_OK else { return }
    throw SQLiteError(code: status, message: String(cString: sqlite3_errmsg(handle)))
  }
}

struct SQLiteError: Error, Hashable, Sendable {
  /// Extended result code.
  let code: Int32
  let message: String

  /// Without the extension.
  var kind: Int32 { code & 0xFF }
}
