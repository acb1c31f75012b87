package import LakePorts

/// What every object store must do, however it stores: the doc comments of `ObjectStore`, one check each.
///
/// The checks of one run share a store; each keeps below a prefix of its own, so that a bucket may hold other things.
package enum ObjectStoreContract {
  /// What one check works on.
  package struct Bench: Sendable {
    package let store: any ObjectStore
    /// Ends in "/". Nothing lies below it when the check begins.
    package let prefix: String

    package init(store: any ObjectStore, prefix: String) {
      precondition(prefix.hasSuffix("/"))
      self.store = store
      self.prefix = prefix
    }

    func key(_ rest: String) -> ObjectKey { ObjectKey(trusted: prefix + rest) }
  }

  package typealias Check = ContractCheck<Bench>

  package static let checks: [Check] = reading + writing + listing + uploading + racing

  /// Runs every check, each below `prefix` and its number.
  ///
  /// - Returns: one line for each check that failed.
  package static func failures(of store: any ObjectStore, prefix: String) async -> [String] {
    var failures: [String] = []
    for (index, check) in checks.enumerated() {
      do {
        try await check.run(Bench(store: store, prefix: "\(prefix)\(index)/"))
      } catch {
        failures.append("\(check.name): \(error)")
      }
    }
    return failures
  }
}

/// Which error came, without the words that differ from store to store.
enum ErrorKind: Hashable, Sendable {
  case none, notFound, preconditionFailed, rangeNotSatisfiable(size: Int), denied, other(String)

  init(_ error: ObjectStoreError) {
    switch error {
    case .notFound: self = .notFound
    case .preconditionFailed: self = .preconditionFailed
    case .rangeNotSatisfiable(_, let size): self = .rangeNotSatisfiable(size: size)
    case .denied: self = .denied
    default: self = .other("\(error)")
    }
  }

  static func of(_ body: () async throws -> Void) async -> ErrorKind {
    do {
      try await body()
      return .none
    } catch let error as ObjectStoreError {
      return ErrorKind(error)
    } catch {
      return .other("\(error)")
    }
  }
}

extension ObjectStoreError {
  /// The write may stand: what a store may answer instead of a clear 412 in a race (PRT-1).
  var isOutcomeUnknown: Bool {
    if case .outcomeUnknown = self { true } else { false }
  }
}
