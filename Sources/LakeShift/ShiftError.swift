package import LakePorts
package import LakeWAL

package enum ShiftError: Error, Hashable, Sendable {
  case wal(WALError)
  case store(ObjectStoreError)
  case catalog(CatalogError)
  /// The table's schema or partition spec is not what this version writes: migrate first.
  case unfit(String)
  /// The plan took longer than `planAgeMax`, others won each time, or something could not be read.
  case gaveUp(String)
  case cancelled
}

extension ShiftError {
  init(_ error: WALError) {
    switch error {
    case .cancelled: self = .cancelled
    case .store(let error): self = .store(error)
    case .catalog(let error): self = .catalog(error)
    default: self = .wal(error)
    }
  }
}
