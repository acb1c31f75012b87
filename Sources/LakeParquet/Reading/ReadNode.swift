import LakeModel
import LakeSchema

/// One requested field laid over the file: where its values come from.
struct ReadNode: Sendable {
  indirect enum Kind: Sendable {
    case leaf(Leaf)
    case structure([ReadNode])
    case list(ReadNode)
    case map(key: ReadNode, value: ReadNode)
    /// Not in the file: absent everywhere.
    case absent
  }

  var kind: Kind
  /// As requested.
  var type: FieldType
  var name: String
  var isOptional = true
  /// Levels in the file; see `SchemaNode`.
  var definition = 0
  var elementDefinition = 0
  var repetition = 0
  /// A leaf whose levels tell the shape of this group.
  var witness = 0

  /// Leaves that are decoded, the witnesses included.
  var leaves: [Int] {
    switch kind {
    case .leaf(let leaf): [leaf.index]
    case .structure(let children): [witness] + children.flatMap(\.leaves)
    case .list(let element): [witness] + element.leaves
    case .map(let key, let value): [witness] + key.leaves + value.leaves
    case .absent: []
    }
  }

  /// The first leaf that is decoded anyway, so that the witness costs nothing where that can be.
  var firstLeaf: Int? {
    switch kind {
    case .leaf(let leaf): leaf.index
    case .structure(let children): children.lazy.compactMap(\.firstLeaf).first ?? witness
    case .list(let element): element.firstLeaf ?? witness
    case .map(let key, _): key.firstLeaf ?? witness
    case .absent: nil
    }
  }
}
