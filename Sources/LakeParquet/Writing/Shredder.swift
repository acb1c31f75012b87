import LakeModel
import LakeSchema

/// A leaf's entries before encoding: levels as bytes, and which values of the leaf's column are present, in order.
struct ShreddedLeaf: Sendable {
  /// Entries: values, absent ones and empty lists included.
  let count: Int
  /// Nil when no ancestor nor the leaf can be absent.
  let definition: Buffer<UInt8>?
  let repetition: Buffer<UInt8>?
  let column: Column
  let selection: Selection
  /// Entries whose definition level is the highest.
  var presentCount: Int { selection.count }
}

/// Which values of a column take part: all of a run, or a list of positions.
enum Selection: Sendable {
  case run(Range<Int>)
  case positions(Buffer<UInt32>)

  var count: Int {
    switch self {
    case .run(let range): range.count
    case .positions(let positions): positions.count
    }
  }
}

/// Turns nested columns into leaves with levels, one pass per nesting step. Source: Dremel, as Parquet has it.
struct Shredder {
  /// The entries at one node: which of them are present there, and where their values lie.
  private struct Entries {
    var count: Int
    /// Definition level so far; nil: all at `level`.
    var definition: Buffer<UInt8>?
    var repetition: Buffer<UInt8>?
    /// Entries at this level are present at the node.
    var level: Int
    var values: Selection
  }

  /// The leaves of one top-level column, in the order of the schema.
  static func shred(_ column: Column, node: SchemaNode) throws(ParquetError) -> [ShreddedLeaf] {
    var leaves: [ShreddedLeaf] = []
    let rows = Entries(
      count: column.count, definition: nil, repetition: nil, level: 0, values: .run(0..<column.count))
    try visit(column, node: node, rows, into: &leaves)
    return leaves
  }

  private static func visit(
    _ column: Column, node: SchemaNode, _ entries: Entries, into leaves: inout [ShreddedLeaf]
  ) throws(ParquetError) {
    guard column.count <= Int(UInt32.max) else {
      throw .limitExceeded("values of \(node.name)", limit: Int(UInt32.max), found: column.count)
    }
    let entries = node.isOptional ? optional(column, entries) : try required(column, node, entries)
    switch (node.kind, column.values) {
    case (.leaf, _):
      leaves.append(
        ShreddedLeaf(
          count: entries.count, definition: node.definition > 0 ? full(entries) : nil, repetition: entries.repetition,
          column: column, selection: entries.values))
    case (.structure(let children), .structure(let columns)):
      guard children.count == columns.count else { throw .malformed("struct \(node.name) has another shape") }
      for (child, column) in zip(children, columns) { try visit(column, node: child, entries, into: &leaves) }
    case (.list(let child), .list(let offsets, let element)):
      let inner = try repeated(offsets, count: element.count, node, entries)
      try visit(element, node: child, inner, into: &leaves)
    case (.map(let key, let value), .map(let offsets, let keys, let values)):
      guard keys.count == values.count else { throw .malformed("map \(node.name) has keys without values") }
      let inner = try repeated(offsets, count: keys.count, node, entries)
      try visit(keys, node: key, inner, into: &leaves)
      try visit(values, node: value, inner, into: &leaves)
    default: throw .malformed("column \(node.name) is not of its field's type")
    }
  }

  /// Definition levels in memory, even when all are the same.
  private static func full(_ entries: Entries) -> Buffer<UInt8> {
    if let definition = entries.definition { return definition }
    var levels = BufferBuilder<UInt8>(capacity: max(1, entries.count))
    levels.append(repeating: UInt8(entries.level), count: entries.count)
    return levels.finish()
  }

  private static func required(
    _ column: Column, _ node: SchemaNode, _ entries: Entries
  ) throws(ParquetError) -> Entries {
    guard let validity = column.validity else { return entries }
    var absent = false
    validity.withValues { validity in
      forEach(entries.values) { absent = absent || validity[$0] == 0 }
    }
    if absent { throw .malformed("required column \(node.name) has absent values") }
    return entries
  }

  @inline(__always)
  private static func forEach(_ selection: Selection, _ body: (Int) -> Void) {
    switch selection {
    case .run(let range): for index in range { body(index) }
    case .positions(let positions): positions.withValues { for position in $0 { body(Int(position)) } }
    }
  }

  /// Raises entries that are present by one level and lets the others stay.
  private static func optional(_ column: Column, _ entries: Entries) -> Entries {
    var next = entries
    next.level = entries.level + 1
    let hasAbsent = column.validity.map { $0.withValues { $0.contains(0) } } ?? false
    guard hasAbsent, let validity = column.validity else {
      next.definition = entries.definition.map { raise($0, from: UInt8(entries.level)) }
      return next
    }
    var positions = BufferBuilder<UInt32>(capacity: max(1, entries.values.count))
    let to = positions.reserve(entries.values.count)
    var kept = 0
    var levels = BufferBuilder<UInt8>(capacity: max(1, entries.count))
    let level = UInt8(entries.level)
    validity.withValues { validity in
      if let definition = entries.definition {
        levels.append(contentsOf: definition.unsafeBase, count: definition.count)
        let target = levels.reserve(0) - entries.count
        var at = 0
        forEach(entries.values) { position in
          while target[at] != level { at += 1 }
          let isPresent = validity[position] & 1
          target[at] = level + isPresent
          at += 1
          to[kept] = UInt32(truncatingIfNeeded: position)
          kept &+= Int(isPresent)
        }
      } else {
        let target = levels.reserve(entries.count)
        var at = 0
        forEach(entries.values) { position in
          let isPresent = validity[position] & 1
          target[at] = level + isPresent
          at += 1
          to[kept] = UInt32(truncatingIfNeeded: position)
          kept &+= Int(isPresent)
        }
        levels.count = entries.count
      }
    }
    positions.count = kept
    next.values = .positions(positions.finish())
    next.definition = levels.finish()
    return next
  }

  private static func raise(_ definition: Buffer<UInt8>, from level: UInt8) -> Buffer<UInt8> {
    var levels = BufferBuilder<UInt8>(capacity: max(1, definition.count))
    let target = levels.reserve(definition.count)
    definition.withValues { source in
      for index in 0..<source.count { target[index] = source[index] == level ? level + 1 : source[index] }
    }
    levels.count = definition.count
    return levels.finish()
  }

  /// Replaces each present list by its elements; an empty list keeps one entry, as does what was absent before.
  private static func repeated(
    _ offsets: Buffer<UInt32>, count elementCount: Int, _ node: SchemaNode, _ entries: Entries
  ) throws(ParquetError) -> Entries {
    var elements = 0
    var empties = 0
    var isBroken = false
    var isDense = true
    var firstElement = -1
    var end = 0
    offsets.withValues { offsets in
      forEach(entries.values) { position in
        let (from, to) = (Int(offsets[position]), Int(offsets[position + 1]))
        isBroken = isBroken || from > to || to > elementCount
        if to > from {
          if firstElement < 0 { firstElement = from } else { isDense = isDense && from == end }
          end = to
          elements &+= to &- from
        } else {
          empties += 1
        }
      }
    }
    guard !isBroken else { throw .malformed("offsets of \(node.name) do not ascend within its elements") }
    let absent = entries.count - entries.values.count
    let (total, overflow) = elements.addingReportingOverflow(empties + absent)
    guard !overflow, total <= Int(Int32.max) else {
      throw .limitExceeded("entries of \(node.name)", limit: Int(Int32.max), found: total)
    }
    let levels = fill(offsets, total: total, node, entries)
    let first = max(0, firstElement)
    let values: Selection = isDense ? .run(first..<first + elements) : positions(offsets, elements, entries.values)
    return Entries(
      count: total, definition: levels.definition, repetition: levels.repetition, level: entries.level + 1,
      values: values)
  }

  private static func positions(_ offsets: Buffer<UInt32>, _ count: Int, _ lists: Selection) -> Selection {
    var positions = BufferBuilder<UInt32>(capacity: max(1, count))
    let target = positions.reserve(count)
    var at = 0
    offsets.withValues { offsets in
      forEach(lists) { list in
        var position = offsets[list]
        while position < offsets[list + 1] {
          target[at] = position
          at += 1
          position += 1
        }
      }
    }
    positions.count = count
    return .positions(positions.finish())
  }

  private static func fill(
    _ offsets: Buffer<UInt32>, total: Int, _ node: SchemaNode, _ entries: Entries
  ) -> (definition: Buffer<UInt8>, repetition: Buffer<UInt8>) {
    var definition = BufferBuilder<UInt8>(capacity: max(1, total))
    var repetition = BufferBuilder<UInt8>(capacity: max(1, total))
    let definitions = definition.reserve(total)
    let repetitions = repetition.reserve(total)
    let level = UInt8(entries.level)
    let repeats = UInt8(node.repetition)
    var at = 0
    var outer = 0
    let passOn = { (definition: UInt8) in
      definitions[at] = definition
      repetitions[at] = entries.repetition.map { $0.unsafeBase[outer] } ?? 0
      at += 1
      outer += 1
    }
    offsets.withValues { offsets in
      forEach(entries.values) { position in
        if let before = entries.definition {
          while before.unsafeBase[outer] != level { passOn(before.unsafeBase[outer]) }
        }
        let length = Int(offsets[position + 1] &- offsets[position])
        if length == 0 {
          passOn(level)
        } else {
          let start = at
          passOn(level + 1)
          (definitions + start + 1).update(repeating: level + 1, count: length - 1)
          (repetitions + start + 1).update(repeating: repeats, count: length - 1)
          at = start + length
        }
      }
    }
    if let before = entries.definition { while outer < entries.count { passOn(before.unsafeBase[outer]) } }
    precondition(at == total)
    definition.count = total
    repetition.count = total
    return (definition.finish(), repetition.finish())
  }
}
