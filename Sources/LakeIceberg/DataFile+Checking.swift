import LakeSchema

extension DataFile {
  /// - Throws: `.invalid` when the file does not fit the spec: another number of values, a value of another type, no path.
  func check(_ spec: PartitionSpec, types: [FieldType]) throws(IcebergError) {
    guard !path.isEmpty, recordCount >= 0, fileSize >= 0 else { throw .invalid("data file without path or size") }
    guard specID == spec.id, partition.count == spec.fields.count else {
      throw .invalid("\(path): \(partition.count) partition values for spec \(spec.id) of \(spec.fields.count)")
    }
    for (index, value) in partition.enumerated() {
      if let value, value.converted(to: types[index]) != value {
        throw .invalid("\(path): \(value) is no value of partition field \(spec.fields[index].name)")
      }
    }
  }
}

extension [DataFile] {
  /// What the partition values have in common, field by field. Source: Iceberg table specification, `field_summary`.
  func partitionSummaries(fieldCount: Int) -> [ManifestFile.FieldSummary] {
    (0..<fieldCount).map { index in
      var summary = ManifestFile.FieldSummary(containsNull: false, containsNaN: false, lowerBound: nil, upperBound: nil)
      var lower: Datum?
      var upper: Datum?
      for file in self {
        guard let value = file.partition[index] else {
          summary.containsNull = true
          continue
        }
        guard value.compare(to: value) != nil else {
          summary.containsNaN = true
          continue
        }
        if lower == nil || value.compare(to: lower!)! < 0 { lower = value }
        if upper == nil || value.compare(to: upper!)! > 0 { upper = value }
      }
      summary.lowerBound = lower?.singleValue
      summary.upperBound = upper?.singleValue
      return summary
    }
  }
}
