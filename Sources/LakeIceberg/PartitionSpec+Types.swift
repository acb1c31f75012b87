package import LakeSchema

extension TableMetadata {
  /// The types of a spec's partition values; nil where the source column is in no schema of the table any more.
  package func partitionTypes(of spec: PartitionSpec) -> [FieldType?] {
    spec.fields.map { field in
      sourceField(id: field.sourceID).map { field.transform.resultType(of: $0.type) }
    }
  }

  /// The column with this id, in the current schema or else in the newest that has it.
  package func sourceField(id: Int) -> Field? {
    if let field = schema?.field(id: id) { return field }
    for schema in schemas.reversed() {
      if let field = schema.field(id: id) { return field }
    }
    return nil
  }
}
