import LakeModel
import LakeNet
package import LakePorts

extension S3ObjectStore {
  package func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage
  {
    precondition(limit > 0)
    let wanted = client.name(ofKey: prefix)
    var query = [
      (name: "list-type", value: "2"), (name: "max-keys", value: String(min(limit, 1000))),
      (name: "prefix", value: wanted), (name: "encoding-type", value: "url"),
    ]
    if let delimiter { query.append(("delimiter", delimiter)) }
    if let startAfter { query.append(("start-after", client.name(ofKey: startAfter))) }
    let answer: HTTPAnswer
    do throws(S3Client.Failure) {
      answer = try await client.send(S3Client.Call(method: "GET", query: query, listed: wanted, isRepeatable: true))
    } catch {
      throw S3ObjectStore.listError(error, bucket: client.settings.bucket)
    }
    guard let root = XMLDocument(answer.body).root, root.name.hasSuffix("ListBucketResult") else {
      throw .unavailable("the store's listing of \(prefix) is not one")
    }
    return page(root, startAfter: startAfter)
  }

  private func page(_ root: XMLDocument.Element, startAfter: String?) -> ObjectPage {
    let isEncoded = root["EncodingType"]?.text == "url"
    func text(_ element: XMLDocument.Element?) -> String {
      isEncoded ? PercentEncoding.decode(element?.text ?? "") : element?.text ?? ""
    }
    let cut = client.settings.prefix.utf8.count
    let mount = client.settings.mount
    func own(_ key: String) -> String { mount + key.utf8.dropFirst(cut).text }
    let objects = root.all("Contents").compactMap { entry in
      ObjectKey(own(text(entry["Key"]))).map {
        ObjectInfo(
          key: $0, size: Int(entry["Size"]?.text ?? "") ?? 0, tag: ContentTag(entry["ETag"]?.text ?? ""),
          modified: entry["LastModified"].flatMap { CivilTime.seconds(iso8601: $0.text) }.map { $0 * 1000 } ?? 0)
      }
    }.sorted { $0.key < $1.key }
    // Some stores repeat a rolled-up prefix that lies before where the listing starts.
    let prefixes = root.all("CommonPrefixes").map { own(text($0["Prefix"])) }
      .filter { prefix in startAfter.map { $0.utf8.lexicographicallyPrecedes(prefix.utf8) } ?? true }
      .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    var next: String?
    if root["IsTruncated"]?.text == "true" {
      next = [objects.last?.key.text, prefixes.last].compactMap { $0 }
        .max { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      // Every key of a rolled-up prefix is behind us, not just the prefix itself.
      if let last = next, last == prefixes.last { next = last + "\u{10FFFF}" }
    }
    return ObjectPage(objects: objects, prefixes: prefixes, next: next)
  }

  private static func listError(_ failure: S3Client.Failure, bucket: String) -> ObjectStoreError {
    if case .answer(let answer) = failure, answer.status == 404 {
      return .denied("the bucket \(bucket) does not exist")
    }
    return failure.certain(ObjectKey(trusted: bucket))
  }
}
