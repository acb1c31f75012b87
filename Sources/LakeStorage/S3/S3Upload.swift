import LakeModel
import LakeNet
package import LakePorts

extension S3ObjectStore {
  package func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    S3Upload(client: client, key: key)
  }
}

/// A multipart upload, begun with its second part: what fits in one is a plain PUT.
private actor S3Upload: ObjectUpload {
  let client: S3Client
  let key: ObjectKey
  private var first: Bytes?
  private var uploadID: String?
  private var tags: [String] = []
  private var hasEnded = false

  init(client: S3Client, key: ObjectKey) {
    self.client = client
    self.key = key
  }

  func append(_ bytes: Bytes) async throws(ObjectStoreError) {
    guard !hasEnded else { throw .denied("the upload of \(key) has ended") }
    if uploadID == nil && first == nil {
      first = bytes
      return
    }
    if uploadID == nil {
      uploadID = try await begin()
      if let first { try await send(first) }
      first = nil
    }
    try await send(bytes)
  }

  private func begin() async throws(ObjectStoreError) -> String {
    let answer = try await call("POST", query: [("uploads", "")], body: Bytes(), isRepeatable: true)
    guard let id = XMLDocument(answer.body).first("UploadId"), !id.isEmpty else {
      throw .unavailable("the store began no upload of \(key)")
    }
    return id
  }

  private func send(_ bytes: Bytes) async throws(ObjectStoreError) {
    let query = [(name: "partNumber", value: String(tags.count + 1)), (name: "uploadId", value: uploadID!)]
    let answer = try await call("PUT", query: query, body: bytes, isRepeatable: true)
    tags.append(answer.header("etag") ?? "")
  }

  func complete() async throws(ObjectStoreError) -> ContentTag {
    guard !hasEnded else { throw .denied("the upload of \(key) has ended") }
    hasEnded = true
    guard let uploadID else {
      return try await S3ObjectStore(client: client).put(key, first ?? Bytes(), condition: .none)
    }
    let parts = tags.enumerated().map {
      "<Part><PartNumber>\($0.offset + 1)</PartNumber><ETag>\($0.element)</ETag></Part>"
    }
    let body = "<CompleteMultipartUpload>\(parts.joined())</CompleteMultipartUpload>"
    let answer = try await call("POST", query: [("uploadId", uploadID)], body: Bytes(body), isRepeatable: false)
    // The store may answer 200 and say in the body that it failed.
    let document = XMLDocument(answer.body)
    if document.root?.name == "Error" { throw .outcomeUnknown(key, S3Client.Failure.text(answer)) }
    // Some stores leave it out, or spell it otherwise than when the object is read.
    if let tag = document.first("ETag"), tag.hasPrefix("\"") { return ContentTag(tag) }
    do throws(ObjectStoreError) { return try await S3ObjectStore(client: client).head(key).tag } catch {
      throw .outcomeUnknown(key, "the upload was completed, and the object cannot be looked at: \(error)")
    }
  }

  func abort() async {
    guard !hasEnded else { return }
    hasEnded = true
    first = nil
    if let uploadID { _ = try? await call("DELETE", query: [("uploadId", uploadID)], body: nil, isRepeatable: true) }
  }

  private func call(_ method: String, query: [(name: String, value: String)], body: Bytes?, isRepeatable: Bool)
    async throws(ObjectStoreError) -> HTTPAnswer
  {
    do throws(S3Client.Failure) {
      return try await client.send(
        S3Client.Call(method: method, key: key.text, query: query, body: body, isRepeatable: isRepeatable))
    } catch {
      throw error.ofWrite(key)
    }
  }
}
