import LakeModel

/// The attributes of a block's rows, found by label name.
///
/// Keys are looked at once per dictionary entry: each gets its label name, and a label knows the keys that become it.
/// Slots are positions in the map's entries; a row's slots are `slots(of:)`, its resource's first, then its scope's, then
/// its own, as `attributes_shape` says.
struct AttributeIndex: Sendable {
  let offsets: Buffer<UInt32>
  let keys: BytesView
  let values: BytesView
  /// Label name of each key entry, as a number in `names`; -1 for keys that are no label.
  let nameOfKey: [Int32]
  /// Distinct label names.
  let names: [[UInt8]]
  private let numbers: [[UInt8]: Int32]
  /// Whether two keys of the block become the same label.
  let hasAliases: Bool
  /// Slots of the resource in a row, per shape entry; and the row's shape.
  private let resourceSlots: [UInt16]
  private let shapes: BytesView?

  init(attributes: Column, shape: Column?) throws(QueryError) {
    guard case .map(let offsets, let keyColumn, let valueColumn) = attributes.values,
      let keys = BytesView(keyColumn.withDictionary), let values = BytesView(valueColumn)
    else { throw .corrupt("column attributes is no map of texts") }
    self.offsets = offsets
    self.keys = keys
    self.values = values
    var names: [[UInt8]] = []
    var numbers: [[UInt8]: Int32] = [:]
    var nameOfKey: [Int32] = []
    var distinctKeys = Set<[UInt8]>()
    var hasAliases = false
    nameOfKey.reserveCapacity(keys.entryCount)
    for entry in 0..<keys.entryCount {
      let key = keys.entry(entry)
      let name = LabelName.normalized(key)
      if name.isEmpty {
        nameOfKey.append(-1)
        continue
      }
      let isNewKey = distinctKeys.insert(Array(key)).inserted
      if let number = numbers[name] {
        nameOfKey.append(number)
        if isNewKey { hasAliases = true }
      } else {
        numbers[name] = Int32(names.count)
        nameOfKey.append(Int32(names.count))
        names.append(name)
      }
    }
    self.names = names
    self.numbers = numbers
    self.nameOfKey = nameOfKey
    self.hasAliases = hasAliases
    shapes = shape.flatMap { BytesView($0) }
    resourceSlots = AttributeIndex.resourceSlots(shapes)
  }

  func slots(of row: Int) -> Range<Int> {
    let base = offsets.unsafeBase
    return Int(base[row])..<Int(base[row + 1])
  }

  /// The label name of a slot, as a number in `names`; -1 for none.
  @inline(__always)
  func name(ofSlot slot: Int) -> Int32 { nameOfKey[keys.code(slot)] }

  /// How many of the row's slots, the first ones, belong to its resource.
  func resourceSlotCount(of row: Int) -> Int {
    guard let shapes, shapes.isPresent(row) else { return 0 }
    return Int(resourceSlots[shapes.code(row)])
  }

  func number(ofName name: [UInt8]) -> Int32? { numbers[name] }

  /// The slot that gives `row` the label: its last one of that name, which is the innermost level's; -1 when there is none.
  func slot(of row: Int, name: Int32) -> Int {
    var slot = -1
    for candidate in slots(of: row) where self.name(ofSlot: candidate) == name { slot = candidate }
    return slot
  }

  /// A shape is a run of levels, each a letter `R`, `S` or `I` followed by one letter per attribute.
  private static func resourceSlots(_ shapes: BytesView?) -> [UInt16] {
    guard let shapes else { return [] }
    return (0..<shapes.entryCount).map { entry in
      var count = 0
      var isResource = false
      for letter in shapes.entry(entry) {
        switch letter {
        case UInt8(ascii: "R"): isResource = true
        case UInt8(ascii: "S"), UInt8(ascii: "I"): isResource = false
        default: if isResource { count += 1 }
        }
      }
      return UInt16(clamping: count)
    }
  }
}

extension Column {
  /// A bytes column with a dictionary, made now if there was none.
  var withDictionary: Column {
    guard case .bytes = values, let view = BytesView(self) else { return self }
    var entryOf: [[UInt8]: UInt32] = [:]
    var entries = BytesColumnBuilder()
    let codes = Buffer<UInt32>(count: count) { out in
      for index in 0..<count {
        let bytes = view[index]
        let key = Array(bytes)
        if let entry = entryOf[key] {
          out[index] = entry
        } else {
          out[index] = UInt32(entries.count)
          entryOf[key] = UInt32(entries.count)
          entries.append(bytes)
        }
      }
    }
    return Column(.dictionary(indices: codes, dictionary: entries.column()), count: count, validity: validity)
  }
}
