package import LakeModel

/// How a body is written.
package enum OTLPEncoding: Hashable, Sendable {
  case protobuf, json
}

/// What rows of a request take from outside its body.
package struct DecodeContext: Sendable {
  package var tenant: TenantID
  package var account: AccountID?
  /// When the request came in; also the time of records that bring none.
  package var ingested: Timestamp
  package var limits: DecodeLimits
  /// What the tenant may send; what goes over it is cut or left out.
  package var recordLimits: RecordLimits
  /// Seeds the hash tables of a decode, so that nobody can prepare keys that collide. Never seen in the result.
  package var hashSeed: UInt64

  package init(
    tenant: TenantID, account: AccountID? = nil, ingested: Timestamp, limits: DecodeLimits = DecodeLimits(),
    recordLimits: RecordLimits = .none, hashSeed: UInt64 = 0x9E37_79B9_7F4A_7C15
  ) {
    self.tenant = tenant
    self.account = account
    self.ingested = ingested
    self.limits = limits
    self.recordLimits = recordLimits
    self.hashSeed = hashSeed
  }
}

/// What bounds the memory that a request's rows may take: a small body must not become huge columns.
package struct DecodeLimits: Hashable, Sendable {
  /// Records (spans, data points) of one request.
  package var recordsMax = 4_000_000
  /// Map entries of one request, counted after the resource's and scope's attributes are repeated on each record.
  package var attributeEntriesMax = 32_000_000
  /// Bytes of one column of one request.
  package var columnBytesMax = 1 << 30
  /// Distinct attribute keys of one request on each level of nesting: resources, scopes and records together, events, links, exemplars.
  package var attributeKeysMax = 100_000
  /// Nesting of arrays and kvlists in one value.
  package var valueDepthMax = 64

  package init() {}
}
