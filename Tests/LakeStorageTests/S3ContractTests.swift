import Foundation
import LakeModel
import LakeNet
import LakePorts
import LakeStorage
import PortContracts
import Testing

/// Runs against a server that Conformance/s3 starts: `ICEGATE_TEST_S3=http://127.0.0.1:5000 swift test --filter S3`.
@Suite("the S3 object store", .enabled(if: S3Bench.endpoint != nil, "ICEGATE_TEST_S3 names no server"))
struct S3ContractTests {
  /// The store counts what is put before our keys too.
  private static let shortKeys = ObjectStoreContract.checks.filter {
    $0.name != "a key may have 1024 bytes and any character"
  }

  @Test("keeps the contract of object stores below a prefix", arguments: shortKeys)
  func contract(check: ObjectStoreContract.Check) async throws {
    let store = try await S3Bench.store(prefix: "contract/\(UUID().uuidString)/")
    try await check.run(.init(store: store, prefix: "x/"))
  }

  @Test("keeps it when keys begin with their bucket", arguments: ObjectStoreContract.checks)
  func bucketsContract(check: ObjectStoreContract.Check) async throws {
    let client = S3Bench.client(bucket: "icegate", prefix: "")
    _ = try? await client.createBucket()
    let store = S3Buckets(
      settings: client.settings, transport: S3Bench.transport, credentials: S3Bench.credentials, clock: TestClock(),
      wall: NowWallClock(), random: TestRandomness())
    try await check.run(.init(store: store, prefix: "icegate/buckets/\(UUID().uuidString)/"))
  }

  @Test("an object of many parts appears whole")
  func multipart() async throws {
    let store = try await S3Bench.store(prefix: "parts/\(UUID().uuidString)/")
    let key = ObjectKey(trusted: "large")
    let upload = try await store.beginUpload(key)
    let part = Bytes([UInt8](repeating: 7, count: 5 << 20))
    for _ in 0..<3 { try await upload.append(part) }
    try await upload.append(Bytes("end"))
    await #expect(throws: ObjectStoreError.notFound(key)) { _ = try await store.head(key) }
    _ = try await upload.complete()
    #expect(try await store.head(key).size == 15 << 20 | 3)
    #expect(try await store.get(key, range: .suffix(4)).bytes.array == [7] + Array("end".utf8))
  }

  @Test("a bucket that is not there is refused by name")
  func missingBucket() async throws {
    let store = S3ObjectStore(client: S3Bench.client(bucket: "no-such-bucket", prefix: ""))
    do {
      _ = try await store.list(prefix: "", delimiter: nil, startAfter: nil, limit: 10)
      Issue.record("a listing of nothing")
    } catch {
      #expect("\(error)".contains("no-such-bucket"))
    }
  }

  @Test("no server is an unavailable store, and a write that certainly did not happen")
  func nobodyListens() async throws {
    let store = S3ObjectStore(client: S3Bench.client(bucket: "icegate", prefix: "", endpoint: "http://127.0.0.1:1"))
    do {
      _ = try await store.put(ObjectKey(trusted: "a"), Bytes("1"), condition: .ifAbsent)
      Issue.record("written to nobody")
    } catch {
      guard case .unavailable = error else {
        Issue.record("\(error)")
        return
      }
    }
  }
}

enum S3Bench {
  static let endpoint = ProcessInfo.processInfo.environment["ICEGATE_TEST_S3"]
  static let transport = CurlTransport()

  static var credentials: CredentialChain {
    let environment = ProcessInfo.processInfo.environment
    let given = AWSCredentials(
      accessKeyID: environment["ICEGATE_TEST_S3_KEY"] ?? "test",
      secretAccessKey: environment["ICEGATE_TEST_S3_SECRET"] ?? "test")
    return CredentialChain(
      sources: .init(given: given, environment: { _ in nil }, readFile: { _ in nil }, region: "us-east-1"),
      transport: transport, wall: NowWallClock())
  }

  static func client(bucket: String, prefix: String, endpoint: String? = nil) -> S3Client {
    var settings = S3Settings(
      bucket: bucket, region: "us-east-1", endpoint: endpoint ?? S3Bench.endpoint!, prefix: prefix)
    settings.attemptsMax = 3
    return S3Client(
      settings: settings, transport: transport, credentials: credentials, clock: TestClock(), wall: NowWallClock(),
      random: TestRandomness())
  }

  static func store(prefix: String) async throws -> S3ObjectStore {
    let client = client(bucket: "icegate", prefix: prefix)
    _ = try? await client.createBucket()
    return S3ObjectStore(client: client)
  }
}

struct NowWallClock: WallClock {
  var now: Timestamp { Timestamp(nanoseconds: UInt64(Date().timeIntervalSince1970 * 1e9)) }
}

struct TestClock: LakeClock {
  var now: ClockInstant { ClockInstant(nanoseconds: Int64(DispatchTime.now().uptimeNanoseconds)) }
  func sleep(until deadline: ClockInstant) async throws { try await Task.sleep(for: now.duration(to: deadline)) }
}
