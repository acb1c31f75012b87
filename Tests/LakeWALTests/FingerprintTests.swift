import LakeModel
import LakePorts
import LakeWAL
import Testing

@Suite struct FingerprintTests {
  private func identity(
    tenant: String = "a", account: String? = nil, door: StaticString = "otlp/logs", key: String? = nil,
    body: String = "x", withoutTime: Bool = false
  ) -> RequestIdentity {
    RequestIdentity(
      tenant: TenantID(tenant)!, account: account.flatMap { AccountID($0) }, door: door, idempotencyKey: key,
      body: Bytes(body), hasRecordWithoutTime: withoutTime)
  }

  @Test("the fingerprint is the head of SHA-256 over length-prefixed parts")
  func golden() {
    // printf '1:a-9:otlp/logs-x' | sha256sum
    #expect(identity().fingerprint?.description == "3300943a64e3d8ac105871205f1ed16a")
  }

  @Test("each part makes another request")
  func parts() {
    let all = [
      identity(), identity(tenant: "b"), identity(account: "a"), identity(door: "loki/push"), identity(key: "k"),
      identity(key: ""), identity(body: "y"), identity(key: "x", body: ""), identity(body: ""),
    ]
    #expect(Set(all.map(\.fingerprint)).count == all.count)
    #expect(identity() == identity())
  }

  @Test("the key's scope leaves the body out")
  func scope() {
    #expect(identity().keyScope == nil)
    #expect(identity(key: "k", body: "1").keyScope == identity(key: "k", body: "2").keyScope)
    #expect(identity(key: "k").keyScope != identity(tenant: "b", key: "k").keyScope)
    #expect(identity(key: "k").keyScope != identity(key: "l").keyScope)
  }

  @Test("without a key, a record without a time makes the request like no other")
  func unique() {
    #expect(identity(withoutTime: true) == .unique)
    #expect(identity(key: "k", withoutTime: true).fingerprint == identity(key: "k").fingerprint)
  }

  private let key = ObjectKey(trusted: "queue/_fingerprints/logs/x.fingerprints")

  @Test("a fingerprint object holds each once, in order")
  func objectBytes() throws {
    let set = FingerprintSet([
      Fingerprint(high: 2, low: 1), Fingerprint(high: 1, low: 2), Fingerprint(high: 2, low: 1),
    ])
    #expect(set.fingerprints == [Fingerprint(high: 1, low: 2), Fingerprint(high: 2, low: 1)])
    let bytes = set.encoded()
    #expect(
      Hex.text(bytes.array.prefix(48))
        == "494746505254" + "0001" + "0000000000000002" + "0000000000000001" + "0000000000000002"
        + "0000000000000002" + "0000000000000001")
    #expect(bytes.count == 56)
    #expect(try FingerprintSet(bytes, key: key).fingerprints == set.fingerprints)
  }

  @Test("a fingerprint object cut short or altered anywhere is an error")
  func damagedObject() {
    let bytes = FingerprintSet([Fingerprint(high: 1, low: 2)]).encoded()
    for count in 0..<bytes.count {
      #expect(throws: WALError.self) { try FingerprintSet(bytes[0..<count], key: key) }
    }
    for index in 0..<bytes.count {
      var altered = bytes.array
      altered[index] ^= 0x10
      #expect(throws: WALError.self) { try FingerprintSet(Bytes(altered), key: key) }
    }
    #expect(throws: WALError.newerFormat(key, version: "2")) {
      var later = bytes.array
      later[7] = 2
      _ = try FingerprintSet(Bytes(later), key: key)
    }
  }
}
