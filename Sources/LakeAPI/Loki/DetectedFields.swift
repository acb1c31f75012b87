import LakeJSON
import LakeLogQL
import LakeModel
import LakeQuery

/// The fields that lines carry: structured metadata, what the query's parsers made, and what JSON or logfmt in the line
/// would give. Source: the recorded cases of `detected_fields`.
struct DetectedFields {
  struct Field {
    var name: String
    var type = "string"
    var values: Set<String> = []
    var parsers: [String] = []
    /// Members of the JSON object, from the outside in.
    var path: [String]?
  }

  private let fieldsMax: Int
  private var positions: [String: Int] = [:]
  /// In the order in which they were first seen.
  private(set) var fields: [Field] = []

  init(fieldsMax: Int) { self.fieldsMax = fieldsMax }

  mutating func add(_ streams: [LogStream]) {
    for stream in streams {
      let streamLabels = Set(stream.labels.pairs.map(\.name))
      let lines = LineColumn(stream.lines)
      for index in 0..<stream.count {
        var parsed: [(name: String, value: String, path: [String]?)] = []
        if index < stream.metadata.count {
          for pair in stream.metadata[index].structured.pairs { note(pair.name, pair.value, parser: nil, path: nil) }
          parsed = stream.metadata[index].parsed.pairs.map { ($0.name, $0.value, nil) }
        }
        let (found, parser) = LineFields.read(lines.text(index), streamLabels: streamLabels)
        for field in parsed + found where !["__error__", "__error_details__"].contains(field.name) {
          note(field.name, field.value, parser: parser, path: field.path)
        }
      }
    }
  }

  private mutating func note(_ name: String, _ value: String, parser: String?, path: [String]?) {
    let position: Int
    if let known = positions[name] {
      position = known
    } else {
      guard fields.count < fieldsMax else { return }
      position = fields.count
      positions[name] = position
      fields.append(Field(name: name))
    }
    if let parser, !fields[position].parsers.contains(parser) { fields[position].parsers.append(parser) }
    if let path { fields[position].path = path }
    fields[position].values.insert(value)
    fields[position].type = DetectedFields.type(of: value)
  }

  /// Values of one field, as a query may hold them: sizes in short form.
  func values(of name: String, limit: Int) -> [String] {
    guard let position = positions[name] else { return [] }
    var values: Set<String> = []
    for value in fields[position].values {
      let isSize = fields[position].path != nil || !fields[position].parsers.isEmpty
      values.insert(isSize ? DetectedFields.shortSize(value) ?? value : value)
    }
    return Array(values.sorted().prefix(limit))
  }

  private static func shortSize(_ value: String) -> String? {
    guard let last = value.last, last.isLetter, let size = ByteSize.parse(value) else { return nil }
    return ByteSize.text(size)
  }

  private static func type(of value: String) -> String {
    if Int64(value) != nil { return "int" }
    if FloatText.parse(value).value != nil { return "float" }
    if ["1", "t", "T", "TRUE", "true", "True", "0", "f", "F", "FALSE", "false", "False"].contains(value) {
      return "boolean"
    }
    if GoDuration.parseGo(value) != nil { return "duration" }
    return ByteSize.parse(value) != nil ? "bytes" : "string"
  }
}

/// What a line says as JSON, or else as logfmt.
private enum LineFields {
  typealias Found = [(name: String, value: String, path: [String]?)]

  static func read(_ line: String, streamLabels: Set<String>) -> (fields: Found, parser: String?) {
    var fields: Found = []
    if let document = try? JSONDocument(Bytes(line)), document.root.kind == .object {
      flatten(document.root, [], &fields)
      return (renamed(fields, streamLabels), "json")
    }
    fields = logfmt(line)
    return (renamed(fields, streamLabels), fields.isEmpty ? nil : "logfmt")
  }

  /// A name that a stream label has already gets another, as in queries.
  private static func renamed(_ fields: Found, _ streamLabels: Set<String>) -> Found {
    fields.map { streamLabels.contains($0.name) ? ($0.name + "_extracted", $0.value, $0.path) : $0 }
  }

  private static func flatten(_ object: JSONValue, _ path: [String], _ fields: inout Found) {
    for member in object.members {
      let inner = path + [member.nameText]
      if member.value.kind == .object {
        flatten(member.value, inner, &fields)
      } else if let text = text(member.value) {
        fields.append((inner.map(sanitized).joined(separator: "_"), text, inner))
      }
    }
  }

  /// nil for arrays, nothing and empty texts.
  private static func text(_ value: JSONValue) -> String? {
    switch value.kind {
    case .string: value.string.flatMap { $0.isEmpty ? nil : $0 }
    case .integer: value.int64.map { String($0) }
    case .unsigned: value.uint64.map { String($0) }
    case .double: value.double.map { FloatText.fixed($0) }
    case .bool: value.bool.map { $0 ? "true" : "false" }
    case .array, .object, .null: nil
    }
  }

  private static func sanitized(_ name: String) -> String {
    var out = ""
    for scalar in name.unicodeScalars {
      let isLetter = ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || scalar == "_"
      let isDigit = ("0"..."9").contains(scalar)
      if out.isEmpty && isDigit { out = "_" }
      out.unicodeScalars.append(isLetter || isDigit ? scalar : "_")
    }
    return out
  }

  /// `key=value` and `key="value"`; keys alone say nothing.
  private static func logfmt(_ line: String) -> Found {
    var fields: Found = []
    var rest = Array(line.utf8)[...]
    func text(_ bytes: some Sequence<UInt8>) -> String { String(decoding: Array(bytes), as: UTF8.self) }
    while true {
      rest = rest.drop { $0 <= 32 }
      if rest.isEmpty { return fields }
      let key = rest.prefix { $0 > 32 && $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: "\"") }
      rest = rest.dropFirst(key.count)
      guard !key.isEmpty, rest.first == UInt8(ascii: "=") else {
        rest = rest.drop { $0 > 32 }
        continue
      }
      rest = rest.dropFirst()
      var value: [UInt8] = []
      if rest.first == UInt8(ascii: "\"") {
        rest = rest.dropFirst()
        while let byte = rest.popFirst(), byte != UInt8(ascii: "\"") {
          value.append(byte == UInt8(ascii: "\\") ? rest.popFirst() ?? byte : byte)
        }
      } else {
        value = Array(rest.prefix { $0 > 32 })
        rest = rest.dropFirst(value.count)
      }
      if !value.isEmpty { fields.append((sanitized(text(key)), text(value), nil)) }
    }
  }
}
