import LakeModel
import LakeNet
package import LakePorts

extension S3ObjectStore {
  /// What the bucket deletes by itself: the prefixes of the expiry rules that are in force.
  ///
  /// Rules for tagged objects are left out: ours have no tags.
  /// - Returns: nil when the store does not say (it has no such rules, or not for us).
  package func expiringPrefixes() async throws(ObjectStoreError) -> [String]? {
    let call = S3Client.Call(method: "GET", query: [("lifecycle", "")], isRepeatable: true)
    let answer: HTTPAnswer
    do throws(S3Client.Failure) { answer = try await client.send(call) } catch {
      guard case .answer(let refusal) = error, refusal.status < 500 || refusal.status == 501 else {
        throw error.certain(ObjectKey(trusted: client.settings.bucket))
      }
      return refusal.status == 404 ? [] : nil
    }
    guard let root = XMLDocument(answer.body).root else { return nil }
    return root.all("Rule").compactMap(S3ObjectStore.expiringPrefix)
  }

  private static func expiringPrefix(_ rule: XMLDocument.Element) -> String? {
    guard rule["Status"]?.text == "Enabled", let expiration = rule["Expiration"],
      expiration["Days"] != nil || expiration["Date"] != nil
    else { return nil }
    guard let filter = rule["Filter"] else { return rule["Prefix"]?.text ?? "" }
    if filter["Tag"] != nil || filter["And"]?["Tag"] != nil { return nil }
    return filter["Prefix"]?.text ?? filter["And"]?["Prefix"]?.text ?? ""
  }
}
