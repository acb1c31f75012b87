package import LakeModel
package import LakeSchema

/// Puts decoded leaves into nested columns: the way back from Dremel levels.
struct Assembler {
  /// By leaf index.
  let leaves: [Int: LeafData]
  let limits: ReadLimits

  /// Where a node stands: slots are the entries that start an element of the innermost list around it.
  private struct Frame {
    var repetition = 0
    /// Entries below this level have no element here.
    var definition = 0
    var slots: Int
  }

  func column(_ node: ReadNode, rows: Int) throws(ParquetError) -> Column {
    try column(node, Frame(slots: rows))
  }

  private func column(_ node: ReadNode, _ frame: Frame) throws(ParquetError) -> Column {
    switch node.kind {
    case .absent: return Column.absent(node.type, count: frame.slots)
    case .leaf(let leaf): return try self.leaf(leaf, node, frame)
    case .structure(let children):
      let validity = try validity(node, frame)
      var columns: [Column] = []
      for child in children { columns.append(try column(child, frame)) }
      return Column(.structure(columns), count: frame.slots, validity: validity)
    case .list(let element):
      let (offsets, validity, inner) = try lists(node, frame)
      let values = try column(element, inner)
      return Column(.list(offsets: offsets, element: values), count: frame.slots, validity: validity)
    case .map(let key, let value):
      let (offsets, validity, inner) = try lists(node, frame)
      let keys = try column(key, inner)
      guard keys.absentCount == 0 else { throw .malformed("absent key in map \(node.name)") }
      let values = try column(value, inner)
      let present = Column(keys.values, count: keys.count)
      return Column(.map(offsets: offsets, keys: present, values: values), count: frame.slots, validity: validity)
    }
  }

  private func data(_ leaf: Int) -> LeafData {
    guard let data = leaves[leaf] else { preconditionFailure("leaf \(leaf) was not decoded") }
    return data
  }

  private func mismatch(_ name: String, _ found: Int, _ wanted: Int) -> ParquetError {
    .malformed("\(found) values of \(name) where its neighbours have \(wanted)")
  }
}

extension Assembler {
  private func leaf(_ leaf: Leaf, _ node: ReadNode, _ frame: Frame) throws(ParquetError) -> Column {
    let data = data(leaf.index)
    let values = try ValueConversion.convert(data.values, count: data.presentCount, leaf: leaf, to: node.type)
    let slots = slotCount(data, frame)
    guard slots == frame.slots else { throw mismatch(node.name, slots, frame.slots) }
    guard data.presentCount < slots, let definition = data.definition else {
      return Column(values, count: slots)
    }
    if case .fixed(_, let width) = values {
      let (bytes, overflow) = slots.multipliedReportingOverflow(by: width)
      guard !overflow && bytes <= limits.chunkBytesMax else {
        throw .limitExceeded("bytes of \(node.name)", limit: limits.chunkBytesMax, found: overflow ? .max : bytes)
      }
    }
    let flags = Self.flags(definition, from: UInt8(frame.definition), present: UInt8(leaf.maxDefinition), slots: slots)
    return Column(Spread.values(values, flags), count: slots, validity: flags)
  }

  private func slotCount(_ data: LeafData, _ frame: Frame) -> Int {
    guard frame.definition > 0 || frame.repetition > 0, let definition = data.definition else { return data.entryCount }
    let level = UInt8(frame.definition)
    return definition.withValues { levels in
      levels.baseAddress.map { Levels.count($0, levels.count, atLeast: level) } ?? 0
    }
  }

  /// One byte per entry that has a slot: whether its level reaches `present`.
  private static func flags(_ definition: Buffer<UInt8>, from: UInt8, present: UInt8, slots: Int) -> Buffer<UInt8> {
    // Levels of 0 and 1 are flags already.
    if from == 0 && present == 1 { return definition }
    var flags = BufferBuilder<UInt8>(capacity: max(1, definition.count))
    let target = flags.reserve(definition.count)
    definition.withValues { levels in
      if from == 0 {
        for index in 0..<levels.count { target[index] = levels[index] >= present ? 1 : 0 }
      } else {
        var at = 0
        for level in levels {
          target[at] = level >= present ? 1 : 0
          at &+= level >= from ? 1 : 0
        }
      }
    }
    flags.count = slots
    return flags.finish()
  }

  /// Presence of a struct; nil when none is absent.
  private func validity(_ node: ReadNode, _ frame: Frame) throws(ParquetError) -> Buffer<UInt8>? {
    let data = data(node.witness)
    guard let definition = data.definition else {
      guard data.entryCount == frame.slots else { throw mismatch(node.name, data.entryCount, frame.slots) }
      return nil
    }
    var flags = BufferBuilder<UInt8>(capacity: max(1, data.entryCount))
    let target = flags.reserve(data.entryCount)
    var at = 0
    var absent = 0
    let (level, present) = (UInt8(frame.definition), UInt8(node.definition))
    let repetition = data.repetition
    definition.withValues { levels in
      for index in 0..<levels.count {
        let starts = levels[index] >= level && (repetition.map { $0.unsafeBase[index] <= frame.repetition } ?? true)
        let isPresent: UInt8 = levels[index] >= present ? 1 : 0
        target[at] = isPresent
        if starts {
          at &+= 1
          absent &+= 1 &- Int(isPresent)
        }
      }
    }
    guard at == frame.slots else { throw mismatch(node.name, at, frame.slots) }
    flags.count = at
    return absent == 0 ? nil : flags.finish()
  }

  /// Offsets and presence of a list or map, and the frame of its elements.
  private func lists(
    _ node: ReadNode, _ frame: Frame
  ) throws(ParquetError) -> (offsets: Buffer<UInt32>, validity: Buffer<UInt8>?, inner: Frame) {
    let data = data(node.witness)
    guard let definition = data.definition, let repetition = data.repetition else {
      preconditionFailure("a list's leaf has both levels")
    }
    guard frame.slots <= data.entryCount else { throw mismatch(node.name, data.entryCount, frame.slots) }
    var offsets = BufferBuilder<UInt32>(capacity: frame.slots + 1)
    var flags = BufferBuilder<UInt8>(capacity: max(1, frame.slots))
    var elements: UInt32 = 0
    var slots = 0
    var absent = 0
    let offsetTarget = offsets.reserve(frame.slots + 1)
    let flagTarget = flags.reserve(frame.slots)
    let (level, present, element) = (UInt8(frame.definition), UInt8(node.definition), UInt8(node.elementDefinition))
    let (outer, own) = (UInt8(frame.repetition), UInt8(node.repetition))
    repetition.withValues { repetitions in
      definition.withValues { definitions in
        for index in 0..<definitions.count {
          let (repeats, defined) = (repetitions[index], definitions[index])
          if repeats <= outer && defined >= level {
            if slots < frame.slots {
              offsetTarget[slots] = elements
              let isPresent: UInt8 = defined >= present ? 1 : 0
              flagTarget[slots] = isPresent
              absent &+= 1 &- Int(isPresent)
            }
            slots &+= 1
          }
          elements &+= repeats <= own && defined >= element ? 1 : 0
        }
      }
    }
    guard slots == frame.slots else { throw mismatch(node.name, slots, frame.slots) }
    offsetTarget[slots] = elements
    offsets.count = slots + 1
    flags.count = slots
    let inner = Frame(repetition: node.repetition, definition: node.elementDefinition, slots: Int(elements))
    return (offsets.finish(), absent == 0 ? nil : flags.finish(), inner)
  }
}

/// Spreads present values over slots, leaving the absent ones zero or empty.
enum Spread {
  static func values(_ values: Column.Values, _ flags: Buffer<UInt8>) -> Column.Values {
    switch values {
    case .boolean(let values): return .boolean(words(values, flags, zero: 0))
    case .int32(let values): return .int32(words(values, flags, zero: 0))
    case .int64(let values): return .int64(words(values, flags, zero: 0))
    case .float(let values): return .float(words(values, flags, zero: 0))
    case .double(let values): return .double(words(values, flags, zero: 0))
    case .fixed(let data, let width): return .fixed(runs(data, width: width, flags), width: width)
    case .bytes(let offsets, let data): return .bytes(offsets: self.offsets(offsets, flags), data: data)
    case .dictionary(let indices, let dictionary):
      return .dictionary(indices: words(indices, flags, zero: 0), dictionary: dictionary)
    case .list, .structure, .map: preconditionFailure("a leaf has no children")
    }
  }

  private static func words<T: BitwiseCopyable>(_ values: Buffer<T>, _ flags: Buffer<UInt8>, zero: T) -> Buffer<T> {
    var spread = BufferBuilder<T>(capacity: max(1, flags.count))
    let target = spread.reserve(flags.count)
    let source = values.unsafeBase
    var next = 0
    flags.withValues { flags in
      for index in 0..<flags.count {
        if flags[index] != 0 {
          target[index] = source[next]
          next &+= 1
        } else {
          target[index] = zero
        }
      }
    }
    precondition(next == values.count)
    spread.count = flags.count
    withExtendedLifetime(values.storage) {}
    return spread.finish()
  }

  private static func runs(_ data: Buffer<UInt8>, width: Int, _ flags: Buffer<UInt8>) -> Buffer<UInt8> {
    var spread = BufferBuilder<UInt8>(capacity: max(1, flags.count * width))
    let target = UnsafeMutableRawPointer(spread.reserve(flags.count * width))
    let source = UnsafeRawPointer(data.unsafeBase)
    var next = 0
    flags.withValues { flags in
      for index in 0..<flags.count {
        if flags[index] != 0 {
          (target + index * width).copyMemory(from: source + next, byteCount: width)
          next += width
        } else {
          (target + index * width).initializeMemory(as: UInt8.self, repeating: 0, count: width)
        }
      }
    }
    precondition(next == data.count)
    spread.count = flags.count * width
    withExtendedLifetime(data.storage) {}
    return spread.finish()
  }

  private static func offsets(_ offsets: Buffer<UInt32>, _ flags: Buffer<UInt8>) -> Buffer<UInt32> {
    var spread = BufferBuilder<UInt32>(capacity: flags.count + 1)
    let target = spread.reserve(flags.count + 1)
    let source = offsets.unsafeBase
    var next = 0
    flags.withValues { flags in
      for index in 0..<flags.count {
        target[index] = source[next]
        next &+= Int(flags[index])
      }
    }
    precondition(next == offsets.count - 1)
    target[flags.count] = source[next]
    spread.count = flags.count + 1
    withExtendedLifetime(offsets.storage) {}
    return spread.finish()
  }
}

extension Column {
  /// A column of absent values.
  package static func absent(_ type: FieldType, count: Int) -> Column {
    let validity = zeros(UInt8.self, count)
    let values: Values
    switch type {
    case .boolean: values = .boolean(zeros(UInt8.self, count))
    case .int, .date: values = .int32(zeros(Int32.self, count))
    case .long, .time, .timestamp, .timestamptz: values = .int64(zeros(Int64.self, count))
    case .float: values = .float(zeros(Float.self, count))
    case .double: values = .double(zeros(Double.self, count))
    case .string, .binary: values = .bytes(offsets: zeros(UInt32.self, count + 1), data: Buffer<UInt8>([]))
    case .uuid: values = .fixed(zeros(UInt8.self, count * 16), width: 16)
    case .fixed(let width): values = .fixed(zeros(UInt8.self, count * width), width: width)
    case .decimal(let precision, _):
      let width = FieldType.decimalBytes(precision: precision)
      values = .fixed(zeros(UInt8.self, count * width), width: width)
    case .structure(let fields): values = .structure(fields.map { absent($0.type, count: count) })
    case .list(_, let element, _):
      values = .list(offsets: zeros(UInt32.self, count + 1), element: absent(element, count: 0))
    case .map(_, let key, _, let value, _):
      let keys = Column(absent(key, count: 0).values, count: 0)
      values = .map(offsets: zeros(UInt32.self, count + 1), keys: keys, values: absent(value, count: 0))
    }
    return Column(values, count: count, validity: count == 0 ? nil : validity)
  }

  private static func zeros<T: BitwiseCopyable>(_ type: T.Type, _ count: Int) -> Buffer<T> {
    let storage = RawStorage(capacity: count * MemoryLayout<T>.stride)
    storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: storage.capacity)
    return Buffer(storage: storage, offset: 0, count: count)
  }
}
