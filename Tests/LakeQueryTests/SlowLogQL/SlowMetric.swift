/// Anything that gives samples, printed and worked out at one instant after the other.
indirect enum SlowMetric {
  enum Failure: Error {
    /// The query is answered with an error.
    case refused
    /// What the answer is nobody defines (two series with the same labels).
    case undefined
  }
  struct Matching {
    var isOn = false
    var names: [String] = []
    /// `group_left`, `group_right`; with the labels taken over.
    var group: String?
    var include: [String] = []

    var text: String {
      "\(isOn ? "on" : "ignoring") (\(names.joined(separator: ",")))"
        + (group.map { " \($0) (\(include.joined(separator: ",")))" } ?? "")
    }

    func key(_ labels: [String: String]) -> [String: String] { labels.filter { names.contains($0.key) == isOn } }
  }
  case number(Double)
  case vector(Double)
  case range(SlowRange)
  case aggregation(String, parameter: Int?, SlowGrouping?, SlowMetric)
  case binary(String, isBool: Bool, Matching?, SlowMetric, SlowMetric)
  /// The replacement is a text around the group `part`.
  case replace(SlowMetric, to: String, before: String, after: String, from: String, SlowExpression)

  var text: String {
    switch self {
    case .number(let value): return "\(value)"
    case .vector(let value): return "vector(\(value))"
    case .range(let range): return range.text
    case .aggregation(let operation, let parameter, let grouping, let operand):
      return operation + (grouping.map { " " + $0.text } ?? "") + " (" + (parameter.map { "\($0), " } ?? "")
        + operand.text + ")"
    case .binary(let operation, let isBool, let matching, let left, let right):
      return "(\(left.text)) \(operation) " + (isBool ? "bool " : "") + (matching.map { $0.text + " " } ?? "")
        + "(\(right.text))"
    case .replace(let operand, let to, let before, let after, let from, let expression):
      return "label_replace(\(operand.text), \"\(to)\", \"\(before)${part}\(after)\", \"\(from)\", "
        + "\(SlowText.quoted(expression.text)))"
    }
  }

  /// The samples of every range aggregation below, worked out once: in the order of the text.
  func prepared(_ rows: [TestRow]) -> [[SlowRange.Sample]] {
    switch self {
    case .number, .vector: []
    case .range(let range): [range.samples(rows, outer: nil)]
    case .aggregation("sum", _, let grouping, .range(let range)): [range.samples(rows, outer: .some(grouping))]
    case .aggregation(_, _, _, let operand), .replace(let operand, _, _, _, _, _): operand.prepared(rows)
    case .binary(_, _, _, let left, let right): left.prepared(rows) + right.prepared(rows)
    }
  }

  typealias Samples = [[String: String]: Double]

  /// - Parameter samples: of `prepared`; those used are taken away.
  func at(_ time: Int64, _ samples: inout ArraySlice<[SlowRange.Sample]>) throws(Failure) -> Samples {
    switch self {
    case .number(let value), .vector(let value): return [[:]: value]
    case .range(let range):
      let out = try range.at(time, samples.removeFirst())
      // Series that differ in the words of an error only, words that are not known here.
      if out.keys.contains(where: { $0["__error_details__"] == "?" && $0["__error__"] == nil }) { throw .undefined }
      return out
    case .aggregation(let operation, let parameter, let grouping, let operand):
      return try SlowMetric.aggregate(operation, parameter, grouping, try operand.at(time, &samples))
    case .binary(let operation, let isBool, let matching, let left, let right):
      let a = try left.at(time, &samples)
      let b = try right.at(time, &samples)
      if case .number(let value) = left {
        return b.compactMapValues { SlowMetric.combine(operation, isBool, value, $0, kept: $0) }
      }
      if case .number(let value) = right {
        return a.compactMapValues { SlowMetric.combine(operation, isBool, $0, value, kept: $0) }
      }
      return try SlowMetric.match(operation, isBool, matching ?? Matching(), a, b)
    case .replace(let operand, let to, let before, let after, let from, let expression):
      var out: Samples = [:]
      for (labels, value) in try operand.at(time, &samples) {
        var labels = labels
        if let found = expression.tree.wholeMatch(of: labels[from] ?? "", expression.options(dotTakesAll: true)) {
          let text = before + (found["part"] ?? "") + after
          labels[to] = text.isEmpty ? nil : text
          // A set that is built anew has no empty labels.
          labels = labels.filter { !$0.value.isEmpty }
        }
        if out.updateValue(value, forKey: labels) != nil { throw .undefined }
      }
      return out
    }
  }

  private static func aggregate(
    _ operation: String, _ parameter: Int?, _ grouping: SlowGrouping?, _ samples: Samples
  ) throws(Failure) -> Samples {
    let groups = Dictionary(grouping: samples) { (grouping ?? SlowGrouping(names: [])).apply($0.key) }
    var out: Samples = [:]
    let chooses = ["topk", "bottomk", "approx_topk", "sort", "sort_desc"].contains(operation)
    for (group, members) in groups {
      let labels = group.filter { !$0.value.isEmpty || grouping?.isWithout != true }
      if !chooses && out[labels] != nil { throw .undefined }
      let values = members.map(\.value).sorted()
      let mean = values.reduce(0, +) / Double(values.count)
      let variance = SlowMetric.variance(values)
      switch operation {
      case "sum": out[labels] = values.reduce(0, +)
      case "avg": out[labels] = mean
      case "count": out[labels] = Double(values.count)
      // What is no number is the smallest or largest of its likes only.
      case "min": out[labels] = values.filter { !$0.isNaN }.min() ?? .nan
      case "max": out[labels] = values.filter { !$0.isNaN }.max() ?? .nan
      case "stddev": out[labels] = variance.squareRoot()
      case "stdvar": out[labels] = variance
      default:
        // Of equal samples any may be chosen, so callers compare values, and labels with what was there to choose.
        // What is no number is chosen last.
        let ascending = members.filter { !$0.value.isNaN }.sorted { $0.value < $1.value }
        let none = members.filter(\.value.isNaN)
        let chosen: [Samples.Element] =
          switch operation {
          case "bottomk": Array((ascending + none).prefix(parameter!))
          case "topk", "approx_topk": (none + ascending).suffix(parameter!)
          default: ascending + none
          }
        for (labels, value) in chosen { out[labels] = value }
      }
    }
    return out
  }

  /// Of one value 0, whatever it is.
  static func variance(_ values: [Double]) -> Double {
    if values.count == 1 { return 0 }
    let mean = values.reduce(0, +) / Double(values.count)
    return values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(values.count)
  }

  private static func combine(
    _ operation: String, _ isBool: Bool, _ a: Double, _ b: Double, kept: Double
  ) -> Double? {
    switch operation {
    case "+": return a + b
    case "-": return a - b
    case "*": return a * b
    case "/": return b == 0 ? .nan : a / b
    case "%": return b == 0 ? .nan : a.truncatingRemainder(dividingBy: b)
    case "^":
      // Exponents are small whole numbers.
      var out = 1.0
      for _ in 0..<Int(b) { out *= a }
      return out
    default:
      let holds = SlowFilter.compare(a, operation, b)
      return isBool ? (holds ? 1 : 0) : holds ? kept : nil
    }
  }

  private static func match(
    _ operation: String, _ isBool: Bool, _ matching: Matching, _ left: Samples, _ right: Samples
  ) throws(Failure) -> Samples {
    let leftKeys = Set(left.keys.map(matching.key))
    let rightKeys = Set(right.keys.map(matching.key))
    switch operation {
    case "and": return left.filter { rightKeys.contains(matching.key($0.key)) }
    case "unless": return left.filter { !rightKeys.contains(matching.key($0.key)) }
    case "or":
      var out = left
      for (labels, value) in right where !leftKeys.contains(matching.key(labels)) {
        if out.updateValue(value, forKey: labels) != nil { throw .undefined }
      }
      return out
    default: break
    }
    let isRight = matching.group == "group_right"
    let (many, one) = isRight ? (right, left) : (left, right)
    var ones: [[String: String]: (labels: [String: String], value: Double)] = [:]
    for (labels, value) in one {
      if ones.updateValue((labels, value), forKey: matching.key(labels)) != nil { throw .refused }
    }
    var out: Samples = [:]
    var seen: Set<[String: String]> = []
    var results: [[String: String]: Set<[String: String]>] = [:]
    for (labels, value) in many {
      let key = matching.key(labels)
      guard let other = ones[key] else { continue }
      var result = matching.group == nil ? key : labels
      for name in matching.include { result[name] = other.labels[name].flatMap { $0.isEmpty ? nil : $0 } }
      result = result.filter { !$0.value.isEmpty }
      if matching.group == nil {
        if !seen.insert(key).inserted { throw .refused }
      } else if !results[key, default: []].insert(result).inserted {
        throw .refused
      }
      let (a, b) = isRight ? (other.value, value) : (value, other.value)
      guard let number = combine(operation, isBool, a, b, kept: a) else { continue }
      if out.updateValue(number, forKey: result) != nil { throw .undefined }
    }
    return out
  }
}
