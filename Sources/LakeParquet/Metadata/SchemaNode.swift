import LakeSchema

/// One field of a file's schema with the levels that tell presence and repetition, whatever layout the file uses.
///
/// Levels: a field is present in an entry when the entry's definition level reaches `definition`; a list or map has an
/// element there when it reaches `elementDefinition`, and an entry continues the same list when its repetition level
/// equals `repetition`.
struct SchemaNode: Sendable {
  indirect enum Kind: Sendable {
    /// Position among the leaves.
    case leaf(Int)
    case structure([SchemaNode])
    case list(SchemaNode)
    case map(key: SchemaNode, value: SchemaNode)
  }

  var name: String
  /// The file's id, or one below zero when it has none.
  var fieldID: Int
  var isOptional: Bool
  var kind: Kind
  var type: FieldType
  var definition: Int
  /// Of lists and maps.
  var elementDefinition = 0
  var repetition = 0

  var field: Field { Field(fieldID, name, type, required: !isOptional) }

  /// The leaves under this node, in order.
  var leaves: [Int] {
    switch kind {
    case .leaf(let index): [index]
    case .structure(let children): children.flatMap(\.leaves)
    case .list(let element): element.leaves
    case .map(let key, let value): key.leaves + value.leaves
    }
  }
}

extension FieldType {
  /// Bytes of a decimal in a column: the fewest that hold every value of the precision.
  static func decimalBytes(precision: Int) -> Int {
    for bytes in 1...16 where decimalDigits[bytes] >= precision { return bytes }
    return Int((Double(precision) * 3.321928094887362 + 8.999).rounded(.down)) / 8
  }

  /// Digits that always fit into so many bytes.
  private static let decimalDigits = [0, 2, 4, 6, 9, 11, 14, 16, 18, 21, 23, 26, 28, 31, 33, 35, 38]
}
