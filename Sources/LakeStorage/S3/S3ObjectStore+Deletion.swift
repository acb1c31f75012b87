import LakeHash
import LakeModel
import LakeNet
package import LakePorts

extension S3ObjectStore {
  /// Keys of one request, as many as S3 takes.
  private static let keysPerRequest = 1000

  package func deleteAll(_ keys: [ObjectKey]) async -> [DeletionFailure] {
    var failures: [DeletionFailure] = []
    var rest = keys[...]
    while !rest.isEmpty {
      let batch = Array(rest.prefix(Self.keysPerRequest))
      rest = rest.dropFirst(batch.count)
      // One costs the same either way; no XML holds control characters.
      if batch.count == 1 || client.quirks.deletesOneByOne || batch.contains(where: { !Self.isText($0) }) {
        failures += await deleteOneByOne(batch)
      } else {
        failures += await deleteTogether(batch)
      }
    }
    return failures
  }

  private static func isText(_ key: ObjectKey) -> Bool { key.text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F } }

  private func deleteTogether(_ keys: [ObjectKey]) async -> [DeletionFailure] {
    let body = Bytes(Self.request(keys.map { client.name(ofKey: $0.text) }))
    var call = S3Client.Call(method: "POST", query: [("delete", "")], body: body, isRepeatable: true)
    call.listed = client.name(ofKey: Self.commonPrefix(keys.map(\.text)))
    call.headers = [("Content-Type", "application/xml"), Self.checksum(body)]
    do throws(S3Client.Failure) {
      return try Self.failures(try await client.send(call), keys, client)
    } catch .answer(let answer) where Self.isUnknownRequest(answer) {
      client.quirks.deletesOneByOne = true
      return await deleteOneByOne(keys)
    } catch {
      return keys.map { DeletionFailure(key: $0, error: error.ofWrite($0)) }
    }
  }

  /// Stores that speak S3 only so far.
  private static func isUnknownRequest(_ answer: HTTPAnswer) -> Bool {
    if answer.status == 501 || answer.status == 405 { return true }
    return answer.status == 400
      && ["NotImplemented", "InvalidArgument"].contains(XMLDocument(answer.body).first("Code"))
  }

  private static func request(_ names: [String]) -> String {
    "<Delete xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Quiet>true</Quiet>"
      + names.map { "<Object><Key>\(escaped($0))</Key></Object>" }.joined() + "</Delete>"
  }

  private static func escaped(_ text: String) -> String {
    guard text.utf8.contains(where: { [UInt8(ascii: "&"), UInt8(ascii: "<"), UInt8(ascii: ">")].contains($0) }) else {
      return text
    }
    return text.unicodeScalars.reduce(into: "") { out, scalar in
      switch scalar {
      case "&": out += "&amp;"
      case "<": out += "&lt;"
      case ">": out += "&gt;"
      default: out.unicodeScalars.append(scalar)
      }
    }
  }

  /// S3 wants the body covered by a checksum of the older kind or of the newer.
  private static func checksum(_ body: Bytes) -> (name: String, value: String) {
    if let md5 = MD5.hash(body) { return ("Content-MD5", Base64.encode(md5)) }
    return ("x-amz-checksum-sha256", Base64.encode(SHA256.hash(body)))
  }

  /// Where credentials must reach.
  private static func commonPrefix(_ texts: [String]) -> String {
    guard let first = texts.min(by: { $0.utf8.precedes($1.utf8) }),
      let last = texts.max(by: { $0.utf8.precedes($1.utf8) })
    else { return "" }
    let count = zip(first.utf8, last.utf8).prefix { $0 == $1 }.count
    // Not within a character.
    let slash = first.utf8.prefix(count).lastIndex(of: UInt8(ascii: "/"))
    return slash.map { String(first[...$0]) } ?? ""
  }

  /// A quiet answer names only what could not be deleted.
  private static func failures(_ answer: HTTPAnswer, _ keys: [ObjectKey], _ client: S3Client)
    throws(S3Client.Failure) -> [DeletionFailure]
  {
    guard let root = XMLDocument(answer.body).root, root.name.hasSuffix("DeleteResult") else {
      throw .transport(.broken("the store's answer to a deletion of many is not one"))
    }
    var errors: [String: ObjectStoreError] = [:]
    for error in root.all("Error") {
      guard let name = error["Key"]?.text, let code = error["Code"]?.text, code != "NoSuchKey" else { continue }
      let text = "\(code): \(error["Message"]?.text ?? "")"
      errors[name] =
        switch code {
        case "AccessDenied", "InvalidObjectState", "MethodNotAllowed": .denied(text)
        case "SlowDown", "ServiceUnavailable": .throttled(text)
        default: .unavailable(text)
        }
    }
    if errors.isEmpty { return [] }
    return keys.compactMap { key in
      errors[client.name(ofKey: key.text)].map { DeletionFailure(key: key, error: $0) }
    }
  }
}
