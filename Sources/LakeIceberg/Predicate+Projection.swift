import LakeSchema

extension Predicate.Term {
  /// The same term about another column.
  func about(_ fieldID: Int) -> Predicate.Term {
    switch self {
    case .compare(_, let comparison, let value): .compare(fieldID, comparison, value)
    case .oneOf(_, let values): .oneOf(fieldID, values)
    case .isNull: .isNull(fieldID)
    case .isNotNull: .isNotNull(fieldID)
    }
  }

  /// What must hold of the partition value of every row for which this term holds; nil when nothing follows.
  ///
  /// The result is about the partition field's id. Source: Iceberg table specification, "Scan Planning": an inclusive
  /// projection.
  func projected(through field: PartitionField, type: FieldType) -> Predicate.Term? {
    switch field.transform {
    case .void, .unknown: return nil
    case .identity: return about(field.fieldID)
    case .bucket, .truncate, .year, .month, .day, .hour: break
    }
    switch self {
    case .isNull: return .isNull(field.fieldID)
    case .isNotNull: return .isNotNull(field.fieldID)
    case .oneOf(_, let values):
      var projected: [Datum] = []
      for value in values {
        guard let images = images(of: value, field.transform, type) else { return nil }
        projected += images
      }
      return .oneOf(field.fieldID, projected)
    case .compare(_, .equal, let value):
      return images(of: value, field.transform, type).map { .oneOf(field.fieldID, $0) }
    case .compare(_, let comparison, let value):
      if case .bucket = field.transform { return nil }
      return projectedRange(comparison, value, field, type)
    }
  }

  /// The partition values that rows with this value may have been given.
  private func images(of value: Datum, _ transform: Transform, _ type: FieldType) -> [Datum]? {
    guard let image = (try? transform.apply(value, type: type)) ?? nil else { return nil }
    if transform.isTimePart, case .int(let part) = image, part < 0 { return [image, .int(part + 1)] }
    return [image]
  }

  /// All transforms but bucket keep the order.
  private func projectedRange(
    _ comparison: Predicate.Comparison, _ value: Datum, _ field: PartitionField, _ type: FieldType
  ) -> Predicate.Term? {
    guard var value = value.converted(to: type) else { return nil }
    switch comparison {
    case .less: value = value.neighbour(below: true)
    case .greater: value = value.neighbour(below: false)
    default: break
    }
    guard case .some(let image) = (try? field.transform.apply(value, type: type)) ?? nil else { return nil }
    switch comparison {
    case .less, .lessOrEqual:
      // Numbers near the least one wrap around when truncated.
      if case .truncate = field.transform, let order = image.compare(to: value), order > 0 { return nil }
      // Old writers rounded times before 1970 towards it: such a partition may be one too high.
      if field.transform.isTimePart, case .int(let part) = image, part < 0 {
        return .compare(field.fieldID, .lessOrEqual, .int(part + 1))
      }
      return .compare(field.fieldID, .lessOrEqual, image)
    case .greater, .greaterOrEqual:
      if case .truncate = field.transform, let order = image.compare(to: value), order > 0 { return nil }
      return .compare(field.fieldID, .greaterOrEqual, image)
    case .equal: return nil
    }
  }
}

extension Transform {
  var isTimePart: Bool {
    switch self {
    case .year, .month, .day, .hour: true
    default: false
    }
  }
}

extension Datum {
  /// The next whole number, so that `< 10` is `<= 9`; other values and the ends of a range stay as they are.
  func neighbour(below: Bool) -> Datum {
    switch self {
    case .int(let value):
      let (next, overflow) = value.addingReportingOverflow(below ? -1 : 1)
      return overflow ? self : .int(next)
    case .long(let value):
      let (next, overflow) = value.addingReportingOverflow(below ? -1 : 1)
      return overflow ? self : .long(next)
    case .decimal(let value):
      let (next, overflow) = value.addingReportingOverflow(below ? -1 : 1)
      return overflow ? self : .decimal(next)
    default: return self
    }
  }
}
