import LakeModel

extension LogQL.MetricExpression: CustomStringConvertible {
  package var description: String {
    switch self {
    case .literal(let value): FloatText.general(value)
    case .vector(let value): "vector(\(FloatText.decimals(value, places: 6)))"
    case .range(let range): range.description
    case .aggregation(let aggregation): aggregation.description
    case .binary(let binary): binary.description
    case .labelReplace(let replace): replace.description
    }
  }
}

extension LogQL.RangeAggregation: CustomStringConvertible {
  package var description: String {
    let parameter = parameter.map { FloatText.fixed($0) + "," } ?? ""
    return "\(operation.rawValue)(\(parameter)\(range))\(grouping?.description ?? "")"
  }
}

extension LogQL.LogRange: CustomStringConvertible {
  package var description: String {
    let unwrap = unwrap.map { " \($0)" } ?? ""
    let offset = offset == .zero ? "" : " offset \(GoDuration.goText(offset))"
    return "\(logs)\(unwrap)[\(GoDuration.prometheusText(interval))]\(offset)"
  }
}

extension LogQL.Unwrap: CustomStringConvertible {
  package var description: String { ([first] + filters.map { "| \($0)" }).joined(separator: " ") }

  /// Without the filters.
  var first: String { conversion.map { "| unwrap \($0.rawValue)(\(label))" } ?? "| unwrap \(label)" }
}

extension LogQL.Grouping: CustomStringConvertible {
  package var description: String { (isWithout ? " without (" : " by (") + labels.joined(separator: ",") + ")" }
}

extension LogQL.VectorAggregation: CustomStringConvertible {
  package var description: String {
    // An empty `by ()` says nothing that its absence does not.
    let group = grouping.flatMap { $0.isWithout || !$0.labels.isEmpty ? $0.description : nil } ?? ""
    return "\(operation.rawValue)\(group)(\(parameterPrefix)\(operand))"
  }

  private var parameterPrefix: String {
    switch operation {
    case .topK, .bottomK, .approximateTopK: "\(parameter),"
    default: ""
    }
  }
}

extension LogQL.BinaryOperation: CustomStringConvertible {
  package var description: String {
    let right = right.description
    return "(\(left) \(operatorText(separator: ",", before: right)) \(right))"
  }

  /// The operator with its modifiers, as both printers need it.
  ///
  /// - Parameter right: what follows. A parenthesis there would be read as labels of `group_left`.
  func operatorText(separator: String, before right: String) -> String {
    var text = operation.rawValue
    if returnsBool { text += " bool" }
    guard matching.isOn || !matching.labels.isEmpty || matching.cardinality != .oneToOne else { return text }
    text += (matching.isOn ? " on (" : " ignoring (") + matching.labels.joined(separator: separator) + ") "
    switch matching.cardinality {
    case .oneToOne: break
    case .manyToOne: text += "group_left"
    case .oneToMany: text += "group_right"
    }
    let isAmbiguous = matching.cardinality != .oneToOne && right.drop(while: \.isWhitespace).first == "("
    if !matching.include.isEmpty || isAmbiguous {
      text += " (" + matching.include.joined(separator: separator) + ")"
    }
    return text
  }
}

extension LogQL.LabelReplace: CustomStringConvertible {
  package var description: String {
    let texts = [destination, replacement, source, regex].map(GoString.quote)
    return "label_replace(" + ([operand.description] + texts).joined(separator: ",") + ")"
  }
}

extension LogQL.Variants: CustomStringConvertible {
  package var description: String {
    "variants(" + metrics.map(\.description).joined(separator: ", ") + ") of (\(range))"
  }
}
