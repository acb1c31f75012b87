package import LakePorts

/// What can go wrong with the queue and with reading it.
package enum WALError: Error, Hashable, Sendable {
  /// An object that a view named is gone: start again from the table's state (RDR-4).
  case vanished(ObjectKey)
  /// The catalog kept moving while lanes were listed; worth another try later (RDR-1).
  case unsettled(attempts: Int)
  /// Bytes of a known format version that do not parse or fail their checksum.
  case damaged(ObjectKey, String)
  /// Written by a later version of this program.
  case newerFormat(ObjectKey, version: String)
  /// The table property cannot be read.
  case stateMalformed(String)
  /// The table property is older than the snapshots say: rows would be repeated.
  case stateLost(found: Int, expected: Int)
  /// The rows do not fit the table of their topic.
  case unfit(String)
  case store(ObjectStoreError)
  case catalog(CatalogError)
  case cancelled
}

extension WALError {
  init(_ error: ObjectStoreError) {
    switch error {
    case .notFound(let key): self = .vanished(key)
    case .corrupt(let key, let message): self = .damaged(key, message)
    case .cancelled: self = .cancelled
    default: self = .store(error)
    }
  }

  init(_ error: CatalogError) {
    if case .cancelled = error { self = .cancelled } else { self = .catalog(error) }
  }
}
