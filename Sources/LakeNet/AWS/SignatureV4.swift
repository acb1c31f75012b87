import LakeHash
package import LakeModel

/// Signs requests as AWS asks (Signature Version 4, header form). Pure: the time is passed in.
/// Source: AWS General Reference, "Signing AWS API requests".
package struct SignatureV4: Sendable {
  package var credentials: AWSCredentials
  package var region: String
  /// `s3`, `glue`, `s3tables`, `sts`.
  package var service: String

  package init(credentials: AWSCredentials, region: String, service: String) {
    self.credentials = credentials
    self.region = region
    self.service = service
  }

  /// What goes into `x-amz-content-sha256`.
  package enum Payload: Sendable {
    case signed(Bytes)
    /// Left out of the signature: over TLS only.
    case unsigned

    package var hash: String {
      switch self {
      case .signed(let bytes): Hex.text(SHA256.hash(bytes))
      case .unsigned: "UNSIGNED-PAYLOAD"
      }
    }
  }

  /// The headers to add to a request: `host`, `x-amz-date`, `x-amz-content-sha256`, the token if any, `authorization`.
  ///
  /// - Parameters:
  ///   - path: as it goes over the wire, percent-encoded once.
  ///   - query: names and values, not encoded.
  ///   - headers: further headers to sign, as they will be sent.
  package func headers(
    method: String, host: String, path: String, query: [(name: String, value: String)] = [],
    headers: [(name: String, value: String)] = [], payload: Payload, at time: Timestamp
  ) -> [(name: String, value: String)] {
    let stamp = CivilTime(time).basic
    let date = String(stamp.prefix(8))
    let hash = payload.hash
    var signed = headers.map { (name: $0.name.lowercased(), value: SignatureV4.folded($0.value)) }
    signed += [("host", host), ("x-amz-date", stamp), ("x-amz-content-sha256", hash)]
    if let token = credentials.sessionToken { signed.append(("x-amz-security-token", token)) }
    signed.sort { $0.name < $1.name }
    let names = signed.map(\.name).joined(separator: ";")
    // S3 takes the path as sent; every other service encodes it a second time.
    let canonicalPath = service == "s3" ? path : PercentEncoding.encode(path, keepsSlash: true)
    let request = [
      method, canonicalPath, SignatureV4.canonicalQuery(query),
      signed.map { "\($0.name):\($0.value)\n" }.joined(), names, hash,
    ].joined(separator: "\n")
    let scope = "\(date)/\(region)/\(service)/aws4_request"
    let toSign = "AWS4-HMAC-SHA256\n\(stamp)\n\(scope)\n\(Hex.text(SHA256.hash(Bytes(request))))"
    let signature = Hex.text(HMAC.sha256(key: signingKey(date), toSign))
    let authorization =
      "AWS4-HMAC-SHA256 Credential=\(credentials.accessKeyID)/\(scope), SignedHeaders=\(names), Signature=\(signature)"
    return signed.filter { entry in
      entry.name != "host" && !headers.contains { $0.name.lowercased() == entry.name }
    } + [("authorization", authorization)]
  }

  /// `a=1&b=`, encoded and sorted: also what goes over the wire.
  package static func canonicalQuery(_ query: [(name: String, value: String)]) -> String {
    query.map { (PercentEncoding.encode($0.name), PercentEncoding.encode($0.value)) }
      .sorted { $0.0 == $1.0 ? $0.1 < $1.1 : $0.0 < $1.0 }
      .map { "\($0.0)=\($0.1)" }.joined(separator: "&")
  }

  /// Trimmed, runs of spaces made one.
  private static func folded(_ value: String) -> String {
    value.split(separator: " ").joined(separator: " ")
  }

  private func signingKey(_ date: String) -> [UInt8] {
    var key = Array("AWS4\(credentials.secretAccessKey)".utf8)
    for part in [date, region, service, "aws4_request"] { key = HMAC.sha256(key: key, part) }
    return key
  }
}

/// A UTC date and time, proleptic Gregorian.
package struct CivilTime: Hashable, Sendable {
  package let year: Int
  package let month: Int
  package let day: Int
  package let hour: Int
  package let minute: Int
  package let second: Int

  package init(_ time: Timestamp) {
    let seconds = Int(time.nanoseconds / 1_000_000_000)
    let rest = seconds % 86_400
    (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60)
    // Days since 0000-03-01 in eras of 400 years; a year ends with February.
    let days = seconds / 86_400 + 719_468
    let era = days / 146_097
    let ofEra = days % 146_097
    let yearOfEra = (ofEra - ofEra / 1460 + ofEra / 36_524 - ofEra / 146_096) / 365
    let ofYear = ofEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let shifted = (5 * ofYear + 2) / 153
    day = ofYear - (153 * shifted + 2) / 5 + 1
    month = shifted < 10 ? shifted + 3 : shifted - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// `20150830T123600Z`.
  package var basic: String {
    "\(CivilTime.padded(year, 4))\(CivilTime.padded(month, 2))\(CivilTime.padded(day, 2))T"
      + "\(CivilTime.padded(hour, 2))\(CivilTime.padded(minute, 2))\(CivilTime.padded(second, 2))Z"
  }

  private static func padded(_ value: Int, _ width: Int) -> String {
    let text = String(value)
    return String(repeating: "0", count: max(0, width - text.count)) + text
  }

  /// Seconds since the epoch of `2026-11-01T00:00:00Z` (fractions and offsets other than Z are not read); nil otherwise.
  package static func seconds(iso8601 text: String) -> Int64? {
    let bytes = Array(text.utf8)
    guard bytes.count >= 20, bytes[bytes.count - 1] == UInt8(ascii: "Z") else { return nil }
    func number(_ range: Range<Int>) -> Int? { Int(String(decoding: bytes[range], as: UTF8.self)) }
    guard let year = number(0..<4), let month = number(5..<7), let day = number(8..<10), let hour = number(11..<13),
      let minute = number(14..<16), let second = number(17..<19), (1...12).contains(month), (1...31).contains(day)
    else { return nil }
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = shiftedYear / 400
    let yearOfEra = shiftedYear % 400
    let ofYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let ofEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + ofYear
    return Int64((era * 146_097 + ofEra - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
  }
}
