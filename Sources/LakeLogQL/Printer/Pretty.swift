import LakeModel

// Several lines where one would be too long: what `/loki/api/v1/format_query` answers.

extension LogQL.Query {
  /// Whatever fits into 100 characters stays on one line; everything else is split into its parts, indented by two.
  package var pretty: String {
    switch self {
    case .logs(let logs): logs.pretty(0)
    case .metric(let metric): metric.pretty(0)
    case .variants(let variants): variants.pretty()
    }
  }
}

private let lineCharactersMax = 100
private func indent(_ level: Int) -> String { String(repeating: "  ", count: level) }
private func isLong(_ text: String) -> Bool { text.utf8.count > lineCharactersMax }

extension LogQL.LogExpression {
  fileprivate func pretty(_ level: Int) -> String {
    let line = description
    guard isLong(line), !stages.isEmpty else { return indent(level) + line }
    var lines = [indent(level) + selector.description]
    for group in groups {
      let text = group.map(\.description).joined(separator: " ")
      if case .decolorize? = group.first {
        lines.append(text)
      } else if isLong(text) && group.count > 1 {
        lines += group.map { indent(level + 1) + $0.description }
      } else {
        lines.append(indent(level + 1) + text)
      }
    }
    return lines.joined(separator: "\n")
  }

  /// Stages, line filters that stand next to each other taken together.
  private var groups: [[LogQL.Stage]] {
    var groups: [[LogQL.Stage]] = []
    for stage in stages {
      if case .lineFilter = stage, case .lineFilter? = groups.last?.first {
        groups[groups.count - 1].append(stage)
      } else {
        groups.append([stage])
      }
    }
    return groups
  }
}

extension LogQL.LogRange {
  fileprivate func pretty(_ level: Int) -> String {
    var text = logs.pretty(level)
    if let unwrap {
      text += "\n" + indent(level + 1) + unwrap.first
      for filter in unwrap.filters { text += "\n" + indent(level + 1) + "| \(filter)" }
    }
    text += " [\(GoDuration.prometheusText(interval))]"
    return offset == .zero ? text : text + " offset \(GoDuration.prometheusText(offset))"
  }
}

extension LogQL.Grouping {
  fileprivate var pretty: String {
    (isWithout ? " without (" : " by (") + labels.joined(separator: ", ") + ")"
  }
}

/// A function with each argument on its own lines.
private func call(_ name: String, _ arguments: [String], _ level: Int, after: String = "") -> String {
  indent(level) + name + "(\n" + arguments.joined(separator: ",\n") + "\n" + indent(level) + ")" + after
}

extension LogQL.MetricExpression {
  fileprivate func pretty(_ level: Int) -> String {
    let line = description
    guard isLong(line) else { return indent(level) + line }
    switch self {
    case .literal, .vector: return indent(level) + line
    case .range(let node):
      let parameter = node.parameter.map { [indent(level + 1) + FloatText.general($0)] } ?? []
      return call(
        node.operation.rawValue, parameter + [node.range.pretty(level + 1)], level, after: node.grouping?.pretty ?? "")
    case .aggregation(let node):
      let parameter = node.parameter == 0 ? [] : [indent(level + 1) + "\(node.parameter)"]
      // An empty `by ()` says nothing that its absence does not.
      let grouping = node.grouping.flatMap { $0.isWithout || !$0.labels.isEmpty ? $0.pretty : nil } ?? ""
      return call(
        node.operation.rawValue + grouping, parameter + [node.operand.pretty(level + 1)], level)
    case .binary(let node):
      let left = node.side(node.left, isRight: false, level + 1)
      let right = node.side(node.right, isRight: true, level + 1)
      return left + "\n" + indent(level) + node.operatorText(separator: ", ", before: right) + "\n" + right
    case .labelReplace(let node):
      let texts = [node.destination, node.replacement, node.source, node.regex]
      return call(
        "label_replace", [node.operand.pretty(level + 1)] + texts.map { indent(level + 1) + GoString.quote($0) }, level)
    }
  }
}

extension LogQL.BinaryOperation {
  /// One side on lines of its own, in parentheses where it would be read otherwise without them.
  fileprivate func side(_ side: LogQL.MetricExpression, isRight: Bool, _ level: Int) -> String {
    guard case .binary(let child) = side, isLong(side.description) else { return side.pretty(level) }
    let (inner, outer) = (child.operation.level, operation.level)
    if inner > outer || (inner == outer && isRight == (operation == .power)) { return side.pretty(level) }
    return indent(level) + "(\n" + side.pretty(level + 1) + "\n" + indent(level) + ")"
  }
}

extension LogQL.Variants {
  fileprivate func pretty() -> String {
    "variants(\n" + metrics.map { $0.pretty(1) }.joined(separator: ",\n") + "\n) of (\n" + range.pretty(1) + "\n)"
  }
}
