extension FieldType {
  /// Whether a column of this type may become `wider` without rewriting files (int to long, float to double, decimal
  /// with more digits), or is the same. Source: Iceberg table specification, "Schema Evolution".
  package func canPromote(to wider: FieldType) -> Bool {
    switch (self, wider) {
    case (.int, .long), (.float, .double): true
    case (.decimal(let precision, let scale), .decimal(let widerPrecision, let widerScale)):
      scale == widerScale && precision <= widerPrecision
    case (.structure, .structure): true
    case (.list(let id, _, _), .list(let otherID, _, _)): id == otherID
    case (.map(let keyID, _, let valueID, _, _), .map(let otherKeyID, _, let otherValueID, _, _)):
      keyID == otherKeyID && valueID == otherValueID
    default: self == wider
    }
  }
}
