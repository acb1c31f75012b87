import LakeIceberg
import LakeModel
package import LakePorts
package import LakeSchema

/// A table as the shift writes it: checked once per plan, so that nothing is read for a table that cannot take it.
package struct TableTarget: Sendable {
  package let table: LakeTable
  package let state: TableState
  /// The schema of the data files: the table's current one.
  package let schema: Schema
  package let spec: PartitionSpec
  /// The id of the order in which rows are written, if the table knows it.
  package let sortOrderID: Int?

  /// - Throws: `.unfit` when the table lacks a column of this version or a partition spec like ours.
  package init(_ table: LakeTable, _ state: TableState) throws(ShiftError) {
    let metadata = state.metadata
    guard let schema = metadata.schema else { throw .unfit("\(table.name) has no current schema") }
    for field in table.schema.fields {
      guard let found = schema.fields.first(where: { $0.id == field.id }) else {
        throw .unfit("\(table.name) has no column \(field.name) (\(field.id)): run `maintain migrate upgrade`")
      }
      guard found.type.hasSameKind(as: field.type) else {
        throw .unfit("\(table.name).\(field.name) is \(found.type), not \(field.type)")
      }
    }
    func terms(_ spec: PartitionSpec) -> [PartitionTerm] {
      spec.fields.map { PartitionTerm(source: $0.sourceID, transform: $0.transform) }
    }
    let specs = [metadata.partitionSpec].compactMap { $0 } + metadata.partitionSpecs
    guard let spec = specs.first(where: { terms($0) == terms(table.partitionSpec) }) else {
      throw .unfit("\(table.name) has no partition spec by tenant, account and day")
    }
    self.table = table
    self.state = state
    self.schema = schema
    self.spec = spec
    sortOrderID = metadata.sortOrders.first { $0.fields == table.sortOrder.fields }?.id
  }

  private struct PartitionTerm: Equatable {
    let source: Int
    let transform: Transform
  }

  /// The partition values of a key, in the order of the spec.
  func partition(of key: PartitionKey) -> [Datum?] {
    let values: [Datum?] = [.string(key.tenant.text), key.account.map { .string($0.text) }, .int(key.day)]
    precondition(spec.fields.count == values.count)
    return values
  }

  /// Where data files of a partition go; no slash at the end.
  package func directory(of key: PartitionKey) -> String {
    let types = state.metadata.partitionTypes(of: spec).map { $0 ?? .string }
    return "\(DataFilePlaces.data(of: state.metadata))/\(spec.path(of: partition(of: key), types: types))"
  }
}

extension FieldType {
  /// Whether values of one can be laid into the other without conversion, nested fields met by id.
  fileprivate func hasSameKind(as other: FieldType) -> Bool {
    switch (self, other) {
    case (.structure, .structure), (.list, .list), (.map, .map):
      other.children.allSatisfy { wanted in
        children.contains { $0.id == wanted.id && $0.type.hasSameKind(as: wanted.type) }
      }
    // Iceberg's promotions, made by another engine's schema change.
    case (.long, .int), (.double, .float): true
    default: self == other
    }
  }
}
