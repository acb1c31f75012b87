package import LakeSchema

/// Which metrics are kept of each leaf column: the table properties `write.metadata.metrics.*`.
package struct MetricsModes: Sendable {
  package enum Mode: Hashable, Sendable {
    case none, counts, full
    /// Bounds of at most so many characters or bytes.
    case truncate(Int)
  }

  package let byFieldID: [Int: Mode]
  static let standard = Mode.truncate(16)

  /// - Parameter sortOrder: its columns keep bounds even where the default keeps none.
  package init(schema: Schema, properties: [String: String], sortOrder: SortOrder?) {
    let configured = properties[TableProperties.metricsModeDefault].flatMap { Mode($0) }
    let inferredMax = properties.number(
      TableProperties.metricsInferredColumnsMax, default: TableProperties.metricsInferredColumnsMaxDefault)
    var modes: [Int: Mode] = [:]
    for (position, leaf) in schema.allFields.filter(\.type.isPrimitive).enumerated() {
      modes[leaf.id] = configured ?? (position < inferredMax ? Self.standard : Mode.none)
    }
    for field in sortOrder?.fields ?? [] {
      switch modes[field.sourceID] {
      case .some(.none), .some(.counts): modes[field.sourceID] = Self.standard
      case nil, .some(.full), .some(.truncate): break
      }
    }
    for field in schema.allFields {
      let name = TableProperties.metricsModeColumnPrefix + (schema.fullName(of: field.id) ?? field.name)
      if let mode = properties[name].flatMap({ Mode($0) }), field.type.isPrimitive { modes[field.id] = mode }
    }
    byFieldID = modes
  }
}

extension MetricsModes.Mode {
  /// `none`, `counts`, `full`, `truncate(16)` in any case; nil for anything else.
  package init?(_ text: String) {
    let text = text.lowercased()
    switch text {
    case "none": self = .none
    case "counts": self = .counts
    case "full": self = .full
    default:
      guard text.hasPrefix("truncate("), text.hasSuffix(")"), let width = Int(text.dropFirst(9).dropLast()),
        (1...1_000_000).contains(width)
      else { return nil }
      self = .truncate(width)
    }
  }
}
