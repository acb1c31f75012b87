import LakeModel

/// Finds the dictionary entry of a shape letter by letter, without hashing the text: a tree whose edges are levels and kinds.
///
/// Rows of one sender have few shapes, and most begin alike. The tree stops growing at `nodesMax`; shapes beyond it are looked up as text.
struct ShapeTable: ~Copyable {
  private(set) var texts: ByteTable
  /// Sixteen edges a node: 0 to 7 kinds, 8 to 10 levels; 0 leads nowhere yet.
  private var edges: BufferBuilder<UInt32>
  /// Entry of the shape that ends in a node, plus one.
  private var entries: BufferBuilder<UInt32>

  static let edgesPerNode = 16
  static let nodesMax = 1 << 14
  /// The node of the empty shape.
  static let root: UInt32 = 1
  /// Where shapes beyond the tree go: all its edges lead back to it.
  private static let outside: UInt32 = 0

  init(seed: UInt64) {
    texts = ByteTable(seed: seed, capacity: 16)
    edges = BufferBuilder(capacity: 64 * ShapeTable.edgesPerNode)
    edges.append(repeating: 0, count: 2 * ShapeTable.edgesPerNode)
    entries = BufferBuilder(capacity: 64)
    entries.append(repeating: 0, count: 2)
  }

  @inline(__always)
  mutating func step(_ node: UInt32, kind: AnyValueKind) -> UInt32 { step(node, edge: Int(kind.rawValue)) }

  @inline(__always)
  mutating func step(_ node: UInt32, level: AttributesBuilder.Level) -> UInt32 {
    step(node, edge: 8 &+ Int(level.rawValue))
  }

  @inline(__always)
  private mutating func step(_ node: UInt32, edge: Int) -> UInt32 {
    let next = edges.base[Int(node) &* ShapeTable.edgesPerNode &+ edge]
    return next != 0 ? next : grow(node, edge: edge)
  }

  private mutating func grow(_ node: UInt32, edge: Int) -> UInt32 {
    guard node != ShapeTable.outside, entries.count < ShapeTable.nodesMax else { return ShapeTable.outside }
    let next = UInt32(entries.count)
    edges.append(repeating: 0, count: ShapeTable.edgesPerNode)
    entries.append(0)
    edges.base[Int(node) * ShapeTable.edgesPerNode + edge] = next
    return next
  }

  /// The entry of the shape whose letters led to `node`, if it has come before.
  @inline(__always)
  func known(_ node: UInt32) -> UInt32? {
    let entry = entries.base[Int(node)]
    return entry != 0 ? entry &- 1 : nil
  }

  mutating func addEntry(_ node: UInt32, text: RawBytes) -> UInt32 {
    let entry = texts.index(of: text)
    if node != ShapeTable.outside { entries.base[Int(node)] = entry + 1 }
    return entry
  }

  mutating func entry(text: RawBytes) -> UInt32 { texts.index(of: text) }

  consuming func column() -> Column { texts.column() }
}
