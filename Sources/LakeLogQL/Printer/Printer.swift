import LakeModel

// The canonical text of every node: what Loki's `String()` writes.

extension LogQL.Query: CustomStringConvertible {
  /// The query as Loki prints it: one line, canonical spacing, nested operators in parentheses.
  package var description: String {
    switch self {
    case .logs(let logs): logs.description
    case .metric(let metric): metric.description
    case .variants(let variants): variants.description
    }
  }
}

extension LogQL.LogExpression: CustomStringConvertible {
  package var description: String { ([selector.description] + stages.map(\.description)).joined(separator: " ") }
}

extension LogQL.Selector: CustomStringConvertible {
  package var description: String { "{" + matchers.map(\.description).joined(separator: ", ") + "}" }
}

extension LogQL.Matcher: CustomStringConvertible {
  package var description: String {
    let isPlain = name.unicodeScalars.allSatisfy { $0.isASCII && GoText.isNamePart($0) }
    return (isPlain ? name : GoString.quote(name)) + operation.rawValue + GoString.quote(value)
  }
}

extension LogQL.LineFilter: CustomStringConvertible {
  package var description: String {
    operation.rawValue + " " + operands.map(\.description).joined(separator: " or ")
  }
}

extension LogQL.LineFilter.Operand: CustomStringConvertible {
  package var description: String {
    switch self {
    case .text(let text): GoString.quote(text)
    case .ip(let text): "ip(\(GoString.quote(text)))"
    }
  }
}

extension LogQL.Stage: CustomStringConvertible {
  package var description: String {
    switch self {
    case .lineFilter(let filter): filter.description
    case .json(let extractions): (["| json"] + extractions.list).joined(separator: " ")
    case .logfmt(let logfmt): logfmt.description
    case .regexp(let text): "| regexp \(GoString.quote(text))"
    case .pattern(let text): "| pattern \(GoString.quote(text))"
    case .unpack: "| unpack"
    case .labelFilter(let filter): "| \(filter)"
    case .lineFormat(let text): "| line_format \(GoString.quote(text))"
    case .labelFormat(let formats): "| label_format " + formats.map(\.description).joined(separator: ",")
    case .decolorize: "| decolorize"
    case .drop(let choices): "| drop " + choices.map(\.description).joined(separator: ",")
    case .keep(let choices): "| keep " + choices.map(\.description).joined(separator: ",")
    }
  }
}

extension [LogQL.Extraction] {
  /// One text, or none when there are no extractions.
  fileprivate var list: [String] {
    isEmpty ? [] : [map { "\($0.label)=\(GoString.quote($0.expression))" }.joined(separator: ",")]
  }
}

extension LogQL.Logfmt: CustomStringConvertible {
  package var description: String {
    let flags = (isStrict ? ["--strict"] : []) + (keepsEmpty ? ["--keep-empty"] : [])
    return (["| logfmt"] + flags + extractions.list).joined(separator: " ")
  }
}

extension LogQL.LabelFormat: CustomStringConvertible {
  package var description: String {
    switch source {
    case .label(let name): "\(label)=\(name)"
    case .template(let text): "\(label)=\(GoString.quote(text))"
    }
  }
}

extension LogQL.LabelChoice: CustomStringConvertible {
  package var description: String {
    switch self {
    case .name(let name): name
    case .matching(let matcher): matcher.description
    }
  }
}

extension LogQL.LabelFilter: CustomStringConvertible {
  package var description: String {
    switch self {
    case .matcher(let matcher): matcher.description
    case .number(let label, let comparison, let value): "\(label)\(comparison.rawValue)\(FloatText.fixed(value))"
    case .duration(let label, let comparison, let value):
      "\(label)\(comparison.rawValue)\(GoDuration.goText(value))"
    case .bytes(let label, let comparison, let value): "\(label)\(comparison.rawValue)\(ByteSize.text(value))"
    case .ip(let label, let isNegated, let text): "\(label)\(isNegated ? "!=" : "=")ip(\(GoString.quote(text)))"
    case .and(let left, let right): "( \(left) , \(right) )"
    case .or(let left, let right): "( \(left) or \(right) )"
    }
  }
}
