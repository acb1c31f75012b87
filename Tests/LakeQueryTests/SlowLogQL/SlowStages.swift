/// `name="value"` and its like; an absent label counts as empty.
struct SlowMatcher {
  enum Test {
    case equal(String)
    case matches(SlowExpression)
  }
  var name: String
  var test: Test
  var isNegated = false

  var text: String {
    switch test {
    case .equal(let value): "\(name)\(isNegated ? "!=" : "=")\(SlowText.quoted(value))"
    case .matches(let expression): "\(name)\(isNegated ? "!~" : "=~")\(SlowText.quoted(expression.text))"
    }
  }

  func holds(_ value: String) -> Bool {
    switch test {
    case .equal(let wanted): (value == wanted) != isNegated
    case .matches(let wanted):
      (wanted.tree.wholeMatch(of: value, wanted.options(dotTakesAll: true)) != nil) != isNegated
    }
  }

  /// As a filter of a pipeline.
  func keeps(_ value: String) -> Bool {
    guard case .matches(let wanted) = test else { return holds(value) }
    if let (any, _) = SlowShortcut.of(wanted, isLabel: true) {
      return (any.isEmpty || any.contains { $0.holds(value, ignoresCase: wanted.ignoresCase) }) != isNegated
    }
    return (wanted.tree.wholeMatch(of: value, wanted.options()) != nil) != isNegated
  }
}

enum SlowText {
  static func quoted(_ text: String) -> String {
    if text.contains("\\") && !text.contains("`") { return "`\(text)`" }
    return "\"" + text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n") + "\""
  }
}

struct SlowLineFilter {
  enum Operand {
    case text(String)
    case ip(String)
    case regex(SlowExpression)
    case pattern([SlowPatternPart])

    var text: String {
      switch self {
      case .text(let text): SlowText.quoted(text)
      case .ip(let pattern): "ip(\(SlowText.quoted(pattern)))"
      case .regex(let expression): SlowText.quoted(expression.text)
      case .pattern(let parts): SlowText.quoted(parts.map(\.text).joined())
      }
    }

    var holdsAlways: Bool {
      switch self {
      case .text(let text): text.isEmpty
      case .regex(let expression): SlowShortcut.of(expression, isLabel: false)?.any.isEmpty == true
      case .ip, .pattern: false
      }
    }

    func holds(_ line: String) -> Bool {
      switch self {
      case .text(let text):
        let (line, text) = (Array(line.utf8), Array(text.utf8))
        return text.count <= line.count
          && (0...line.count - text.count).contains { line[$0..<$0 + text.count].elementsEqual(text) }
      case .ip(let pattern): return SlowValues.holdsAddress(pattern, line)
      case .regex(let expression):
        if let (any, forgets) = SlowShortcut.of(expression, isLabel: false), forgets {
          return any.contains { $0.holds(line, ignoresCase: expression.ignoresCase) }
        }
        return expression.tree.firstMatch(in: line, expression.options()) != nil
      case .pattern(let parts): return SlowParsers.patternHolds(parts, line)
      }
    }
  }
  /// All of one kind; `text` and `ip` are one.
  var operands: [Operand]
  var isNegated: Bool

  var text: String {
    let sign =
      switch operands[0] {
      case .text, .ip: isNegated ? "!=" : "|="
      case .regex: isNegated ? "!~" : "|~"
      case .pattern: isNegated ? "!>" : "|>"
      }
    return sign + " " + operands.map(\.text).joined(separator: " or ")
  }

  func keeps(_ line: String) -> Bool {
    // What every line holds is forgotten beside others.
    let telling = isNegated ? operands : operands.filter { !$0.holdsAlways }
    return (telling.isEmpty ? operands : telling).contains { $0.holds(line) } != isNegated
  }
}

indirect enum SlowFilter {
  enum Quantity { case number, duration, bytes }
  case matcher(SlowMatcher)
  /// With the literal's text and what it means.
  case quantity(String, Quantity, String, text: String, Double)
  case ip(String, isNegated: Bool, String)
  case and(SlowFilter, SlowFilter, sign: String)
  case or(SlowFilter, SlowFilter)

  var text: String {
    switch self {
    case .matcher(let matcher): matcher.text
    case .quantity(let name, _, let sign, let text, _): "\(name) \(sign) \(text)"
    case .ip(let name, let isNegated, let pattern): "\(name) \(isNegated ? "!=" : "=") ip(\"\(pattern)\")"
    case .and(let left, let right, let sign): "\(left.inside)\(sign)\(right.inside)"
    case .or(let left, let right): "\(left.inside) or \(right.inside)"
    }
  }

  private var inside: String {
    switch self {
    case .and, .or: "(\(text))"
    default: text
    }
  }

  var names: Set<String> {
    switch self {
    case .matcher(let matcher): [matcher.name]
    case .quantity(let name, _, _, _, _), .ip(let name, _, _): [name]
    case .and(let left, let right, _), .or(let left, let right): left.names.union(right.names)
    }
  }

  func keeps(_ row: inout SlowRow) -> Bool {
    switch self {
    case .matcher(let matcher): return matcher.keeps(row.text(matcher.name))
    case .and(let left, let right, _):
      let (a, b) = (left.keeps(&row), right.keeps(&row))
      return a && b
    case .or(let left, let right): return left.keeps(&row) || right.keeps(&row)
    case .ip(let name, let isNegated, let pattern):
      if !row.error.isEmpty { return true }
      guard let value = row.labels[name]?.value ?? row.hidden[name] else { return false }
      return SlowValues.holdsAddress(pattern, value) != isNegated
    case .quantity(let name, let kind, let sign, _, let wanted):
      guard let text = row.labels[name]?.value ?? row.hidden[name] else { return false }
      do throws(SlowValues.Unreadable) {
        let value =
          switch kind {
          case .number: try SlowValues.number(text)
          case .duration: try SlowValues.duration(text)
          case .bytes: try SlowValues.bytes(text)
          }
        return SlowFilter.compare(value, sign, wanted)
      } catch {
        // A row that cannot be judged stays, with a mark.
        if row.error.isEmpty { row.fail("LabelFilterErr", error.message) }
        return true
      }
    }
  }

  static func compare(_ a: Double, _ sign: String, _ b: Double) -> Bool {
    switch sign {
    case "=", "==": a == b
    case "!=": a != b
    case ">": a > b
    case ">=": a >= b
    case "<": a < b
    default: a <= b
    }
  }
}

/// A part of Go's templates.
indirect enum SlowTemplate {
  case text(String)
  case field(String)
  case upper(String), lower(String)
  case truncated(Int, String)
  case replaced(String, by: String, String)
  case either(String, String, else: String)
  case ifEqual(String, String, then: String)
  case fallback(String, String)
  case joined(String, String)
  case line, nanoseconds
  /// `trunc`, from the end when negative.
  case cut(Int, String)
  case withoutPrefix(String, String), withoutSuffix(String, String), without(String, String)
  case repeated(Int, String), length(String), rightAligned(Int, String)
  case holds(String, String), begins(String, String), ends(String, String)
  case sum(Int, Int), product(Int, Int), quotient(Int, Int), rest(Int, Int)
  case base64(String), escaped(String), occurrences(String, String), quoted(String)
  /// A variable, a comparison of lengths, the first true or false text.
  case longer(String, String), both(String, String), one(String, String)
  case seconds, milliseconds

  var text: String {
    switch self {
    case .text(let text): text
    case .field(let name): "{{.\(name)}}"
    case .upper(let name): "{{ .\(name) | ToUpper }}"
    case .lower(let name): "{{ToLower .\(name)}}"
    case .truncated(let count, let name): "{{ alignLeft \(count) .\(name) }}"
    case .replaced(let old, let new, let name): "{{ .\(name) | replace \"\(old)\" \"\(new)\" }}"
    case .either(let name, let then, let other): "{{if .\(name)}}\(then){{else}}\(other){{end}}"
    case .ifEqual(let name, let value, let then): "{{ if eq .\(name) \"\(value)\" }}\(then){{ end }}"
    case .fallback(let value, let name): "{{ default \"\(value)\" .\(name) }}"
    case .joined(let a, let b): "{{ printf \"%s/%s\" .\(a) .\(b) }}"
    case .line: "{{__line__}}"
    case .nanoseconds: "{{ __timestamp__ | unixEpochNanos }}"
    case .cut(let count, let name): "{{ trunc \(count) .\(name) }}"
    case .withoutPrefix(let prefix, let name): "{{ trimPrefix \"\(prefix)\" .\(name) }}"
    case .withoutSuffix(let suffix, let name): "{{ TrimSuffix .\(name) \"\(suffix)\" }}"
    case .without(let set, let name): "{{ .\(name) | trimAll \"\(set)\" }}"
    case .repeated(let count, let name): "{{ repeat \(count) .\(name) }}"
    case .length(let name): "{{ len .\(name) }}"
    case .rightAligned(let count, let name): "{{ alignRight \(count) .\(name) }}"
    case .holds(let part, let name): "{{ contains \"\(part)\" .\(name) }}"
    case .begins(let part, let name): "{{ if hasPrefix \"\(part)\" .\(name) }}^{{ else }}.{{ end }}"
    case .ends(let part, let name): "{{ .\(name) | hasSuffix \"\(part)\" }}"
    case .sum(let a, let b): "{{ add \(a) \(b) 1 }}"
    case .product(let a, let b): "{{ \(a) | mul \(b) }}"
    case .quotient(let a, let b): "{{ div \(a) \(b) }}"
    case .rest(let a, let b): "{{ mod \(a) \(b) }}"
    case .base64(let name): "{{ b64enc .\(name) }}"
    case .escaped(let name): "{{ urlencode .\(name) }}"
    case .occurrences(let text, let name): "{{ count \"\(text)\" .\(name) }}"
    case .quoted(let name): "{{ printf \"[%-4s|%4s]\" .\(name) .\(name) }}"
    case .longer(let a, let b): "{{ $a := len .\(a) }}{{ if gt $a (len .\(b)) }}>{{ else }}<={{ end }}"
    case .both(let a, let b): "{{ and .\(a) .\(b) }}"
    case .one(let a, let b): "{{ with or .\(a) .\(b) }}({{ . }}){{ end }}"
    case .seconds: "{{ unixEpoch __timestamp__ }}"
    case .milliseconds: "{{ __timestamp__ | unixEpochMillis }}"
    }
  }

  var names: [String] {
    switch self {
    case .text, .line, .nanoseconds, .seconds, .milliseconds, .sum, .product, .quotient, .rest: []
    case .cut(_, let name), .withoutPrefix(_, let name), .withoutSuffix(_, let name),
      .without(_, let name), .repeated(_, let name), .length(let name), .rightAligned(_, let name), .holds(_, let name),
      .begins(_, let name), .ends(_, let name), .base64(let name), .escaped(let name), .occurrences(_, let name),
      .quoted(let name):
      [name]
    case .longer(let a, let b), .both(let a, let b), .one(let a, let b): [a, b]
    case .field(let name), .upper(let name), .lower(let name), .truncated(_, let name), .replaced(_, _, let name),
      .either(let name, _, _), .ifEqual(let name, _, _), .fallback(_, let name):
      [name]
    case .joined(let a, let b): [a, b]
    }
  }

  func run(_ labels: [String: String], _ line: String, _ time: Int64) -> String {
    func value(_ name: String) -> String { labels[name] ?? "" }
    switch self {
    case .text(let text): return text
    case .field(let name): return value(name)
    case .upper(let name): return value(name).uppercased()
    case .lower(let name): return value(name).lowercased()
    case .truncated(let count, let name):
      let scalars = value(name).unicodeScalars
      if count < 0 { return value(name) }
      return String(String.UnicodeScalarView(scalars.prefix(count)))
        + String(repeating: " ", count: max(0, count - scalars.count))
    case .replaced(let old, let new, let name): return value(name).replacing(old, with: new)
    case .either(let name, let then, let other): return value(name).isEmpty ? other : then
    case .ifEqual(let name, let wanted, let then): return value(name) == wanted ? then : ""
    case .fallback(let other, let name): return value(name).isEmpty ? other : value(name)
    case .joined(let a, let b): return value(a) + "/" + value(b)
    case .line: return line
    case .nanoseconds: return String(time)
    case .cut(let count, let name):
      // Bytes; those of characters cut in two are U+FFFD each.
      let all = value(name).unicodeScalars.flatMap { scalar in
        let bytes = Array(String(scalar).utf8)
        return bytes.enumerated().map { (scalar: scalar, index: $0.offset, of: bytes.count) }
      }
      let kept = Array(count < 0 ? all.suffix(-count) : all.prefix(count))
      var out = String.UnicodeScalarView()
      for (place, byte) in kept.enumerated() {
        let first = place - byte.index
        if first < 0 || first + byte.of > kept.count {
          out.append("\u{FFFD}")
        } else if byte.index == 0 {
          out.append(byte.scalar)
        }
      }
      return String(out)
    case .withoutPrefix(let prefix, let name):
      let all = Array(value(name).unicodeScalars)
      return text(all.starts(with: prefix.unicodeScalars) ? all.dropFirst(prefix.unicodeScalars.count) : all[...])
    case .withoutSuffix(let suffix, let name):
      let all = Array(value(name).unicodeScalars)
      return text(
        all.reversed().starts(with: suffix.unicodeScalars.reversed())
          ? all.dropLast(suffix.unicodeScalars.count) : all[...])
    case .without(let set, let name):
      var all = Array(value(name).unicodeScalars)[...]
      while let first = all.first, set.unicodeScalars.contains(first) { all.removeFirst() }
      while let last = all.last, set.unicodeScalars.contains(last) { all.removeLast() }
      return text(all)
    case .repeated(let count, let name): return (0..<count).map { _ in value(name) }.joined()
    case .length(let name): return String(value(name).utf8.count)
    case .rightAligned(let count, let name):
      let all = Array(value(name).unicodeScalars)
      return String(repeating: " ", count: max(0, count - all.count)) + text(all.suffix(count))
    case .holds(let part, let name): return String(occurrences(part, value(name)) > 0)
    case .begins(let part, let name):
      return value(name).unicodeScalars.starts(with: part.unicodeScalars) ? "^" : "."
    case .ends(let part, let name):
      return String(value(name).unicodeScalars.reversed().starts(with: part.unicodeScalars.reversed()))
    case .sum(let a, let b): return String(a + b + 1)
    case .product(let a, let b): return String(a * b)
    case .quotient(let a, let b): return String(a / b)
    case .rest(let a, let b): return String(a % b)
    case .base64(let name): return SlowTemplate.base64(Array(value(name).utf8))
    case .escaped(let name): return SlowTemplate.escaped(value(name))
    case .occurrences(let part, let name): return String(occurrences(part, value(name)))
    case .quoted(let name):
      let pad = String(repeating: " ", count: max(0, 4 - value(name).unicodeScalars.count))
      return "[\(value(name))\(pad)|\(pad)\(value(name))]"
    case .longer(let a, let b): return value(a).utf8.count > value(b).utf8.count ? ">" : "<="
    case .both(let a, let b): return value(a).isEmpty ? "" : value(b)
    case .one(let a, let b):
      let first = value(a).isEmpty ? value(b) : value(a)
      return first.isEmpty ? "" : "(\(first))"
    case .seconds: return String(time / 1_000_000_000)
    case .milliseconds: return String(time / 1_000_000)
    }
  }

  private func text(_ scalars: ArraySlice<Unicode.Scalar>) -> String { String(String.UnicodeScalarView(scalars)) }

  /// Of a text without anything special to expressions, one behind the other.
  private func occurrences(_ part: String, _ text: String) -> Int {
    let (all, wanted) = (Array(text.utf8), Array(part.utf8))
    var (at, count) = (0, 0)
    while at + wanted.count <= all.count {
      if Array(all[at..<at + wanted.count]) == wanted {
        count += 1
        at += wanted.count
      } else {
        at += 1
      }
    }
    return count
  }

  private static func base64(_ bytes: [UInt8]) -> String {
    let digits = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var out = ""
    for start in stride(from: 0, to: bytes.count, by: 3) {
      let group = Array(bytes[start..<min(start + 3, bytes.count)])
      let bits = group.enumerated().reduce(0) { $0 | Int($1.element) << (16 - 8 * $1.offset) }
      for place in 0..<4 { out.append(place <= group.count ? digits[bits >> (18 - 6 * place) & 63] : "=") }
    }
    return out
  }

  private static func escaped(_ text: String) -> String {
    text.utf8.map { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "~"):
        String(UnicodeScalar(byte))
      case UInt8(ascii: " "): "+"
      default: "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
      }
    }.joined()
  }
}

enum SlowStage {
  enum Choice {
    case name(String)
    case matching(SlowMatcher)
    var text: String {
      switch self {
      case .name(let name): name
      case .matching(let matcher): matcher.text
      }
    }
  }
  enum Format {
    case rename(String)
    case template([SlowTemplate])
  }
  case line(SlowLineFilter)
  case filter(SlowFilter)
  case json
  case jsonPaths([(label: String, steps: [SlowPathStep])])
  case logfmt(isStrict: Bool, keepsEmpty: Bool, [(label: String, key: String)])
  case regexp(SlowExpression)
  case pattern([SlowPatternPart])
  case unpack
  case lineFormat([SlowTemplate])
  case labelFormat([(label: String, Format)])
  case decolorize
  case drop([Choice])
  case keep([Choice])

  var text: String {
    switch self {
    case .line(let filter): return filter.text
    case .filter(let filter): return "| " + filter.text
    case .json: return "| json"
    case .jsonPaths(let paths):
      return "| json "
        + paths.map { label, steps in
          var text = ""
          for step in steps {
            switch step {
            case .index(let index): text += "[\(index)]"
            case .member(let name):
              let isPlain = name.utf8.allSatisfy { (97...122).contains($0) || $0 == 95 }
              text += isPlain ? (text.isEmpty ? "" : ".") + name : "[\"\(name)\"]"
            }
          }
          return "\(label)=\(SlowText.quoted(text))"
        }.joined(separator: ", ")
    case .logfmt(let isStrict, let keepsEmpty, let extractions):
      return "| logfmt" + (isStrict ? " --strict" : "") + (keepsEmpty ? " --keep-empty" : "") + " "
        + extractions.map { $0.label == $0.key ? $0.label : "\($0.label)=\"\($0.key)\"" }.joined(separator: ",")
    case .regexp(let expression): return "| regexp " + SlowText.quoted(expression.text)
    case .pattern(let parts): return "| pattern " + SlowText.quoted(parts.map(\.text).joined())
    case .unpack: return "| unpack"
    case .lineFormat(let parts): return "| line_format `\(parts.map(\.text).joined())`"
    case .labelFormat(let formats):
      return "| label_format "
        + formats.map { label, format in
          switch format {
          case .rename(let from): "\(label)=\(from)"
          case .template(let parts): "\(label)=`\(parts.map(\.text).joined())`"
          }
        }.joined(separator: ",")
    case .decolorize: return "| decolorize"
    case .drop(let choices): return "| drop " + choices.map(\.text).joined(separator: ", ")
    case .keep(let choices): return "| keep " + choices.map(\.text).joined(separator: ",")
    }
  }

  /// Labels that the stage reads, as far as they tell parsers what to look for.
  var names: Set<String> {
    switch self {
    case .filter(let filter): return filter.names
    case .lineFormat(let parts): return Set(parts.flatMap(\.names))
    case .labelFormat(let formats):
      return Set(
        formats.flatMap { format -> [String] in
          switch format.1 {
          case .rename(let from): [from]
          case .template(let parts): parts.flatMap(\.names)
          }
        })
    default: return []
    }
  }

  /// - Returns: whether the row stays.
  func run(_ row: inout SlowRow, _ hints: SlowHints) -> Bool {
    switch self {
    case .line(let filter): return filter.keeps(row.line)
    case .filter(let filter): return filter.keeps(&row)
    case .json: SlowParsers.json(&row, hints)
    case .jsonPaths(let paths): SlowParsers.jsonPaths(paths, &row, hints)
    case .logfmt(let isStrict, let keepsEmpty, let extractions):
      SlowParsers.logfmt(isStrict: isStrict, keepsEmpty: keepsEmpty, extractions, &row, hints)
    case .regexp(let expression):
      guard let found = expression.tree.firstMatch(in: row.line, expression.options()) else { return true }
      for name in expression.tree.groupNames { row.extract(name, found[name] ?? "", hints) }
    case .pattern(let parts): SlowParsers.pattern(parts, &row, hints)
    case .unpack: SlowParsers.unpack(&row, hints)
    case .lineFormat(let parts):
      let labels = row.shown
      if parts.count == 1, case .field(let name) = parts[0] {
        row.line = row.labels[name]?.value ?? ""
      } else {
        row.line = parts.map { $0.run(labels, row.line, row.time) }.joined()
      }
    case .labelFormat(let formats): SlowStage.format(formats, &row)
    case .decolorize: row.line = SlowStage.withoutColours(row.line)
    case .drop(let choices): SlowStage.drop(choices, &row)
    case .keep(let choices):
      row.labels = row.labels.filter { name, label in
        choices.contains { choice in
          switch choice {
          case .name(let wanted): wanted == name
          case .matching(let matcher): matcher.name == name && matcher.holds(label.value)
          }
        }
      }
    }
    return true
  }

  /// Templates see the labels as they were before the stage's first template.
  private static func format(_ formats: [(label: String, Format)], _ row: inout SlowRow) {
    var seen: [String: String]?
    for (label, format) in formats {
      switch format {
      case .rename(let from):
        guard let value = row.labels[from]?.value else { continue }
        row.set(label, value)
        row.labels[from] = nil
      case .template(let parts):
        if seen == nil { seen = row.shown }
        row.set(label, parts.map { $0.run(seen!, row.line, row.time) }.joined())
      }
    }
  }

  private static func drop(_ choices: [Choice], _ row: inout SlowRow) {
    for choice in choices {
      var name = ""
      switch choice {
      case .name(let one): name = one
      case .matching(let matcher):
        name = matcher.name
        let value = name == "__error_details__" ? row.details : row.text(name)
        if !matcher.holds(value) { continue }
      }
      switch name {
      case "__error__": row.error = ""
      case "__error_details__": row.details = ""
      default: row.labels[name] = nil
      }
    }
  }

  /// `ESC [ 1;31 m` and its like.
  private static func withoutColours(_ line: String) -> String {
    var out = String.UnicodeScalarView()
    var rest = Array(line.unicodeScalars)[...]
    while let scalar = rest.popFirst() {
      guard scalar == "\u{1B}" else {
        out.append(scalar)
        continue
      }
      rest = rest.drop { $0 != "m" }.dropFirst()
    }
    return String(out)
  }
}

extension SlowRegex {
  var groupNames: [String] {
    switch self {
    case .group(let name, let part): (name.map { [$0] } ?? []) + part.groupNames
    case .sequence(let parts), .choice(let parts): parts.flatMap(\.groupNames)
    case .repeated(let part, _, _, _): part.groupNames
    default: []
    }
  }
}
