import LakeModel

/// One label of a row while its set is put together.
struct LabelPiece {
  enum Category: UInt8 {
    case stream, structured, parsed
  }
  /// Number of the name in the assembler.
  var name: Int32
  var category: Category
  /// Valid until the next row is gathered.
  var value: UnsafeRawBufferPointer
}

/// Puts together the whole label set of rows of one block: the columns that are shown, then attributes. Used by one task.
final class LabelAssembler {
  /// Label names; a name's rank is its place in their order.
  let names: [[UInt8]]
  /// The names again, at addresses that stay.
  private let nameBytes: [FixedBytes]
  private let ranks: [Int32]
  private let columns: [(name: Int32, vector: LabelVector, isStream: Bool)]
  private let attributes: AttributeIndex?
  /// For each name of `attributes`: the column that wins over it (index in `columns`), -1 for none, -2 when never shown.
  private let winner: [Int32]
  private(set) var pieces: [LabelPiece] = []
  /// Text of ids, 64 bytes for each column.
  private let scratch = RawStorage(capacity: 64 * 8)

  /// Loads what the sets of any row need.
  static func make(_ labels: BlockLabels) async throws(QueryError) -> LabelAssembler {
    var columns: [(LabelReference, LabelVector, Bool)] = []
    for (reference, isStream) in LabelReference.shown {
      guard let field = reference.field, let vector = try await labels.block.vector(field) else { continue }
      columns.append((reference, vector, isStream))
    }
    return LabelAssembler(columns, try await labels.attributes())
  }

  private init(_ columns: [(LabelReference, LabelVector, Bool)], _ attributes: AttributeIndex?) {
    var names = attributes?.names ?? []
    var numbers: [[UInt8]: Int32] = [:]
    for (index, name) in names.enumerated() { numbers[name] = Int32(index) }
    var winner = [Int32](repeating: -1, count: names.count)
    var found: [(name: Int32, vector: LabelVector, isStream: Bool)] = []
    for (reference, vector, isStream) in columns {
      let number: Int32
      if let known = numbers[reference.utf8] {
        number = known
        winner[Int(known)] = Int32(found.count)
      } else {
        number = Int32(names.count)
        names.append(reference.utf8)
      }
      found.append((number, vector, isStream))
    }
    for (index, name) in (attributes?.names ?? []).enumerated()
    where LabelReference(String(decoding: name, as: UTF8.self)).isHidden {
      winner[index] = -2
    }
    self.names = names
    nameBytes = names.map { FixedBytes($0) }
    self.columns = found
    self.attributes = attributes
    self.winner = winner
    var ranks = [Int32](repeating: 0, count: names.count)
    let order = names.indices.sorted { names[$0].lexicographicallyPrecedes(names[$1]) }
    for (rank, index) in order.enumerated() { ranks[index] = Int32(rank) }
    self.ranks = ranks
  }

  /// The name of a piece; valid while the assembler lives.
  func name(_ piece: LabelPiece) -> UnsafeRawBufferPointer { nameBytes[Int(piece.name)].buffer }

  /// Leaves the labels of `row` in `pieces`, ascending by name, without empty ones.
  func gather(_ row: Int) {
    pieces.removeAll(keepingCapacity: true)
    for index in columns.indices {
      let vector = columns[index].vector
      let code = vector.code(of: row)
      guard code != LabelVector.absent else { continue }
      var value = vector.values.entry(Int(code))
      if value.isEmpty { continue }
      if vector.form == .hex && value.count <= 32 {
        let out = scratch.base + index * 64
        HexText.write(value, to: out)
        value = UnsafeRawBufferPointer(start: out, count: value.count * 2)
      }
      insert(
        LabelPiece(
          name: columns[index].name, category: columns[index].isStream ? .stream : .structured, value: value))
    }
    guard let attributes else { return }
    let slots = attributes.slots(of: row)
    let resourceEnd = slots.lowerBound + attributes.resourceSlotCount(of: row)
    for slot in slots {
      let name = attributes.name(ofSlot: slot)
      guard name >= 0 else { continue }
      let column = winner[Int(name)]
      if column == -2 { continue }
      if column >= 0, columns[Int(column)].vector.code(of: row) != LabelVector.absent { continue }
      let value = attributes.values[slot]
      insert(LabelPiece(name: name, category: slot < resourceEnd ? .stream : .structured, value: value))
    }
    pieces.removeAll { $0.value.isEmpty }
  }

  /// Keeps `pieces` sorted; a name that is there already takes the new value, which comes from further inside.
  private func insert(_ piece: LabelPiece) {
    let rank = ranks[Int(piece.name)]
    var index = pieces.count
    while index > 0, ranks[Int(pieces[index - 1].name)] > rank { index -= 1 }
    if index > 0, pieces[index - 1].name == piece.name {
      if !piece.value.isEmpty { pieces[index - 1] = piece }
    } else {
      pieces.insert(piece, at: index)
    }
  }
}
