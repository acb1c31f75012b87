/// How a partition or sort value is made from a source column.
package enum Transform: Hashable, Sendable {
  case identity, year, month, day, hour, void
  case bucket(Int)
  case truncate(Int)
  /// A transform this version does not know; readable tables keep it, nothing is pruned by it.
  case unknown(String)
}

package struct PartitionField: Hashable, Sendable {
  package var sourceID: Int
  /// 1000 and up; 0 in a spec that is added to a table asks the table for one.
  package var fieldID: Int
  package var name: String
  package var transform: Transform

  package init(sourceID: Int, fieldID: Int, name: String, transform: Transform) {
    self.sourceID = sourceID
    self.fieldID = fieldID
    self.name = name
    self.transform = transform
  }
}

package struct PartitionSpec: Hashable, Sendable {
  package var id: Int
  package var fields: [PartitionField]

  package init(id: Int, fields: [PartitionField]) {
    self.id = id
    self.fields = fields
  }
}

package struct SortField: Hashable, Sendable {
  package enum Direction: String, Hashable, Sendable { case ascending = "asc", descending = "desc" }
  package enum NullOrder: String, Hashable, Sendable { case first = "nulls-first", last = "nulls-last" }
  package var sourceID: Int
  package var transform: Transform
  package var direction: Direction
  package var nullOrder: NullOrder

  package init(sourceID: Int, transform: Transform = .identity, direction: Direction, nullOrder: NullOrder) {
    self.sourceID = sourceID
    self.transform = transform
    self.direction = direction
    self.nullOrder = nullOrder
  }
}

package struct SortOrder: Hashable, Sendable {
  package var id: Int
  package var fields: [SortField]

  package init(id: Int, fields: [SortField]) {
    self.id = id
    self.fields = fields
  }
}
