import Foundation
import LakeAPI
import LakeModel

/// One request to a reference server and its answer.
struct RecordedCase: CustomStringConvertible {
  let id: String
  let category: String
  let method: String
  let path: String
  /// Name and value, repeats included.
  let parameters: [(String, String)]
  let headers: [String: String]
  let status: Int
  let body: Any
  let isSkipped: Bool

  var description: String { "\(id) \(path) \(parameters.map { "\($0.0)=\($0.1)" }.joined(separator: " "))" }

  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/recorded")

  static func load(_ file: String) throws -> [RecordedCase] {
    let raw = try JSONSerialization.jsonObject(with: Data(contentsOf: root.appendingPathComponent(file)))
    return (raw as! [[String: Any]]).map { item in
      var parameters: [(String, String)] = []
      for (name, value) in (item["params"] as? [String: Any] ?? [:]).sorted(by: { $0.key < $1.key }) {
        for one in value as? [String] ?? [value as! String] { parameters.append((name, one)) }
      }
      return RecordedCase(
        id: item["id"] as! String, category: item["category"] as! String, method: item["method"] as! String,
        path: item["path"] as! String, parameters: parameters,
        headers: item["headers"] as? [String: String] ?? [:], status: item["status"] as! Int, body: item["body"]!,
        isSkipped: item["unstable"] != nil || item["category"] as! String == "refbug")
    }
  }

  func request(tenant: String) -> HTTPRequest {
    let allowed = CharacterSet.alphanumerics
    let query = parameters.map { name, value in
      name.addingPercentEncoding(withAllowedCharacters: allowed)! + "="
        + value.addingPercentEncoding(withAllowedCharacters: allowed)!
    }
    var fields: HTTPHeaders = ["X-Scope-OrgID": tenant]
    for (name, value) in headers.sorted(by: { $0.key < $1.key }) { fields.set(name, value) }
    return HTTPRequest(method: method, path: path, query: query.joined(separator: "&"), headers: fields)
  }

  /// The first difference of an answer from the recorded one; nil when they are equal.
  ///
  /// Status exactly; of errors only the status. Streams by label set, entries in order; samples by label set, times
  /// exactly, values within 1e-9; label lists as sets; everything else as it stands. Volatile members are left out.
  func difference(status: Int, body: Any?) -> String? {
    if status != self.status { return "status \(status), want \(self.status): \(text(body))" }
    if self.status >= 300 { return nil }
    return Comparison(query: parameters.first { $0.0 == "query" }?.1 ?? "", path: path).difference(self.body, body)
  }

  /// Whether the recorded message of an error is in the answer.
  func hasMessage(_ body: Any?) -> Bool {
    text(body).contains(text(self.body).trimmingCharacters(in: .whitespacesAndNewlines))
  }

  private func text(_ body: Any?) -> String {
    (body as? [String: Any])?["error"] as? String ?? body as? String ?? ""
  }
}

private struct Comparison {
  let query: String
  let path: String

  private static let volatile: Set<String> = [
    "stats", "metrics", "version", "revision", "branch", "buildUser", "buildDate", "goVersion", "cardinality",
    "encodingFlags",
  ]
  /// Lists whose order carries no meaning.
  private static let collections = ["detectedLabels", "fields", "values", "parsers", "labels"]

  func difference(_ want: Any, _ got: Any?) -> String? {
    guard let got else { return "no JSON" }
    guard let want = want as? [String: Any], let got = got as? [String: Any] else {
      return want is String ? nil : compare(want, got, "")
    }
    if let data = want["data"] as? [String: Any], let type = data["resultType"] as? String {
      return results(type, data["result"]!, got["data"] as? [String: Any])
    }
    if let data = want["data"] as? [Any] { return sets(data, got["data"] as? [Any] ?? []) }
    return compare(sorted(want), sorted(got), "")
  }

  private func results(_ type: String, _ want: Any, _ data: [String: Any]?) -> String? {
    guard let data, data["resultType"] as? String == type else { return "resultType differs" }
    guard let want = want as? [[String: Any]], let got = data["result"] as? [[String: Any]] else {
      return compare(want, data["result"] ?? NSNull(), "result")
    }
    let label = type == "streams" ? "stream" : "metric"
    func keyed(_ list: [[String: Any]]) -> [(String, [String: Any])] { list.map { (canonical($0[label]!), $0) } }
    let (a, b) = (keyed(want), keyed(got))
    let (left, right) = (Set(a.map(\.0)), Set(b.map(\.0)))
    if left != right || b.count != right.count {
      return "series differ: missing \(left.subtracting(right).sorted().prefix(2)) "
        + "extra \(right.subtracting(left).sorted().prefix(2))"
    }
    // Volumes are estimates in the reference.
    if path.contains("index/volume") { return nil }
    let found = Dictionary(b, uniquingKeysWith: { first, _ in first })
    for (key, value) in a {
      if let difference = compare(value, found[key]!, key) { return difference }
    }
    let isSorted = query.trimmingCharacters(in: .whitespaces).hasPrefix("sort")
    return isSorted && a.map(\.0) != b.map(\.0) ? "order differs" : nil
  }

  private func sets(_ want: [Any], _ got: [Any]) -> String? {
    let (a, b) = (want.map(canonical).sorted(), got.map(canonical).sorted())
    return a == b ? nil : "lists differ: want \(a) got \(b)"
  }

  private func canonical(_ value: Any) -> String {
    let data = try! JSONSerialization.data(withJSONObject: value, options: [.sortedKeys, .fragmentsAllowed])
    return String(decoding: data, as: UTF8.self)
  }

  private func sorted(_ value: Any) -> Any {
    if let object = value as? [String: Any] {
      return object.reduce(into: [String: Any]()) { out, member in
        guard !Self.volatile.contains(member.key) else { return }
        let inner = sorted(member.value)
        if Self.collections.contains(member.key), let list = inner as? [Any] {
          out[member.key] = list.sorted { canonical($0) < canonical($1) }
        } else {
          out[member.key] = inner
        }
      }
    }
    return (value as? [Any])?.map(sorted) ?? value
  }

  private func compare(_ want: Any, _ got: Any, _ path: String) -> String? {
    if let want = want as? [String: Any], let got = got as? [String: Any] {
      for key in Set(want.keys).union(got.keys).subtracting(Self.volatile).sorted() {
        guard let a = want[key] else { return "\(path).\(key): not expected" }
        guard let b = got[key] else { return "\(path).\(key): missing" }
        if let difference = compare(a, b, "\(path).\(key)") { return difference }
      }
      return nil
    }
    if let want = want as? [Any], let got = got as? [Any] {
      if want.count != got.count { return "\(path): \(got.count) items, want \(want.count)" }
      for (index, (a, b)) in zip(want, got).enumerated() {
        if let difference = compare(a, b, "\(path)[\(index)]") { return difference }
      }
      return nil
    }
    if let want = want as? String, let got = got as? String {
      return want == got || isSameNumber(want, got) ? nil : "\(path): \(got), want \(want)"
    }
    if let want = want as? NSNumber, let got = got as? NSNumber {
      return close(want.doubleValue, got.doubleValue) ? nil : "\(path): \(got), want \(want)"
    }
    return want is NSNull && got is NSNull ? nil : "\(path): \(got), want \(want)"
  }

  private func isSameNumber(_ want: String, _ got: String) -> Bool {
    let names = ["NaN", "+Inf", "-Inf"]
    if names.contains(want) || names.contains(got) { return want == got }
    guard want.utf8.allSatisfy({ "+-0123456789.eE".utf8.contains($0) }), let a = Double(want), let b = Double(got)
    else {
      return false
    }
    return close(a, b)
  }

  private func close(_ a: Double, _ b: Double) -> Bool {
    a == b || abs(a - b) <= 1e-9 * max(abs(a), abs(b), 1e-12)
  }
}

extension HTTPResponse {
  var bytes: Bytes {
    guard case .bytes(let bytes) = body else { return Bytes() }
    return bytes
  }

  var json: Any? { try? JSONSerialization.jsonObject(with: Data(bytes.array), options: .fragmentsAllowed) }

  var text: String { bytes.text }
}
