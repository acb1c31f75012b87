import LakeIceberg
import LakeModel
import LakeNet
import LakePorts

/// Asks the catalog to sign requests for a table's files: it keeps the keys to itself.
///
/// Source: apache/iceberg, open-api/rest-catalog-open-api.yaml, `RemoteSignRequest`.
struct RemoteSigner: RequestSigner {
  private let client: RESTCatalogClient
  private let url: String
  private let signing: RESTTables.Signing

  /// - Parameters:
  ///   - config: the agreement's properties and the table's own, which win.
  ///   - standard: the path of the table's own signer.
  init(
    client: RESTCatalogClient, agreement: RESTAgreement, config: [String: String], signing: RESTTables.Signing?,
    standard: String
  ) {
    self.client = client
    self.signing = signing ?? RESTTables.Signing()
    url = Self.url(
      endpoint: config["signer.endpoint"], base: config["signer.uri"], catalog: agreement.uri, standard: standard)
  }

  /// `signer.endpoint` may be a path below `signer.uri`, which is the catalog unless told otherwise.
  static func url(endpoint: String?, base: String?, catalog: String, standard: String) -> String {
    if let endpoint, endpoint.hasPrefix("http://") || endpoint.hasPrefix("https://") { return endpoint }
    guard endpoint != nil || base != nil else { return catalog + standard }
    var base = base ?? catalog
    while base.hasSuffix("/") { base.removeLast() }
    // The path that servers of the older kind mean when they name none.
    return "\(base)/\((endpoint ?? "v1/aws/s3/sign").drop { $0 == "/" })"
  }

  func sign(_ request: UnsignedRequest) async throws(CredentialError) -> SignedRequest {
    let wanted = RESTSigning.Request(
      region: request.region, uri: request.url, method: request.method,
      headers: Dictionary(request.headers.map { ($0.name, $0.value) }) { "\($0), \($1)" },
      properties: signing.properties, body: request.body?.text)
    var call = RESTCatalogClient.Call(method: "POST", path: "", body: wanted.encoded())
    call.absolute = url
    call.isQuestion = true
    call.headers = signing.headers.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    let answer: HTTPAnswer
    do { answer = try await client.send(call) } catch {
      switch error {
      case .unavailable(let why), .outcomeUnknown(let why):
        throw CredentialError(description: "the catalog's signer: \(why)", isPassing: true)
      default: throw CredentialError(description: "the catalog's signer: \(error)")
      }
    }
    guard answer.status == 200 else {
      throw CredentialError(description: "\(RESTCatalogClient.refusal(answer, of: "the catalog's signer"))")
    }
    guard let signed = try? RESTSigning.Result(answer.body) else {
      throw CredentialError(description: "the answer of the catalog's signer cannot be read")
    }
    return SignedRequest(url: signed.uri, headers: Self.merged(request.headers, signed.headers))
  }

  /// What was signed wins; what the transport says by itself is left to it.
  private static func merged(_ own: [(name: String, value: String)], _ signed: [String: String])
    -> [(name: String, value: String)]
  {
    let named = Set(signed.keys.map { $0.lowercased() })
    let all = own.filter { !named.contains($0.name.lowercased()) } + signed.map { ($0.key, $0.value) }
    return all.filter { !["host", "content-length", "connection"].contains($0.name.lowercased()) }
      .sorted { $0.name < $1.name }
  }
}
