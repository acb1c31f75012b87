import LakeIceberg
import LakeModel
import LakePorts

/// What the Iceberg REST port answers instead of what was asked for.
struct IcebergRefusal: Error, Sendable {
  let error: RESTError
  /// Seconds; nil: trying again soon does not help.
  var retryAfter: Int?

  init(_ code: Int, _ type: String, _ message: String, retryAfter: Int? = nil) {
    error = RESTError(message: message, type: type, code: code)
    self.retryAfter = retryAfter
  }

  static func badRequest(_ message: String) -> IcebergRefusal { IcebergRefusal(400, "BadRequestException", message) }
  static func unsupported(_ message: String) -> IcebergRefusal {
    IcebergRefusal(406, "UnsupportedOperationException", message)
  }
  static func forbidden(_ message: String) -> IcebergRefusal { IcebergRefusal(403, "ForbiddenException", message) }

  /// Of a catalog's failure. What happened inside is for the journal, not for the client.
  init(_ failure: CatalogError) {
    switch failure {
    case .noSuchTable(let table): self.init(404, "NoSuchTableException", "table does not exist: \(table)")
    case .noSuchNamespace(let namespace):
      self.init(404, "NoSuchNamespaceException", "namespace does not exist: \(namespace.joined(separator: "."))")
    case .tableExists(let table): self.init(409, "AlreadyExistsException", "table already exists: \(table)")
    case .namespaceExists(let namespace):
      self.init(409, "AlreadyExistsException", "namespace already exists: \(namespace.joined(separator: "."))")
    case .namespaceNotEmpty(let namespace):
      self.init(409, "NamespaceNotEmptyException", "namespace is not empty: \(namespace.joined(separator: "."))")
    case .conflict(let why): self.init(409, "CommitFailedException", why)
    case .invalid(let why): self.init(400, "BadRequestException", why)
    case .unavailable, .cancelled:
      self.init(503, "ServiceUnavailableException", "the catalog cannot be reached now", retryAfter: 1)
    case .outcomeUnknown:
      self.init(500, "CommitStateUnknownException", "whether the change was made is not known: load and look")
    case .denied: self.init(403, "ForbiddenException", "the catalog behind this one refused")
    case .corrupt: self.init(500, "InternalServerError", "the catalog points at what cannot be read")
    }
  }

  var response: HTTPResponse {
    var response = HTTPResponse.json(error.code, error.encoded())
    if let retryAfter { response.headers.set("Retry-After", "\(retryAfter)") }
    return response
  }
}
