import LakeHash
package import LakeModel

/// Tells a request from every other: 128 bits of SHA-256 (DUP-1).
package struct Fingerprint: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// 32 lower-case hex digits.
  package init?(_ text: some StringProtocol) {
    guard let id = LaneID(text) else { return nil }
    self.init(high: id.high, low: id.low)
  }

  package static func < (a: Fingerprint, b: Fingerprint) -> Bool { (a.high, a.low) < (b.high, b.low) }
  package var description: String { Hex.text(high) + Hex.text(low) }
}

/// What makes two requests the same one.
package struct RequestIdentity: Hashable, Sendable {
  /// nil: the request is like no other (DUP-2, DUP-6).
  package let fingerprint: Fingerprint?
  /// Who may use an `Idempotency-Key` once: tenant, account, door and key without the body; nil without a key.
  package let keyScope: Fingerprint?

  package init(fingerprint: Fingerprint?, keyScope: Fingerprint? = nil) {
    self.fingerprint = fingerprint
    self.keyScope = keyScope
  }

  /// A request that cannot be recognised again.
  package static let unique = RequestIdentity(fingerprint: nil)

  /// DUP-1: the key adds to the body and never stands for it.
  ///
  /// - Parameters:
  ///   - door: a fixed name of the entrance, `otlp/logs`, `loki/push`.
  ///   - body: decompressed.
  ///   - hasRecordWithoutTime: DUP-2: such a request without a key is like no other.
  package init(
    tenant: TenantID, account: AccountID?, door: StaticString, idempotencyKey: String?, body: Bytes,
    hasRecordWithoutTime: Bool
  ) {
    if idempotencyKey == nil && hasRecordWithoutTime {
      self = .unique
      return
    }
    var scope = SHA256()
    var whole = SHA256()
    // Every part carries its length, an absent one is told from an empty one: no two requests share an input.
    for part in [tenant.text, account?.text, "\(door)", idempotencyKey] {
      let field = part.map { "\($0.utf8.count):\($0)" } ?? "-"
      scope.update(field)
      whole.update(field)
    }
    whole.update(body)
    fingerprint = RequestIdentity.leading(whole.finish())
    keyScope = idempotencyKey == nil ? nil : RequestIdentity.leading(scope.finish())
  }

  private static func leading(_ digest: [UInt8]) -> Fingerprint {
    func word(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
    return Fingerprint(high: word(digest[0..<8]), low: word(digest[8..<16]))
  }
}
