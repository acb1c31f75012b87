import LakeModel
import LakePorts

/// What failed, for the person who started the command: the port's errors in words, everything else as it describes itself.
enum FailureText {
  static func of(_ error: any Error) -> String {
    switch error {
    case let error as ObjectStoreError: of(error)
    case let error as CatalogError: of(error)
    default: "\(error)"
    }
  }

  private static func of(_ error: ObjectStoreError) -> String {
    switch error {
    case .notFound(let key): "the store has no \(key)"
    case .preconditionFailed(let key): "\(key) changed meanwhile"
    case .rangeNotSatisfiable(let key, let size): "\(key) has only \(size) bytes"
    case .unavailable(let why): "the store cannot be reached: \(why)"
    case .throttled(let why): "the store asks for fewer requests: \(why)"
    case .outcomeUnknown(let key, let why): "whether \(key) was written is not known: \(why)"
    case .denied(let why): "the store refuses: \(why)"
    case .corrupt(let key, let why): "\(key) is damaged: \(why)"
    case .cancelled: "cancelled"
    }
  }

  private static func of(_ error: CatalogError) -> String {
    switch error {
    case .noSuchTable(let table): "there is no table \(table)"
    case .noSuchNamespace(let namespace): "there is no namespace \(namespace.joined(separator: "."))"
    case .tableExists(let table): "there is a table \(table) already"
    case .namespaceExists(let namespace): "there is a namespace \(namespace.joined(separator: ".")) already"
    case .namespaceNotEmpty(let namespace): "namespace \(namespace.joined(separator: ".")) is not empty"
    case .conflict(let why): "another change came first: \(why)"
    case .invalid(let why): "the catalog refuses: \(why)"
    case .unavailable(let why): "the catalog cannot be reached: \(why)"
    case .outcomeUnknown(let why): "whether the catalog was changed is not known: \(why)"
    case .denied(let why): "the catalog refuses: \(why)"
    case .corrupt(let why): "what the catalog points at cannot be read: \(why)"
    case .cancelled: "cancelled"
    }
  }
}
