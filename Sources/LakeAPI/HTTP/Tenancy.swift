package import LakeModel

/// Who a request speaks for. Source: SPEC section 2, "Tenant".
package struct Tenancy: Sendable, Hashable {
  package let tenant: TenantID
  package let account: AccountID?

  package init(tenant: TenantID, account: AccountID?) {
    self.tenant = tenant
    self.account = account
  }

  /// What OTLP ingest does with a tenant that breaks the rules; every other door and every read refuses it.
  package enum Invalid: Sendable { case `default`, reject }

  package struct Refused: Error, Sendable, CustomStringConvertible {
    /// Safe to show.
    package let description: String
  }

  /// - Parameter header: gives a header's or metadata's value by its name.
  package init(invalid: Invalid, header: (String) -> String?) throws(Refused) {
    tenant = try Tenancy.tenant(header("X-Scope-OrgID"), invalid: invalid)
    switch header("X-Account-ID") {
    case nil, "": account = nil
    case let text?:
      account = AccountID(text)
      if account == nil && invalid == .reject { throw Refused(description: Tenancy.complaint("account ID", text)) }
    }
  }

  private static func tenant(_ text: String?, invalid: Invalid) throws(Refused) -> TenantID {
    guard let text else { return .default }
    if let tenant = TenantID(text) { return tenant }
    if invalid == .default { return .default }
    throw Refused(description: complaint("tenant ID", text))
  }

  private static func complaint(_ what: String, _ text: String) -> String {
    if text.isEmpty { return "\(what) is empty" }
    if text.utf8.count > 150 { return "\(what) is too long: max 150 characters" }
    if text.contains("|") { return "multiple org IDs present" }
    for scalar in text.unicodeScalars {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "-", "_": continue
      default: return "\(what) '\(text)' contains unsupported character '\(Character(scalar))'"
      }
    }
    return "\(what) '\(text)' is not allowed"
  }
}

extension HTTPHeaders {
  /// A header that may come once; several are put together so that no rule takes them for one.
  func joined(_ name: String) -> String? {
    let values = all(name)
    return values.count > 1 ? values.joined(separator: "|") : values.first
  }
}
