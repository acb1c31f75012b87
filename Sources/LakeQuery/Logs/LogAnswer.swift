import LakeModel

/// Turns the rows that were found into streams: only now are their labels and lines read.
struct LogAnswer: Sendable {
  let blocks: [any LogBlock]
  let isCategorized: Bool
  let context: QueryContext

  /// How often the bytes of an entry stand in memory until they are sent: as read, in the stream, and in the text of the answer.
  static let copies = 3

  /// - Parameters:
  ///   - candidates: in the order of the answer.
  ///   - interval: entries closer than this (nanoseconds) to the one before are left out; 0 keeps all.
  /// - Returns: streams ascending by labels.
  func streams(_ candidates: [LogCandidate], interval: Int64) async throws(QueryError) -> [LogStream] {
    let kept = thinned(candidates, interval)
    let entries = try await entries(kept)
    var table = SeriesTable()
    var builders: [StreamBuilder] = []
    for (candidate, entry) in zip(kept, entries) {
      let number = table.number(of: entry.labels)
      if number == builders.count { builders.append(StreamBuilder(entry.labels)) }
      builders[number].append(candidate.time, entry)
    }
    return LabelOrder.places(builders.map(\.labels)).map { builders[$0].stream }
  }

  private func thinned(_ candidates: [LogCandidate], _ interval: Int64) -> [LogCandidate] {
    guard interval > 0 else { return candidates }
    var last: Int64?
    return candidates.filter { candidate in
      if let last, abs(candidate.time - last) < interval { return false }
      last = candidate.time
      return true
    }
  }

  /// The entries of the candidates, in their order.
  private func entries(_ candidates: [LogCandidate]) async throws(QueryError) -> [LogEntry] {
    var entries = candidates.map(\.made)
    var byBlock: [Int: [Int]] = [:]
    for (index, candidate) in candidates.enumerated() where candidate.made == nil {
      byBlock[Int(candidate.block), default: []].append(index)
    }
    let work = byBlock.keys.sorted().map { block in
      // Rows of a block ascending, each with the places in the answer that it goes to.
      (block: block, places: byBlock[block]!.sorted { candidates[$0].row < candidates[$1].row })
    }
    try await context.forEach(work) { item throws(QueryError) in
      let rows = item.places.map { Int(candidates[$0].row) }
      return (item.places, try await stored(blocks[item.block], rows))
    } merge: { part throws(QueryError) in
      for (place, entry) in zip(part.0, part.1) { entries[place] = entry }
    }
    return entries.compactMap { $0 }
  }

  /// Stored labels and lines. - Parameter rows: ascending.
  private func stored(_ block: any LogBlock, _ rows: [Int]) async throws(QueryError) -> [LogEntry] {
    let selection = RowSelection.list(rows.map { Int32($0) })
    let assembler = try await LabelAssembler.make(BlockLabels(block))
    var packers = EntryLabelWriter(isCategorized: isCategorized)
    var entries = rows.map { row in
      assembler.gather(row)
      return packers.entry(assembler)
    }
    var next = 0
    try await block.forEachBodyPiece(holding: selection) { piece throws(QueryError) in
      while next < rows.count, piece.rows.contains(rows[next]) {
        entries[next].line = Bytes(copying: piece.lines[rows[next] - piece.rows.lowerBound])
        try context.hold(bytes: entries[next].memoryBytes * LogAnswer.copies)
        next += 1
      }
    }
    return entries
  }
}

/// Packs the labels of one row into the sets that the answer wants.
struct EntryLabelWriter: ~Copyable {
  private let isCategorized: Bool
  private var all = LabelPacker()
  private var structured = LabelPacker()
  private var parsed = LabelPacker()

  init(isCategorized: Bool) { self.isCategorized = isCategorized }

  /// The row that the assembler has gathered, without a line.
  mutating func entry(_ assembler: LabelAssembler) -> LogEntry {
    all.begin()
    structured.begin()
    for piece in assembler.pieces {
      let name = assembler.names[Int(piece.name)]
      if isCategorized && piece.category != .stream {
        structured.append(name: name, value: piece.value)
      } else {
        all.append(name: name, value: piece.value)
      }
    }
    return LogEntry(
      labels: all.set, metadata: isCategorized ? EntryMetadata(structured: structured.set, parsed: .empty) : nil,
      line: Bytes())
  }
}

/// Collects the entries of one stream.
private struct StreamBuilder {
  let labels: LabelSet
  private var times: [UInt64] = []
  private var lines: [Bytes] = []
  private var metadata: [EntryMetadata] = []

  init(_ labels: LabelSet) { self.labels = labels }

  mutating func append(_ time: Int64, _ entry: LogEntry) {
    times.append(UInt64(clamping: time))
    lines.append(entry.line)
    if let more = entry.metadata { metadata.append(more) }
  }

  var stream: LogStream {
    var column = BytesColumnBuilder(capacity: lines.count, bytesPerValue: 128)
    for line in lines { line.withUnsafeBytes { column.append($0) } }
    return LogStream(labels: labels, times: times, lines: column.column(), metadata: metadata)
  }
}
