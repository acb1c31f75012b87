import LakeJSON
package import LakeModel
package import LakePorts

package struct AWSCredentials: Hashable, Sendable {
  package let accessKeyID: String
  package let secretAccessKey: String
  package let sessionToken: String?
  /// Seconds since the epoch; nil: they do not expire.
  package let expiration: Int64?

  package init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, expiration: Int64? = nil) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.expiration = expiration
  }
}

package struct CredentialError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, and why each gave nothing.
  package let description: String
  /// Nobody refused: whoever was asked cannot be reached now.
  package let isPassing: Bool

  package init(description: String, isPassing: Bool = false) {
    self.description = description
    self.isPassing = isPassing
  }
}

/// Where the keys for a request come from.
package protocol CredentialSource: Sendable {
  /// - Parameter resource: what the request is about, `s3://bucket/name`; sources that know only one pair of keys look away.
  func credentials(for resource: String) async throws(CredentialError) -> AWSCredentials

  /// Who signs requests about `resource` in place of keys of ours; nil: nobody, sign with the keys.
  func signer(for resource: String) -> (any RequestSigner)?
}

extension CredentialSource {
  package func signer(for resource: String) -> (any RequestSigner)? { nil }
}

/// Signs requests with keys that it keeps to itself.
package protocol RequestSigner: Sendable {
  func sign(_ request: UnsignedRequest) async throws(CredentialError) -> SignedRequest
}

package struct UnsignedRequest: Sendable {
  package var method: String
  package var url: String
  package var region: String
  package var headers: [(name: String, value: String)]
  /// Of requests whose body says what they are about; nil: of no interest.
  package var body: Bytes?

  package init(
    method: String, url: String, region: String, headers: [(name: String, value: String)], body: Bytes? = nil
  ) {
    self.method = method
    self.url = url
    self.region = region
    self.headers = headers
    self.body = body
  }
}

package struct SignedRequest: Sendable {
  package var url: String
  /// All that the request is to carry.
  package var headers: [(name: String, value: String)]

  package init(url: String, headers: [(name: String, value: String)]) {
    self.url = url
    self.headers = headers
  }
}

extension CredentialChain: CredentialSource {
  package func credentials(for resource: String) async throws(CredentialError) -> AWSCredentials {
    try await credentials()
  }
}

/// Finds credentials where AWS's own tools look, in their order, and renews them before they expire.
///
/// Order: given ones, environment, web identity, shared files, container endpoint, instance metadata (version 2).
package actor CredentialChain {
  package struct Sources: Sendable {
    package var given: AWSCredentials?
    package var environment: @Sendable (String) -> String?
    /// The text of a small file; nil when it cannot be read.
    package var readFile: @Sendable (String) -> String?
    package var region: String

    package init(
      given: AWSCredentials? = nil, environment: @escaping @Sendable (String) -> String?,
      readFile: @escaping @Sendable (String) -> String?, region: String
    ) {
      self.given = given
      self.environment = environment
      self.readFile = readFile
      self.region = region
    }
  }

  private let sources: Sources
  private let transport: any HTTPTransport
  private let wall: any WallClock
  private var current: AWSCredentials?
  /// One renewal at a time: others wait for it.
  private var renewal: [CheckedContinuation<Result<AWSCredentials, CredentialError>, Never>]?

  /// Credentials are renewed this long before they expire.
  private static let renewalMargin: Int64 = 300

  package init(sources: Sources, transport: any HTTPTransport, wall: any WallClock) {
    self.sources = sources
    self.transport = transport
    self.wall = wall
  }

  package func credentials() async throws(CredentialError) -> AWSCredentials {
    if let current, !isDue(current) { return current }
    if renewal != nil {
      let shared = await withCheckedContinuation { renewal!.append($0) }
      return try shared.get()
    }
    renewal = []
    let outcome = await find()
    let waiting = renewal ?? []
    renewal = nil
    if case .success(let found) = outcome { current = found }
    for continuation in waiting { continuation.resume(returning: outcome) }
    // Credentials that are due but not yet expired are better than none.
    if case .failure = outcome, let current, !isExpired(current) { return current }
    return try outcome.get()
  }

  private var now: Int64 { Int64(wall.now.nanoseconds / 1_000_000_000) }
  private func isDue(_ credentials: AWSCredentials) -> Bool {
    credentials.expiration.map { $0 - CredentialChain.renewalMargin <= now } ?? false
  }
  private func isExpired(_ credentials: AWSCredentials) -> Bool { credentials.expiration.map { $0 <= now } ?? false }

  private func find() async -> Result<AWSCredentials, CredentialError> {
    if let given = sources.given { return .success(given) }
    var tried: [String] = []
    if let found = fromEnvironment() { return .success(found) }
    tried.append("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set")
    for step in [fromWebIdentity, fromSharedFile, fromContainer, fromInstance] {
      do {
        return .success(try await step())
      } catch {
        tried.append(error.description)
      }
    }
    return .failure(CredentialError(description: "no AWS credentials: " + tried.joined(separator: "; ")))
  }

  private func fromEnvironment() -> AWSCredentials? {
    guard let id = sources.environment("AWS_ACCESS_KEY_ID"), let secret = sources.environment("AWS_SECRET_ACCESS_KEY"),
      !id.isEmpty, !secret.isEmpty
    else { return nil }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: sources.environment("AWS_SESSION_TOKEN"))
  }

  private func fromSharedFile() async throws(CredentialError) -> AWSCredentials {
    let home = sources.environment("HOME") ?? ""
    let path = sources.environment("AWS_SHARED_CREDENTIALS_FILE") ?? "\(home)/.aws/credentials"
    let profile = sources.environment("AWS_PROFILE") ?? "default"
    guard let text = sources.readFile(path) else { throw CredentialError(description: "\(path) cannot be read") }
    let section = CredentialChain.section(profile, of: text)
    guard let id = section["aws_access_key_id"], let secret = section["aws_secret_access_key"] else {
      throw CredentialError(description: "\(path) has no keys for profile \(profile)")
    }
    return AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: section["aws_session_token"])
  }

  /// Key and value pairs of one `[section]` of an INI file.
  static func section(_ name: String, of text: String) -> [String: String] {
    var found: [String: String] = [:]
    var isInside = false
    for line in text.split(whereSeparator: \.isNewline) {
      let line = CredentialChain.trimmed(line)
      if line.hasPrefix("[") {
        isInside = CredentialChain.trimmed(line.dropFirst().prefix { $0 != "]" }) == name
      } else if isInside, !line.hasPrefix("#"), let equals = line.firstIndex(of: "=") {
        found[CredentialChain.trimmed(line[..<equals])] = CredentialChain.trimmed(line[line.index(after: equals)...])
      }
    }
    return found
  }

  private static func trimmed(_ text: some StringProtocol) -> String {
    String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
  }

  private func fromWebIdentity() async throws(CredentialError) -> AWSCredentials {
    guard let role = sources.environment("AWS_ROLE_ARN"), let path = sources.environment("AWS_WEB_IDENTITY_TOKEN_FILE")
    else { throw CredentialError(description: "AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE are not set") }
    guard let token = sources.readFile(path) else { throw CredentialError(description: "\(path) cannot be read") }
    let session = sources.environment("AWS_ROLE_SESSION_NAME") ?? "icegate"
    let endpoint = sources.environment("AWS_ENDPOINT_URL_STS") ?? "https://sts.\(sources.region).amazonaws.com"
    let form = SignatureV4.canonicalQuery([
      ("Action", "AssumeRoleWithWebIdentity"), ("Version", "2011-06-15"), ("RoleArn", role),
      ("RoleSessionName", session), ("WebIdentityToken", CredentialChain.trimmed(token)),
    ])
    let answer = try await exchange(
      HTTPExchange(
        method: "POST", url: "\(endpoint)/", headers: [("Content-Type", "application/x-www-form-urlencoded")],
        body: Bytes(form), timeout: .seconds(10), answerBytesMax: 1 << 20))
    let document = XMLDocument(answer.body)
    guard let id = document.first("AccessKeyId"), let secret = document.first("SecretAccessKey"),
      let session = document.first("SessionToken")
    else { throw CredentialError(description: "the security token service gave no keys for \(role)") }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: session,
      expiration: document.first("Expiration").flatMap(CivilTime.seconds(iso8601:)))
  }

  private func fromContainer() async throws(CredentialError) -> AWSCredentials {
    let url: String
    if let relative = sources.environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      url = "http://169.254.170.2\(relative)"
    } else if let full = sources.environment("AWS_CONTAINER_CREDENTIALS_FULL_URI") {
      url = full
    } else {
      throw CredentialError(description: "no container credentials are offered")
    }
    var headers: [(name: String, value: String)] = []
    let file = sources.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE").flatMap(sources.readFile)
    if let token = file ?? sources.environment("AWS_CONTAINER_AUTHORIZATION_TOKEN") {
      headers.append(("Authorization", CredentialChain.trimmed(token)))
    }
    return try await fromJSON(HTTPExchange(method: "GET", url: url, headers: headers, timeout: .seconds(5)))
  }

  private func fromInstance() async throws(CredentialError) -> AWSCredentials {
    if sources.environment("AWS_EC2_METADATA_DISABLED") == "true" {
      throw CredentialError(description: "instance metadata is disabled")
    }
    let base = sources.environment("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? "http://169.254.169.254"
    let token = try await exchange(
      HTTPExchange(
        method: "PUT", url: "\(base)/latest/api/token",
        headers: [("X-aws-ec2-metadata-token-ttl-seconds", "21600")], timeout: .seconds(2), answerBytesMax: 1 << 16))
    let headers = [(name: "X-aws-ec2-metadata-token", value: token.body.text)]
    let path = "\(base)/latest/meta-data/iam/security-credentials/"
    let role = try await exchange(HTTPExchange(method: "GET", url: path, headers: headers, timeout: .seconds(2)))
    let name = role.body.text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
    return try await fromJSON(HTTPExchange(method: "GET", url: path + name, headers: headers, timeout: .seconds(5)))
  }

  private func fromJSON(_ request: HTTPExchange) async throws(CredentialError) -> AWSCredentials {
    let answer = try await exchange(request)
    guard let document = try? JSONDocument(answer.body), let id = document.root["AccessKeyId"]?.string,
      let secret = document.root["SecretAccessKey"]?.string
    else { throw CredentialError(description: "\(request.url) gave no keys") }
    return AWSCredentials(
      accessKeyID: id, secretAccessKey: secret, sessionToken: document.root["Token"]?.string,
      expiration: document.root["Expiration"]?.string.flatMap(CivilTime.seconds(iso8601:)))
  }

  private func exchange(_ request: HTTPExchange) async throws(CredentialError) -> HTTPAnswer {
    do {
      let answer = try await transport.send(request)
      guard answer.status == 200 else {
        throw CredentialError(description: "\(request.url.prefix { $0 != "?" }) answered \(answer.status)")
      }
      return answer
    } catch let error as CredentialError {
      throw error
    } catch {
      throw CredentialError(description: "\(error)")
    }
  }
}
