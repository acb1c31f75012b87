import LakeModel
import LakeRegex

extension TemplateFunction {
  private static func text(_ body: @escaping @Sendable (String) -> String) -> TemplateFunction {
    TemplateFunction(.string) { arguments, _ in .string(body(arguments.string(0))) }
  }
  private static func text(_ body: @escaping @Sendable (String, String) -> String) -> TemplateFunction {
    TemplateFunction(.string, .string) { arguments, _ in .string(body(arguments.string(0), arguments.string(1))) }
  }
  private static func test(_ body: @escaping @Sendable (String, String) -> Bool) -> TemplateFunction {
    TemplateFunction(.string, .string) { arguments, _ in .bool(body(arguments.string(0), arguments.string(1))) }
  }
  private static func pad(_ body: @escaping @Sendable (Int, String) throws(Failure) -> String) -> TemplateFunction {
    TemplateFunction(.int, .string) { arguments, _ throws(Failure) in
      .string(try body(arguments.int(0), arguments.string(1)))
    }
  }

  static let textFunctions: [String: TemplateFunction] = [
    "ToLower": text { $0.lowercased() }, "lower": text { $0.lowercased() },
    "ToUpper": text { $0.uppercased() }, "upper": text { $0.uppercased() },
    "title": text(GoStrings.title),
    "Trim": text { GoStrings.trim($0, $1) }, "trimAll": text { GoStrings.trim($1, $0) },
    "TrimLeft": text { GoStrings.trimLeft($0, $1) }, "TrimRight": text { GoStrings.trimRight($0, $1) },
    "TrimPrefix": text { GoStrings.dropPrefix($1, of: $0) }, "trimPrefix": text { GoStrings.dropPrefix($0, of: $1) },
    "TrimSuffix": text { GoStrings.dropSuffix($1, of: $0) }, "trimSuffix": text { GoStrings.dropSuffix($0, of: $1) },
    "TrimSpace": text(GoStrings.trimSpace), "trim": text(GoStrings.trimSpace),
    "contains": test { GoStrings.contains($1, $0) },
    "hasPrefix": test { Array($1.utf8).starts(with: $0.utf8) },
    "hasSuffix": test { Array($1.utf8.reversed()).starts(with: $0.utf8.reversed()) },
    "Replace": TemplateFunction(.string, .string, .string, .int) { arguments, _ throws(Failure) in
      .string(
        try GoStrings.replace(
          arguments.string(0), arguments.string(1), arguments.string(2), limit: arguments.int(3)))
    },
    "replace": TemplateFunction(.string, .string, .string) { arguments, _ throws(Failure) in
      .string(try GoStrings.replace(arguments.string(2), arguments.string(0), arguments.string(1), limit: -1))
    },
    "repeat": pad { count, text throws(Failure) in try GoStrings.repeated(text, count) },
    "indent": pad { count, text throws(Failure) in try GoStrings.indented(text, count) },
    "nindent": pad { count, text throws(Failure) in "\n" + (try GoStrings.indented(text, count)) },
    "trunc": pad { count, text in GoStrings.truncated(text, count) },
    "alignLeft": pad { count, text throws(Failure) in try GoStrings.aligned(text, count, isLeft: true) },
    "alignRight": pad { count, text throws(Failure) in try GoStrings.aligned(text, count, isLeft: false) },
    "substr": TemplateFunction(.int, .int, .string) { arguments, _ throws(Failure) in
      .string(try GoStrings.substring(arguments.string(2), arguments.int(0), arguments.int(1)))
    },
    "b64enc": text { Base64.encode(Array($0.utf8)) },
    "b64dec": text { text in
      switch Base64.decode(text) {
      case .success(let bytes): String(decoding: bytes, as: UTF8.self)
      case .failure(let problem): problem.message
      }
    },
    "urlencode": text(GoStrings.queryEscaped),
    "urldecode": TemplateFunction(.string) { arguments, _ throws(Failure) in
      .string(try GoStrings.queryUnescaped(arguments.string(0)))
    },
    "regexReplaceAll": TemplateFunction(.string, .string, .string) { arguments, _ throws(Failure) in
      .string(
        try RegexText(arguments.string(0)).replacing(in: arguments.string(1), with: arguments.string(2), expands: true))
    },
    "regexReplaceAllLiteral": TemplateFunction(.string, .string, .string) { arguments, _ throws(Failure) in
      .string(
        try RegexText(arguments.string(0)).replacing(in: arguments.string(1), with: arguments.string(2), expands: false)
      )
    },
    "count": TemplateFunction(.string, .string) { arguments, _ throws(Failure) in
      .int(Int64(try RegexText(arguments.string(0)).matches(in: arguments.string(1)).count))
    },
  ]
}

/// A regular expression inside of a template.
struct RegexText {
  typealias Failure = LogQL.Template.Failure
  private let pattern: RE2Pattern

  init(_ text: String) throws(Failure) {
    do throws(RE2Pattern.Malformed) {
      pattern = try RE2Pattern(RegexCheck.goSyntax(text))
    } catch {
      throw Failure(RegexCheck.problem(text) ?? "error parsing regexp: \(error.message)")
    }
  }

  /// Every match, leftmost first, none overlapping; an empty one never right behind another match.
  func matches(in text: String) -> [[Range<Int>?]] {
    var text = text
    return text.withUTF8 { utf8 in
      let bytes = UnsafeRawBufferPointer(utf8)
      var found: [[Range<Int>?]] = []
      var at = 0
      var lastEnd = -1
      while at <= bytes.count, let groups = pattern.groups(in: bytes, from: at), let whole = groups[0] {
        if whole.isEmpty {
          if whole.lowerBound != lastEnd { found.append(groups) }
          // On to the next character.
          at = whole.upperBound + 1
          while at < bytes.count, bytes[at] & 0xC0 == 0x80 { at += 1 }
        } else {
          found.append(groups)
          at = whole.upperBound
        }
        lastEnd = whole.upperBound
      }
      return found
    }
  }

  /// - Parameter expands: whether `$1`, `${name}` and `$$` in the replacement mean groups.
  func replacing(in text: String, with replacement: String, expands: Bool) throws(Failure) -> String {
    let bytes = Array(text.utf8)
    var out: [UInt8] = []
    var at = 0
    for groups in matches(in: text) {
      let whole = groups[0]!
      out += bytes[at..<whole.lowerBound]
      out += expands ? expanded(replacement, groups, bytes) : Array(replacement.utf8)
      at = whole.upperBound
      try TemplateFunction.bounded(out.count)
    }
    return String(decoding: out + bytes[at...], as: UTF8.self)
  }

  private func expanded(_ template: String, _ groups: [Range<Int>?], _ bytes: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var rest = Array(template.utf8)[...]
    while let dollar = rest.firstIndex(of: UInt8(ascii: "$")) {
      out += rest[..<dollar]
      rest = rest[(dollar + 1)...]
      if rest.first == UInt8(ascii: "$") {
        out.append(UInt8(ascii: "$"))
        rest = rest.dropFirst()
        continue
      }
      guard let (name, after) = RegexText.groupName(rest) else {
        out.append(UInt8(ascii: "$"))
        continue
      }
      rest = after
      if let range = range(of: name, groups) { out += bytes[range] }
    }
    return out + rest
  }

  /// A name behind a dollar, in braces or as long as it is a word.
  private static func groupName(_ text: ArraySlice<UInt8>) -> (name: String, rest: ArraySlice<UInt8>)? {
    let hasBrace = text.first == UInt8(ascii: "{")
    let body = text.dropFirst(hasBrace ? 1 : 0)
    let name = body.prefix { byte in
      switch byte {
      case 48...57, 65...90, 97...122, 95: true
      default: false
      }
    }
    if name.isEmpty { return nil }
    var rest = body.dropFirst(name.count)
    if hasBrace {
      guard rest.first == UInt8(ascii: "}") else { return nil }
      rest = rest.dropFirst()
    }
    return (String(decoding: name, as: UTF8.self), rest)
  }

  private func range(of name: String, _ groups: [Range<Int>?]) -> Range<Int>? {
    if let index = Int(name) { return index < groups.count ? groups[index] : nil }
    for index in stride(from: 1, to: groups.count, by: 1) where pattern.groupName(index) == name {
      if let range = groups[index] { return range }
    }
    return nil
  }
}
