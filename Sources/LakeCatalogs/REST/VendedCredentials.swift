import LakeIceberg
import LakeModel
package import LakeNet
package import LakePorts
import LakeSchema
import Synchronization

/// Keys that catalogs give out with their tables, and signers that they offer instead, for the files below a location;
/// everything else has the configured keys.
package final class VendedCredentials: CredentialSource {
  private struct Grant {
    let prefix: String
    let credentials: AWSCredentials
    let renew: @Sendable () async -> Void
    /// When somebody last asked for new ones: seconds since the epoch.
    var asked: Int64 = 0
  }

  private struct State {
    var grants: [Grant] = []
    var signers: [(prefix: String, signer: any RequestSigner)] = []
  }

  private let standard: any CredentialSource
  private let wall: any WallClock
  private let state = Mutex(State())
  private let renewals = Renewals()
  /// Tables whose keys are remembered.
  private static let grantsMax = 1024
  /// Keys are renewed this long before they expire.
  private static let renewalMargin: Int64 = 300
  /// A renewal that brought nothing is not tried again at once.
  private static let renewalPause: Int64 = 5

  package init(standard: any CredentialSource, wall: any WallClock) {
    self.standard = standard
    self.wall = wall
  }

  // MARK: what catalogs give

  /// - Parameter renew: brings newer keys by another `take`.
  /// - Returns: whether the answer brought keys.
  @discardableResult
  func take(_ answer: RESTTables.Loaded, of table: TableIdentifier, renew: @escaping @Sendable () async -> Void) -> Bool
  {
    if take(answer.credentials, of: table, renew: renew) { return true }
    let own = RESTTables.Loaded.Credential(prefix: answer.metadata.location + "/", config: answer.config)
    return take([own], of: table, renew: renew)
  }

  @discardableResult
  func take(
    _ credentials: [RESTTables.Loaded.Credential], of table: TableIdentifier,
    renew: @escaping @Sendable () async -> Void
  ) -> Bool {
    let found = credentials.compactMap { grant($0.prefix, $0.config, renew) }
    if found.isEmpty { return false }
    state.withLock { state in
      state.grants.removeAll { old in found.contains { $0.prefix == old.prefix } }
      state.grants += found
      if state.grants.count > Self.grantsMax { state.grants.removeFirst(state.grants.count - Self.grantsMax) }
    }
    return true
  }

  /// - Parameter location: of the table, no slash at the end.
  func take(_ signer: any RequestSigner, below location: String) {
    let prefix = Self.normal(location + "/")
    state.withLock { state in
      state.signers.removeAll { $0.prefix == prefix }
      state.signers.append((prefix, signer))
      if state.signers.count > Self.grantsMax { state.signers.removeFirst() }
    }
  }

  private func grant(_ prefix: String, _ config: [String: String], _ renew: @escaping @Sendable () async -> Void)
    -> Grant?
  {
    guard let id = config["s3.access-key-id"], let secret = config["s3.secret-access-key"] else { return nil }
    let expiration = config["s3.session-token-expires-at-ms"].flatMap { Int64($0) }.map { $0 / 1000 }
    return Grant(
      prefix: Self.normal(prefix),
      credentials: AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: config["s3.session-token"], expiration: expiration),
      renew: renew)
  }

  private static func normal(_ location: String) -> String {
    for alias in ["s3a://", "s3n://"] where location.hasPrefix(alias) {
      return "s3://" + location.dropFirst(alias.count)
    }
    return location
  }

  /// Whether the table there came with keys.
  func hasKeys(below location: String) -> Bool { grant(for: Self.normal(location + "/")) != nil }

  // MARK: what requests need

  private var now: Int64 { Int64(wall.now.nanoseconds / 1_000_000_000) }

  package func credentials(for resource: String) async throws(CredentialError) -> AWSCredentials {
    if let due = takeDue(resource) { await renewals.run(due.prefix, due.renew) }
    let now = now
    if let grant = grant(for: resource), grant.credentials.expiration.map({ $0 > now }) ?? true {
      return grant.credentials
    }
    return try await standard.credentials(for: resource)
  }

  package func signer(for resource: String) -> (any RequestSigner)? {
    let keys = grant(for: resource)?.prefix.utf8.count ?? -1
    return state.withLock { state in
      state.signers.filter { resource.hasPrefix($0.prefix) && $0.prefix.utf8.count > keys }
        .max { $0.prefix.utf8.count < $1.prefix.utf8.count }?.signer
    }
  }

  /// The longest prefix counts.
  private func grant(for resource: String) -> Grant? {
    state.withLock { state in
      state.grants.filter { resource.hasPrefix($0.prefix) }.max { $0.prefix.utf8.count < $1.prefix.utf8.count }
    }
  }

  /// The grant of `resource` when its keys are about to expire and nobody has just asked for others.
  private func takeDue(_ resource: String) -> Grant? {
    guard let grant = grant(for: resource), let expiration = grant.credentials.expiration else { return nil }
    let now = now
    guard expiration - Self.renewalMargin <= now else { return nil }
    return state.withLock { state in
      guard let index = state.grants.firstIndex(where: { $0.prefix == grant.prefix }) else { return nil }
      let isExpired = expiration <= now
      // Who holds expired keys waits for the renewal that runs.
      if !isExpired && now - state.grants[index].asked < Self.renewalPause { return nil }
      state.grants[index].asked = now
      return grant
    }
  }
}

/// One renewal of a prefix at a time; who comes meanwhile waits for its end.
private actor Renewals {
  private var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]

  func run(_ prefix: String, _ body: @Sendable () async -> Void) async {
    if waiting[prefix] != nil { return await withCheckedContinuation { waiting[prefix]!.append($0) } }
    waiting[prefix] = []
    await body()
    for continuation in waiting.removeValue(forKey: prefix) ?? [] { continuation.resume() }
  }
}
