import LakeIceberg
import LakeModel
package import LakeNet
package import LakePorts
import LakeSchema
import Synchronization

/// Keys that catalogs give out with their tables, for the files below a location; everything else has the configured ones.
package final class VendedCredentials: CredentialSource {
  private struct Grant {
    let prefix: String
    let credentials: AWSCredentials
  }

  private let standard: any CredentialSource
  private let wall: any WallClock
  private let grants = Mutex<[Grant]>([])
  /// Tables whose keys are remembered.
  private static let grantsMax = 1024

  package init(standard: any CredentialSource, wall: any WallClock) {
    self.standard = standard
    self.wall = wall
  }

  /// - Returns: whether the answer brought keys.
  func take(_ answer: RESTTables.Loaded, of table: TableIdentifier) -> Bool {
    var found = answer.credentials.compactMap { grant($0.prefix, $0.config) }
    if found.isEmpty, let own = grant(answer.metadata.location + "/", answer.config) { found = [own] }
    if found.isEmpty { return false }
    grants.withLock { grants in
      grants.removeAll { old in found.contains { $0.prefix == old.prefix } }
      grants += found
      if grants.count > Self.grantsMax { grants.removeFirst(grants.count - Self.grantsMax) }
    }
    return true
  }

  private func grant(_ prefix: String, _ config: [String: String]) -> Grant? {
    guard let id = config["s3.access-key-id"], let secret = config["s3.secret-access-key"] else { return nil }
    let expiration = config["s3.session-token-expires-at-ms"].flatMap { Int64($0) }.map { $0 / 1000 }
    return Grant(
      prefix: Self.normal(prefix),
      credentials: AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: config["s3.session-token"], expiration: expiration))
  }

  private static func normal(_ location: String) -> String {
    for alias in ["s3a://", "s3n://"] where location.hasPrefix(alias) {
      return "s3://" + location.dropFirst(alias.count)
    }
    return location
  }

  package func credentials(for resource: String) async throws(CredentialError) -> AWSCredentials {
    let now = Int64(wall.now.nanoseconds / 1_000_000_000)
    let best = grants.withLock { grants in
      grants.filter { resource.hasPrefix($0.prefix) && $0.credentials.expiration.map { $0 > now } ?? true }
        .max { $0.prefix.utf8.count < $1.prefix.utf8.count }
    }
    if let best { return best.credentials }
    return try await standard.credentials(for: resource)
  }
}
