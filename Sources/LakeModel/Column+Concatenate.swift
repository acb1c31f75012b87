extension Column {
  /// The values of columns of one type, one column after another.
  ///
  /// Dictionaries are united: each entry is hashed once however many rows use it, and the result's dictionary holds no
  /// entry twice. Plain values next to dictionaries join the dictionary while they are few; otherwise the result is plain.
  ///
  /// - Parameter unitesDictionaries: false lays dictionaries one after another without looking for repeated entries, for
  ///   rows that go to a writer which does that itself.
  /// - Precondition: `parts` is not empty, all have one type, and byte runs and elements of the result stay within 4 GiB
  ///   and 2^31.
  package static func concatenate(_ parts: [Column], unitesDictionaries: Bool = true) -> Column {
    precondition(!parts.isEmpty)
    let filled = parts.filter { $0.count > 0 }
    guard let first = filled.first else { return parts[0] }
    if filled.count == 1 { return first }
    let count = filled.reduce(0) { $0 + $1.count }
    return Column(
      Concatenation(unitesDictionaries: unitesDictionaries).values(filled), count: count,
      validity: Concatenation.validity(filled, count))
  }

  /// A dictionary column as plain values of its dictionary's type; any other column as it is.
  package var plain: Column {
    guard case .dictionary(let indices, let dictionary) = values else { return self }
    return Column(ColumnDictionary.plain(indices, dictionary, validity), count: count, validity: validity)
  }
}

/// The work of `Column.concatenate`, type by type.
struct Concatenation {
  let unitesDictionaries: Bool

  static func validity(_ parts: [Column], _ count: Int) -> Buffer<UInt8>? {
    guard parts.contains(where: { $0.validity != nil }) else { return nil }
    var present = BufferBuilder<UInt8>(capacity: count)
    for part in parts {
      if let validity = part.validity {
        validity.withValues { if let base = $0.baseAddress { present.append(contentsOf: base, count: $0.count) } }
      } else {
        present.append(repeating: 1, count: part.count)
      }
    }
    return present.finish()
  }

  func values(_ parts: [Column]) -> Column.Values {
    switch parts[0].values {
    case .boolean:
      return .boolean(Concatenation.joined(parts) { if case .boolean(let values) = $0 { values } else { nil } })
    case .int32: return .int32(Concatenation.joined(parts) { if case .int32(let values) = $0 { values } else { nil } })
    case .int64: return .int64(Concatenation.joined(parts) { if case .int64(let values) = $0 { values } else { nil } })
    case .float: return .float(Concatenation.joined(parts) { if case .float(let values) = $0 { values } else { nil } })
    case .double:
      return .double(Concatenation.joined(parts) { if case .double(let values) = $0 { values } else { nil } })
    case .fixed, .bytes, .dictionary: return bytes(parts)
    case .list: return list(parts)
    case .structure(let children):
      return .structure(children.indices.map { child in whole(parts.map { $0.structureChild(child) }) })
    case .map: return map(parts)
    }
  }

  private func whole(_ parts: [Column]) -> Column {
    Column.concatenate(parts, unitesDictionaries: unitesDictionaries)
  }

  private static func joined<T: BitwiseCopyable>(
    _ parts: [Column], _ values: (Column.Values) -> Buffer<T>?
  ) -> Buffer<T> {
    var out = BufferBuilder<T>(capacity: parts.reduce(0) { $0 + $1.count })
    for part in parts {
      guard let buffer = values(part.values) else { preconditionFailure("columns of different types") }
      buffer.withValues { if let base = $0.baseAddress { out.append(contentsOf: base, count: $0.count) } }
    }
    return out.finish()
  }

  /// Plain parts may make up at most one row in this many for the result to keep a dictionary.
  private static let dictionaryRowsPerPlainRowMin = 4

  /// Whether text parts, some of them with dictionaries, come to a column with a dictionary.
  static func keepsDictionary(_ parts: [Column]) -> Bool {
    var rows = 0
    var plainRows = 0
    for part in parts {
      rows += part.count
      if case .dictionary = part.values { continue }
      plainRows += part.count
    }
    return plainRows * dictionaryRowsPerPlainRowMin <= rows
  }

  private func bytes(_ parts: [Column]) -> Column.Values {
    if Concatenation.keepsDictionary(parts) {
      return unitesDictionaries ? ColumnDictionary.united(parts) : ColumnDictionary.laidOut(parts)
    }
    let plain = parts.map(\.plain)
    if case .fixed(_, let width) = plain[0].values { return .fixed(Concatenation.fixed(plain, width), width: width) }
    return Concatenation.runs(plain)
  }

  static func fixed(_ parts: [Column], _ width: Int) -> Buffer<UInt8> {
    joined(parts) {
      if case .fixed(let data, let other) = $0, other == width { data } else { nil }
    }
  }

  static func runs(_ parts: [Column]) -> Column.Values {
    let pieces = parts.map { part in
      guard case .bytes(let offsets, let data) = part.values else { preconditionFailure("columns of different types") }
      return (offsets: offsets, span: data.slice(Column.Values.span(offsets, part.count)))
    }
    var data = BufferBuilder<UInt8>(capacity: pieces.reduce(0) { $0 + $1.span.count })
    for piece in pieces {
      piece.span.withValues { if let base = $0.baseAddress { data.append(contentsOf: base, count: $0.count) } }
    }
    return .bytes(offsets: offsets(pieces.map(\.offsets)), data: data.finish())
  }

  private func list(_ parts: [Column]) -> Column.Values {
    let pieces = parts.map { part in
      guard case .list(let offsets, let element) = part.values else {
        preconditionFailure("columns of different types")
      }
      return (offsets: offsets, element: element.slice(Column.Values.span(offsets, part.count)))
    }
    return .list(offsets: Concatenation.offsets(pieces.map(\.offsets)), element: whole(pieces.map(\.element)))
  }

  private func map(_ parts: [Column]) -> Column.Values {
    let pieces = parts.map { part in
      guard case .map(let offsets, let keys, let values) = part.values else {
        preconditionFailure("columns of different types")
      }
      let span = Column.Values.span(offsets, part.count)
      return (offsets: offsets, keys: keys.slice(span), values: values.slice(span))
    }
    return .map(
      offsets: Concatenation.offsets(pieces.map(\.offsets)), keys: whole(pieces.map(\.keys)),
      values: whole(pieces.map(\.values)))
  }

  /// Offsets of runs laid one after another, starting at 0.
  private static func offsets(_ parts: [Buffer<UInt32>]) -> Buffer<UInt32> {
    var out = BufferBuilder<UInt32>(capacity: parts.reduce(1) { $0 + $1.count - 1 })
    out.append(0)
    var base = 0
    for part in parts {
      part.withValues { offsets in
        let first = Int(offsets[0])
        precondition(base + Int(offsets[offsets.count - 1]) - first <= Int(UInt32.max))
        let shift = UInt32(truncatingIfNeeded: base &- first)
        let at = out.reserve(offsets.count - 1)
        for index in 1..<offsets.count { at[index &- 1] = offsets[index] &+ shift }
        out.count += offsets.count - 1
        base += Int(offsets[offsets.count - 1]) - first
      }
    }
    return out.finish()
  }
}

extension Column {
  fileprivate func structureChild(_ index: Int) -> Column {
    guard case .structure(let children) = values else { preconditionFailure("columns of different types") }
    return children[index]
  }
}
