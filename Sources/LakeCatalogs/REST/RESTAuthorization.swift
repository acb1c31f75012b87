import LakeHash
import LakeIceberg
import LakeModel
import LakeNet
import LakePorts

/// The bearer token: given, or fetched by OAuth2 client credentials and renewed before it expires.
actor RESTAuthorization {
  private let settings: RESTCatalogSettings
  private let transport: any HTTPTransport
  private let clock: any LakeClock
  private var token: (text: String, renewAt: ClockInstant?)?
  /// One renewal at a time: others wait for it.
  private var waiting: [CheckedContinuation<Result<String, CatalogError>, Never>]?

  /// Share of a token's life after which it is renewed.
  private static let renewalShare = 0.75

  init(settings: RESTCatalogSettings, transport: any HTTPTransport, clock: any LakeClock) {
    self.settings = settings
    self.transport = transport
    self.clock = clock
  }

  /// - Parameter refused: a token that the server did not take, so that it is not given out again.
  /// - Returns: nil when none is configured.
  func bearer(refused: String? = nil) async throws(CatalogError) -> String? {
    if let given = settings.properties["token"] {
      if given == refused { throw .denied("the catalog does not take the configured token") }
      return given
    }
    guard let credential = settings.properties["credential"] else { return nil }
    if let token, token.text != refused, token.renewAt.map({ clock.now < $0 }) ?? true { return token.text }
    if waiting != nil {
      let shared = await withCheckedContinuation { waiting!.append($0) }
      return try shared.get()
    }
    waiting = []
    let outcome = await fetch(credential)
    let others = waiting ?? []
    waiting = nil
    for continuation in others { continuation.resume(returning: outcome) }
    return try outcome.get()
  }

  private func fetch(_ credential: String) async -> Result<String, CatalogError> {
    let parts = credential.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    var form = [(name: "grant_type", value: "client_credentials")]
    if parts.count == 2 { form.append(("client_id", parts[0])) }
    form.append(("client_secret", parts[parts.count - 1]))
    form.append(("scope", settings.properties["scope"] ?? "catalog"))
    for name in ["audience", "resource"] { if let value = settings.properties[name] { form.append((name, value)) } }
    let url = settings.properties["oauth2-server-uri"] ?? "\(settings.uri)/v1/oauth/tokens"
    do {
      let answer = try await transport.send(
        HTTPExchange(
          method: "POST", url: url,
          headers: [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")],
          body: Bytes(SignatureV4.canonicalQuery(form)), timeout: .seconds(30), answerBytesMax: 1 << 20))
      guard answer.status == 200 else {
        let why = RESTError(answer.body, status: answer.status).message
        return .failure(
          answer.status >= 500
            ? .unavailable("\(url) answered \(answer.status): \(why)") : .denied("\(url) gave no token: \(why)"))
      }
      let found = try RESTToken(answer.body)
      let life = found.expiresIn.map { Duration.seconds(Double($0) * RESTAuthorization.renewalShare) }
      token = (found.accessToken, life.map { clock.now.advanced(by: $0) })
      return .success(found.accessToken)
    } catch let error as TransportError {
      return .failure(error == .cancelled ? .cancelled : .unavailable("\(url): \(error)"))
    } catch {
      return .failure(.unavailable("\(url): \(error)"))
    }
  }
}
