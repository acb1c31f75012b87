package import LakeSchema

extension PartitionSpec {
  /// The path of a partition below the data directory: `tenant_id=a/account_id=null/timestamp_day=2026-11-01`.
  ///
  /// Names and values are percent-encoded as in URL forms.
  /// - Precondition: one value per field.
  package func path(of partition: [Datum?], schema: Schema) -> String { preconditionFailure("not yet") }
}

extension Transform {
  /// The partition value of a column value (nil: null in, null out).
  /// - Throws: `.invalid` when the value is not of a type this transform takes.
  package func apply(_ value: Datum?, type: FieldType) throws(IcebergError) -> Datum? { preconditionFailure("not yet") }
}

extension Datum {
  /// Whether a column of this type holds such values.
  package func suits(_ type: FieldType) -> Bool { preconditionFailure("not yet") }
}
