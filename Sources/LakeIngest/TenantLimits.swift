package import LakeModel
package import LakeOTLP

/// What one tenant may send, whatever the door.
package struct TenantLimits: Hashable, Sendable {
  package var rate = RateLimit.none
  package var records = RecordLimits.none
  /// Days, and so partitions, that the records of one request may lie in.
  package var daysMax = 100

  package init() {}
}

/// The limits of each tenant: those of its own, or everybody's.
package struct TenantLimitTable: Sendable {
  package var everybody: TenantLimits
  package var tenants: [TenantID: TenantLimits]

  package init(everybody: TenantLimits = TenantLimits(), tenants: [TenantID: TenantLimits] = [:]) {
    self.everybody = everybody
    self.tenants = tenants
  }

  package subscript(_ tenant: TenantID) -> TenantLimits { tenants[tenant] ?? everybody }
}
