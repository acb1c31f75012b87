/// OTLP as plain values: a slow, independent model for tests. Shares nothing with the decoders.

indirect enum Value: Hashable {
  case none
  case string([UInt8])
  case bool(Bool)
  case int(Int64)
  /// Bits, so that NaN equals itself and -0 differs from 0.
  case double(UInt64)
  case array([Value])
  case kvlist([Pair])
  case bytes([UInt8])

  static func text(_ text: String) -> Value { .string(Array(text.utf8)) }
  static func number(_ value: Double) -> Value { .double(value.bitPattern) }
}

struct Pair: Hashable {
  var key: [UInt8]
  var value: Value

  init(_ key: String, _ value: Value) {
    self.key = Array(key.utf8)
    self.value = value
  }
  init(bytes key: [UInt8], _ value: Value) {
    self.key = key
    self.value = value
  }
}

struct Entity: Hashable {
  var schemaURL: [UInt8] = []
  var type: [UInt8] = []
  var idKeys: [[UInt8]] = []
  var descriptionKeys: [[UInt8]] = []
}

struct ResourceModel: Hashable {
  var attributes: [Pair] = []
  var dropped: UInt32 = 0
  var entities: [Entity] = []
}

struct ScopeModel: Hashable {
  var name: [UInt8] = []
  var version: [UInt8] = []
  var attributes: [Pair] = []
  var dropped: UInt32 = 0
}

struct LogModel: Hashable {
  var time: UInt64 = 0
  var observed: UInt64 = 0
  var severity: Int32 = 0
  var severityText: [UInt8] = []
  var body: Value = .none
  var attributes: [Pair] = []
  var dropped: UInt32 = 0
  var flags: UInt32 = 0
  var traceID: [UInt8] = []
  var spanID: [UInt8] = []
  var eventName: [UInt8] = []
}

struct ScopeGroup<Row: Hashable>: Hashable {
  var scope = ScopeModel()
  var schemaURL: [UInt8] = []
  var rows: [Row] = []
}

struct ResourceGroup<Row: Hashable>: Hashable {
  var resource = ResourceModel()
  var schemaURL: [UInt8] = []
  var scopes: [ScopeGroup<Row>] = []
}

/// The normal form of README.md, for groups: empty ones dropped, equal ones merged where the first of them stands.
func normalForm<Row>(_ groups: [ResourceGroup<Row>]) -> [ResourceGroup<Row>] {
  var out: [ResourceGroup<Row>] = []
  for group in groups {
    for scope in group.scopes where !scope.rows.isEmpty {
      var at = out.firstIndex { $0.resource == group.resource && $0.schemaURL == group.schemaURL }
      if at == nil {
        out.append(ResourceGroup(resource: group.resource, schemaURL: group.schemaURL))
        at = out.count - 1
      }
      let same = out[at!].scopes.firstIndex { $0.scope == scope.scope && $0.schemaURL == scope.schemaURL }
      if let same {
        out[at!].scopes[same].rows += scope.rows
      } else {
        out[at!].scopes.append(scope)
      }
    }
  }
  return out
}

/// Where two requests differ first, as text; nil when they are equal.
func difference<Row>(_ found: [ResourceGroup<Row>], _ expected: [ResourceGroup<Row>]) -> String? {
  if found == expected { return nil }
  func lines(_ groups: [ResourceGroup<Row>]) -> [String] {
    groups.flatMap { group in
      ["resource \(group.resource) \(shown(group.schemaURL))"]
        + group.scopes.flatMap { scope in
          ["scope \(scope.scope) \(shown(scope.schemaURL))"] + scope.rows.map { "row \($0)" }
        }
    }
  }
  return difference(lines(found), lines(expected)) ?? "equal as text"
}

func difference(_ found: [String], _ expected: [String]) -> String? {
  for (line, pair) in zip(found, expected).enumerated() where pair.0 != pair.1 {
    return "line \(line)\n  found    \(pair.0)\n  expected \(pair.1)"
  }
  return found.count == expected.count ? nil : "found \(found.count) lines, expected \(expected.count)"
}

private func shown(_ bytes: [UInt8]) -> String {
  String(validating: bytes, as: UTF8.self).map { "'\($0)'" } ?? "\(bytes)"
}

extension Value: CustomStringConvertible {
  var description: String {
    switch self {
    case .none: "none"
    case .string(let bytes): shown(bytes)
    case .bool(let flag): "\(flag)"
    case .int(let value): "\(value)"
    case .double(let bits): "d\(Double(bitPattern: bits))/\(bits)"
    case .array(let values): "\(values)"
    case .kvlist(let pairs): "kv\(pairs)"
    case .bytes(let bytes): "x\(bytes)"
    }
  }
}

extension Pair: CustomStringConvertible {
  var description: String { shown(key) + ":" + value.description }
}
