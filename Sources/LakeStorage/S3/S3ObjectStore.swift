package import LakeModel
import LakeNet
package import LakePorts

/// An object store on S3 or what speaks like it (PRT-1).
package struct S3ObjectStore: ObjectStore {
  package let client: S3Client

  package init(client: S3Client) { self.client = client }

  package func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    var call = S3Client.Call(method: "GET", key: key.text, isRepeatable: true)
    switch range {
    case nil: break
    case .span(let span):
      // No HTTP range asks for nothing.
      guard span.lowerBound >= 0, !span.isEmpty else { throw try await unsatisfiable(key) }
      call.headers = [("Range", "bytes=\(span.lowerBound)-\(span.upperBound - 1)")]
    case .from(let start):
      guard start >= 0 else { throw try await unsatisfiable(key) }
      call.headers = [("Range", "bytes=\(start)-")]
    case .suffix(let count):
      guard count > 0 else { throw try await unsatisfiable(key) }
      call.headers = [("Range", "bytes=-\(count)")]
    }
    do throws(S3Client.Failure) {
      let answer = try await client.send(call)
      let size = S3ObjectStore.wholeSize(answer) ?? answer.body.count
      if range != nil && answer.status == 200 { return try whole(answer, key, range) }
      return StoredObject(bytes: answer.body, info: S3ObjectStore.info(key, answer, size: size))
    } catch .answer(let answer) where answer.status == 416 {
      // Not every store says in the refusal how large the object is.
      let info = try await head(key)
      if case .suffix = range, info.size == 0 { return StoredObject(bytes: Bytes(), info: info) }
      throw .rangeNotSatisfiable(key, size: info.size)
    } catch {
      throw error.certain(key)
    }
  }

  /// A store that answers a range request with the whole object is taken at its word and cut here.
  private func whole(_ answer: HTTPAnswer, _ key: ObjectKey, _ range: ByteRange?) throws(S3Client.Failure)
    -> StoredObject
  {
    let size = answer.body.count
    let info = S3ObjectStore.info(key, answer, size: size)
    let span: Range<Int>
    switch range {
    case .span(let wanted) where wanted.lowerBound < size: span = wanted.lowerBound..<min(wanted.upperBound, size)
    case .from(let start) where start < size: span = start..<size
    case .suffix(let count): span = max(0, size - count)..<size
    default: throw .answer(HTTPAnswer(status: 416, headers: [], body: Bytes()))
    }
    return StoredObject(bytes: answer.body[span], info: info)
  }

  private func unsatisfiable(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectStoreError {
    .rangeNotSatisfiable(key, size: try await head(key).size)
  }

  package func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo {
    do throws(S3Client.Failure) {
      let answer = try await client.send(S3Client.Call(method: "HEAD", key: key.text, isRepeatable: true))
      return S3ObjectStore.info(key, answer, size: answer.header("content-length").flatMap { Int($0) } ?? 0)
    } catch {
      throw error.certain(key)
    }
  }

  package func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError)
    -> ContentTag
  {
    var call = S3Client.Call(method: "PUT", key: key.text, body: bytes, isRepeatable: condition == .none)
    switch condition {
    case .none: break
    case .ifAbsent: call.headers = [("If-None-Match", "*")]
    case .ifMatch(let tag): return try await replace(key, tag, call)
    }
    do throws(S3Client.Failure) { return S3ObjectStore.tag(try await client.send(call)) } catch {
      throw error.ofWrite(key)
    }
  }

  private func replace(_ key: ObjectKey, _ tag: ContentTag, _ call: S3Client.Call) async throws(ObjectStoreError)
    -> ContentTag
  {
    let form = client.quirks.tagForm
    do throws(ObjectStoreError) {
      let written = try await replace(key, call, tag: form == .unquoted ? S3ObjectStore.bare(tag) : tag.text)
      if form == .unknown { client.quirks.tagForm = .quoted }
      return written
    } catch .preconditionFailed where form == .unknown {
      // Refused although the object is what was asked for: this store compares bare tags. Asking again is safe, it is
      // asked on the same condition.
      guard let found = try? await head(key), found.tag == tag else { throw .preconditionFailed(key) }
      let written = try await replace(key, call, tag: S3ObjectStore.bare(tag))
      client.quirks.tagForm = .unquoted
      return written
    }
  }

  private static func bare(_ tag: ContentTag) -> String {
    tag.text.hasPrefix("\"") && tag.text.hasSuffix("\"") && tag.text.utf8.count > 1
      ? String(tag.text.dropFirst().dropLast()) : tag.text
  }

  private func replace(_ key: ObjectKey, _ call: S3Client.Call, tag: String) async throws(ObjectStoreError)
    -> ContentTag
  {
    var call = call
    call.headers = [("If-Match", tag)]
    do throws(S3Client.Failure) { return S3ObjectStore.tag(try await client.send(call)) } catch {
      // AWS answers If-Match on what is not there with 404.
      let refused = error.ofWrite(key)
      if case .notFound = refused { throw .preconditionFailed(key) }
      throw refused
    }
  }

  package func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    do throws(S3Client.Failure) {
      _ = try await client.send(S3Client.Call(method: "DELETE", key: key.text, isRepeatable: true))
    } catch .answer(let answer) where answer.status == 404 {
      if XMLDocument(answer.body).first("Code") == "NoSuchBucket" {
        throw .denied("the bucket \(client.settings.bucket) does not exist")
      }
    } catch {
      throw error.ofWrite(key)
    }
  }

  // MARK: reading answers

  static func tag(_ answer: HTTPAnswer) -> ContentTag { ContentTag(answer.header("etag") ?? "") }

  static func info(_ key: ObjectKey, _ answer: HTTPAnswer, size: Int) -> ObjectInfo {
    ObjectInfo(
      key: key, size: size, tag: tag(answer),
      modified: answer.header("last-modified").flatMap(HTTPDate.milliseconds) ?? 0)
  }

  /// The `/1234` of `Content-Range: bytes 0-9/1234`.
  static func wholeSize(_ answer: HTTPAnswer) -> Int? {
    answer.header("content-range").flatMap { $0.split(separator: "/").last }.flatMap { Int($0) }
  }
}

/// `Sun, 01 Nov 2026 00:00:00 GMT`.
enum HTTPDate {
  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  static func milliseconds(_ text: String) -> Int64? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, let month = months.firstIndex(of: String(parts[2])) else { return nil }
    let number = month + 1 < 10 ? "0\(month + 1)" : "\(month + 1)"
    return CivilTime.seconds(iso8601: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z").map { $0 * 1000 }
  }
}
