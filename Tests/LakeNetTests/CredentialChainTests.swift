import Foundation
import LakeModel
import LakeNet
import LakePorts
import Synchronization
import Testing

@Suite("credentials")
struct CredentialChainTests {
  /// A wall clock that is set.
  final class Wall: WallClock {
    private let seconds = Mutex<Int64>(1_800_000_000)
    var now: Timestamp { Timestamp(nanoseconds: UInt64(seconds.withLock { $0 }) * 1_000_000_000) }
    func advance(_ by: Int64) { seconds.withLock { $0 += by } }
  }

  /// Answers by method and URL; everything else finds nobody.
  final class Servers: HTTPTransport {
    private let state = Mutex<(answers: [String: (Int, String)], seen: [HTTPExchange])>(([:], []))

    var seen: [HTTPExchange] { state.withLock { $0.seen } }
    func set(_ what: String, _ status: Int, _ body: String) { state.withLock { $0.answers[what] = (status, body) } }

    func send(_ exchange: HTTPExchange) async throws(TransportError) -> HTTPAnswer {
      let answer = state.withLock { state in
        state.seen.append(exchange)
        return state.answers["\(exchange.method) \(exchange.url)"]
      }
      guard let answer else { throw .notSent("nobody") }
      return HTTPAnswer(status: answer.0, headers: [], body: Bytes(answer.1))
    }
  }

  static func chain(
    _ environment: [String: String], files: [String: String] = [:], _ servers: Servers = Servers(),
    _ wall: Wall = Wall()
  ) -> CredentialChain {
    CredentialChain(
      sources: .init(environment: { environment[$0] }, readFile: { files[$0] }, region: "eu-west-1"),
      transport: servers, wall: wall)
  }

  /// Seconds after the wall's start, as services write it.
  static func time(_ seconds: Int64) -> String {
    Date(timeIntervalSince1970: TimeInterval(1_800_000_000 + seconds)).ISO8601Format()
  }

  static func keys(_ id: String, until seconds: Int64) -> String {
    #"{"AccessKeyId":"\#(id)","SecretAccessKey":"s","Token":"t","Expiration":"\#(time(seconds))"}"#
  }

  @Test("the environment comes before a file, the file's profile is the one that is named")
  func environmentAndFile() async throws {
    let file =
      "# c\n[default]\naws_access_key_id = D\naws_secret_access_key=d\n[ other ]\naws_access_key_id=O\n"
      + "aws_secret_access_key = o=/+\naws_session_token=t\n"
    let files = ["/home/.aws/credentials": file, "/elsewhere": file]
    let given = try await Self.chain(
      ["AWS_ACCESS_KEY_ID": "E", "AWS_SECRET_ACCESS_KEY": "e", "HOME": "/home"], files: files
    ).credentials()
    #expect(given == AWSCredentials(accessKeyID: "E", secretAccessKey: "e"))
    #expect(try await Self.chain(["HOME": "/home"], files: files).credentials().accessKeyID == "D")
    let other = try await Self.chain(
      ["AWS_SHARED_CREDENTIALS_FILE": "/elsewhere", "AWS_PROFILE": "other"], files: files
    ).credentials()
    #expect(other == AWSCredentials(accessKeyID: "O", secretAccessKey: "o=/+", sessionToken: "t"))
  }

  @Test("a web identity is exchanged for keys")
  func webIdentity() async throws {
    let servers = Servers()
    servers.set(
      "POST https://sts.eu-west-1.amazonaws.com/", 200,
      "<R><Credentials><AccessKeyId>W</AccessKeyId><SecretAccessKey>w</SecretAccessKey><SessionToken>t</SessionToken>"
        + "<Expiration>\(Self.time(3600))</Expiration></Credentials></R>")
    let found = try await Self.chain(
      ["AWS_ROLE_ARN": "arn:aws:iam::1:role/x", "AWS_WEB_IDENTITY_TOKEN_FILE": "/token"], files: ["/token": "jwt\n"],
      servers
    ).credentials()
    #expect(
      found
        == AWSCredentials(accessKeyID: "W", secretAccessKey: "w", sessionToken: "t", expiration: 1_800_003_600))
    let form = servers.seen[0].body!.text
    #expect(form.contains("WebIdentityToken=jwt&") || form.hasSuffix("WebIdentityToken=jwt"))
    #expect(form.contains("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx"))
  }

  @Test("a container's endpoint gets its token; an instance's is asked the second version's way")
  func metadata() async throws {
    let servers = Servers()
    servers.set("GET http://169.254.170.2/creds", 200, Self.keys("C", until: 3600))
    let container = try await Self.chain(
      [
        "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/creds", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE": "/t",
      ], files: ["/t": "secret\n"], servers
    ).credentials()
    #expect(container.accessKeyID == "C")
    #expect(servers.seen.last!.headers.contains { $0.name == "Authorization" && $0.value == "secret" })

    let base = "http://169.254.169.254/latest"
    servers.set("PUT \(base)/api/token", 200, "session")
    servers.set("GET \(base)/meta-data/iam/security-credentials/", 200, "role-a\n")
    servers.set("GET \(base)/meta-data/iam/security-credentials/role-a", 200, Self.keys("I", until: 3600))
    #expect(try await Self.chain([:], files: [:], servers).credentials().accessKeyID == "I")
    #expect(servers.seen.last!.headers.contains { $0.name == "X-aws-ec2-metadata-token" && $0.value == "session" })
  }

  @Test("keys are renewed five minutes before they expire, once for all; a renewal that fails leaves what still works")
  func renewal() async throws {
    let (servers, wall) = (Servers(), Wall())
    let url = "GET http://127.0.0.1/creds"
    servers.set(url, 200, Self.keys("1", until: 3600))
    let chain = Self.chain(
      [
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1/creds",
        "AWS_EC2_METADATA_DISABLED": "true",
      ], servers, wall)
    #expect(try await chain.credentials().accessKeyID == "1")
    wall.advance(3299)
    servers.set(url, 200, Self.keys("2", until: 7200))
    #expect(try await chain.credentials().accessKeyID == "1")
    wall.advance(1)
    let before = servers.seen.count
    try await withThrowingTaskGroup(of: String.self) { group in
      for _ in 0..<10 { group.addTask { try await chain.credentials().accessKeyID } }
      for try await id in group { #expect(id == "2") }
    }
    #expect(servers.seen.count == before + 1)
    wall.advance(3700)
    servers.set(url, 500, "")
    #expect(try await chain.credentials().accessKeyID == "2")
    wall.advance(300)
    await #expect(throws: CredentialError.self) { _ = try await chain.credentials() }
    servers.set(url, 200, Self.keys("3", until: 20_000))
    #expect(try await chain.credentials().accessKeyID == "3")
  }

  @Test("where nothing is found, the error says where was looked")
  func nothing() async throws {
    do {
      _ = try await Self.chain(["HOME": "/home", "AWS_EC2_METADATA_DISABLED": "true"]).credentials()
      Issue.record("found")
    } catch {
      for word in ["AWS_ACCESS_KEY_ID", "AWS_ROLE_ARN", "/home/.aws/credentials", "container", "instance metadata"] {
        #expect(error.description.contains(word), "\(word)")
      }
    }
  }
}
