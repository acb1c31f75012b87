/// One row on its way through a slow pipeline.
struct SlowRow {
  enum Kind { case stream, structured, parsed }
  struct Label: Equatable {
    var value: String
    var kind: Kind
  }
  let time: Int64
  var line: String
  var labels: [String: Label] = [:]
  /// What the stream brought, taken away since or not.
  let streamNames: Set<String>
  /// Usable in filters, never shown.
  var hidden: [String: String] = [:]
  /// Labels that parsers and formatters made, taken away since or not.
  var made: Set<String> = []
  var error = ""
  var details = ""
  var preservesError = false

  init(_ row: TestRow) {
    time = row.time
    line = row.body ?? ""
    let names = row.streamLabels
    for (name, value) in row.labels {
      labels[name] = Label(value: value, kind: names.contains(name) ? .stream : .structured)
    }
    streamNames = Set(labels.filter { $0.value.kind == .stream }.keys)
    for (name, value) in row.usable where labels[name] == nil { hidden[name] = value }
  }

  func text(_ name: String) -> String {
    name == "__error__" ? error : labels[name]?.value ?? hidden[name] ?? ""
  }

  mutating func set(_ name: String, _ value: String) {
    labels[name] = Label(value: value, kind: .parsed)
    made.insert(name)
  }

  /// A label found by a parser: `_extracted` when the row came with such a name, and each name only once.
  mutating func extract(_ name: String, _ value: String, _ hints: SlowHints) {
    let free = freeName(name)
    if hints.wants(free) && !made.contains(free) { set(free, value) }
  }

  func freeName(_ name: String) -> String {
    streamNames.contains(name) || labels[name]?.kind == .structured ? name + "_extracted" : name
  }

  mutating func fail(_ kind: String, _ details: String?, _ hints: SlowHints? = nil) {
    error = kind
    if let details { self.details = details }
    if hints?.preservesErrors == true { preservesError = true }
  }

  /// Everything that is shown and that templates see, errors included. A label may be there and empty.
  var shown: [String: String] {
    var all = labels.mapValues(\.value)
    if !error.isEmpty { all["__error__"] = error }
    if !details.isEmpty { all["__error_details__"] = details }
    if preservesError && !error.isEmpty { all["__preserve_error__"] = "true" }
    return all
  }
}

/// Which labels a metric query needs: its parsers look for no others, and stop when they have all.
struct SlowHints {
  /// nil: every label.
  var required: Set<String>?
  var isNothing = false
  var preservesErrors: Bool { required?.contains("__error__") == true }

  static let none = SlowHints(required: nil)

  func wants(_ name: String) -> Bool { required?.contains(name) ?? true }
  func wantsBelow(_ prefix: String) -> Bool { required?.contains { $0.hasPrefix(prefix) } ?? true }
  func isDone(_ row: SlowRow) -> Bool { isNothing || required.map { $0.isSubset(of: row.made) } ?? false }
}
