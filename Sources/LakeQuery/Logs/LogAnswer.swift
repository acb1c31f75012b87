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
    let numbers = entries.map { table.number(of: $0.labels) }
    var members = [[Int]](repeating: [], count: table.count)
    for (index, number) in numbers.enumerated() { members[number].append(index) }
    let order = LabelOrder.places(table.sets)
    let lines = LineColumns(order.map { members[$0] }, entries)
    return order.enumerated().map { place, number in
      let members = members[number]
      return LogStream(
        labels: table.sets[number], times: members.map { UInt64(clamping: kept[$0].time) }, lines: lines.columns[place],
        metadata: members.compactMap { entries[$0].metadata })
    }
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
    var labels = LabelArena()
    var structured = LabelArena()
    for row in rows {
      assembler.gather(row)
      for piece in assembler.pieces {
        if isCategorized && piece.category != .stream {
          structured.append(name: assembler.name(piece), value: piece.value)
        } else {
          labels.append(name: assembler.name(piece), value: piece.value)
        }
      }
      try context.hold(bytes: (labels.end() + structured.end() + LogEntry.ownBytes) * LogAnswer.copies)
    }
    let lines = try await lines(block, selection)
    let sets = labels.finish()
    let metadata = structured.finish()
    return rows.indices.map { index in
      LogEntry(
        labels: sets[index],
        metadata: isCategorized ? EntryMetadata(structured: metadata[index], parsed: .empty) : nil, line: lines[index])
    }
  }

  /// The lines of rows, in one block of memory.
  private func lines(_ block: any LogBlock, _ rows: RowSelection) async throws(QueryError) -> [Bytes] {
    var data = BufferBuilder<UInt8>(capacity: rows.count * 256)
    var ends: [Int] = []
    try await block.forEachBodyPiece(holding: rows) { piece throws(QueryError) in
      try rows.clamped(to: piece.rows).forEach { row throws(QueryError) in
        let line = piece.lines[row - piece.rows.lowerBound]
        try context.hold(bytes: line.count * LogAnswer.copies)
        if let base = line.baseAddress {
          data.append(contentsOf: base.assumingMemoryBound(to: UInt8.self), count: line.count)
        }
        ends.append(data.count)
      }
    }
    guard ends.count == rows.count else { throw .corrupt("column body has fewer values than rows") }
    let buffer = data.finish()
    let bytes = Bytes(storage: buffer.storage, offset: buffer.offset, count: buffer.count)
    var start = 0
    return ends.map { end in
      defer { start = end }
      return bytes[start..<end]
    }
  }
}

/// The lines of streams as columns that share their memory.
private struct LineColumns {
  /// One per stream.
  private(set) var columns: [Column] = []

  /// Offsets have 32 bits.
  private static let dataBytesMax = 1 << 30

  /// - Parameter streams: the entries of each, in order.
  init(_ streams: [[Int]], _ entries: [LogEntry]) {
    var first = 0
    while first < streams.count {
      var end = first
      var bytes = 0
      repeat {
        bytes += streams[end].reduce(0) { $0 + entries[$1].line.count }
        end += 1
      } while end < streams.count && bytes < LineColumns.dataBytesMax
      append(streams[first..<end], entries, bytes: bytes)
      first = end
    }
  }

  private mutating func append(_ streams: ArraySlice<[Int]>, _ entries: [LogEntry], bytes: Int) {
    let count = streams.reduce(0) { $0 + $1.count }
    var lines = BytesColumnBuilder(capacity: count, bytesPerValue: bytes / max(1, count) + 1)
    for stream in streams { for entry in stream { entries[entry].line.withUnsafeBytes { lines.append($0) } } }
    let all = lines.column()
    var start = 0
    for stream in streams {
      columns.append(all.slice(start..<start + stream.count))
      start += stream.count
    }
  }
}
