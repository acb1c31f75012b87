import LakeModel
import Synchronization

/// The attributes of a block's rows, found by label name.
///
/// Keys are looked at once per dictionary entry: each gets its label name, and a label knows the keys that become it.
/// Slots are positions in the map's entries; a row's slots are `slots(of:)`, its resource's first, then its scope's, then
/// its own, as `attributes_shape` says.
///
/// A class: it holds a dozen buffers, and is passed on for every row.
final class AttributeIndex: Sendable {
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
  private let attributesBytes: Int
  private let places: EntryPlaces?

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
    attributesBytes = attributes.memoryBytes + (shape?.memoryBytes ?? 0)
    places = values.codes.map { EntryPlaces($0, values) }
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

  /// The only key entry that becomes the label; nil when there are several.
  private func onlyKey(_ name: Int32) -> UInt32? {
    var found: UInt32?
    for (key, candidate) in nameOfKey.enumerated() where candidate == name {
      if found != nil { return nil }
      found = UInt32(key)
    }
    return found
  }

  /// Whether a slot gives its row the label: the last one of that name does, which is the innermost level's. Of two keys with one
  /// label an empty value does not hide the other.
  private func gives(_ slot: Int, _ name: Int32, _ row: Int) -> Bool {
    guard self.name(ofSlot: slot) == name, values.isPresent(slot) else { return false }
    for later in slot + 1..<max(slot + 1, slots(of: row).upperBound)
    where self.name(ofSlot: later) == name && values.isPresent(later) {
      if !hasAliases || !values.entry(values.code(later)).isEmpty { return false }
    }
    return true
  }

  /// Whether no row has one of some texts as the label, as far as that is known without a search.
  func isKnownToLack(_ name: [UInt8], _ texts: [[UInt8]]) -> Bool {
    if number(ofName: name) == nil { return true }
    guard let places else { return false }
    return texts.allSatisfy { places.isKnownToLack($0) }
  }

  /// Those of `rows` whose label is one of some texts, none of them empty: searches the values for them first.
  func select(_ rows: RowSelection, _ name: Int32, _ texts: [[UInt8]]) -> RowSelection {
    let bounds = rows.bounds
    if bounds.isEmpty { return .none }
    let span = RowSelection.ranges([
      slots(of: bounds.lowerBound).lowerBound..<slots(of: bounds.upperBound - 1).upperBound
    ])
    if span.bounds.isEmpty { return .none }
    let places: RowSelection
    if let known = self.places {
      places = known.places(of: texts.flatMap { known.entries(equalTo: $0) }).clamped(to: span.bounds)
    } else {
      let entries = texts.flatMap { values.entries(equalTo: $0) }
      places = RowSelection.list(entries.sorted().map { Int32(truncatingIfNeeded: $0) }).clamped(to: span.bounds)
    }
    if places.isEmpty { return .none }
    var builder = SelectionBuilder()
    var cursor = rows.makeCursor()
    let offset = offsets.unsafeBase
    var row = bounds.lowerBound
    var last = -1
    places.forEach { slot in
      row = RowSearch.row(holding: slot, offset, from: row, to: bounds.upperBound)
      if row != last, gives(slot, name, row), cursor.contains(row) {
        builder.append(row)
        last = row
      }
    }
    withExtendedLifetime(offsets) {}
    return builder.finish()
  }

  /// For each row the entry of `values` that the label has there, or `LabelVector.absent`.
  func slotCodes(_ name: Int32, rowCount: Int) -> Buffer<UInt32> {
    guard let key = onlyKey(name), values.validity == nil, !hasAliases, let valueCodes = values.codes else {
      return slotCodesOfAnyKeys(name, rowCount: rowCount)
    }
    let keyCodes = keys.codes!  // made a dictionary at init
    defer { withExtendedLifetime((offsets, keyCodes, valueCodes)) {} }
    return Buffer<UInt32>(count: rowCount) { out in
      let offset = offsets.unsafeBase
      let code = keyCodes.unsafeBase
      let value = valueCodes.unsafeBase
      var slot = Int(offset[0])
      for row in 0..<rowCount {
        let end = Int(offset[row &+ 1])
        var found = -1
        while slot < end {
          found = code[slot] == key ? slot : found
          slot &+= 1
        }
        out[row] = found < 0 ? LabelVector.absent : value[found]
      }
    }
  }

  private func slotCodesOfAnyKeys(_ name: Int32, rowCount: Int) -> Buffer<UInt32> {
    let keyCodes = keys.codes!  // made a dictionary at init
    defer { withExtendedLifetime((offsets, keyCodes)) {} }
    return nameOfKey.withUnsafeBufferPointer { nameOfKey in
      Buffer<UInt32>(count: rowCount) { out in
        let offset = offsets.unsafeBase
        let code = keyCodes.unsafeBase
        for row in 0..<rowCount {
          var found = LabelVector.absent
          for slot in Int(offset[row])..<Int(offset[row &+ 1])
          where nameOfKey[Int(code[slot])] == name && values.isPresent(slot) {
            let entry = values.code(slot)
            if hasAliases && values.entry(entry).isEmpty { continue }
            found = UInt32(truncatingIfNeeded: entry)
          }
          out[row] = found
        }
      }
    }
  }

  /// What the buffers and tables take in memory.
  var memoryBytes: Int {
    attributesBytes + (places?.memoryBytes ?? 0) + nameOfKey.count * 4 + names.reduce(0) { $0 + $1.count * 2 + 160 }
      + resourceSlots.count * 2 + 512
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
