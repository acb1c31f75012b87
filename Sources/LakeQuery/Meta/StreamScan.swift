import LakeModel

/// Finds the distinct sets of stream labels among rows: service, severity and the resource's attributes.
///
/// A set depends on three columns only, each with few entries, so a row costs a look at three codes.
struct StreamScan: Sendable {
  let context: QueryContext

  /// The sets of the rows, ascending by labels.
  func streams(
    _ blocks: [any LogBlock], _ plans: [LogPlan], in range: TimeRange
  ) async throws(QueryError) -> [LabelSet] {
    var table = SeriesTable()
    let held = HeldMemory(context)
    try await context.forEach(blocks) { block throws(QueryError) in
      try await streams(block, plans, range)
    } merge: { part throws(QueryError) in
      for set in part.sets { _ = table.number(of: set) }
      try held.set(table.memoryBytes)
    }
    try context.hold(bytes: table.memoryBytes)
    return LabelOrder.places(table.sets).map { table.sets[$0] }
  }

  private func streams(
    _ block: any LogBlock, _ plans: [LogPlan], _ range: TimeRange
  ) async throws(QueryError) -> (sets: [LabelSet], held: HeldMemory) {
    var statistics = QueryStatistics()
    defer { context.count(statistics) }
    let held = HeldMemory(context)
    var table = SeriesTable()
    for plan in plans {
      let filtered = try await plan.filter(block, in: range, statistics: &statistics)
      if filtered.rows.isEmpty { continue }
      try await collect(filtered, &table, held)
    }
    return (table.sets, held)
  }

  private func collect(
    _ filtered: FilteredBlock, _ table: inout SeriesTable, _ held: HeldMemory
  ) async throws(QueryError) {
    let labels = filtered.labels
    let service = try await labels.vector(LabelReference("service_name"))
    let severity = try await labels.vector(LabelReference("severity_text"))
    guard let resource = try await labels.block.vector(.resource) else {
      return try await collectWhole(filtered, &table, held)
    }
    let firstRows = StreamScan.firstRows(filtered.rows, service, severity, resource)
    var parsed: [UInt32: [(name: [UInt8], value: [UInt8])]] = [:]
    for (key, row) in firstRows.sorted(by: { $0.value < $1.value }) {
      if parsed[key.resource] == nil {
        let json = resource.withText(ofCode: key.resource) { Bytes(copying: $0) }
        guard let found = json.isEmpty ? [] : ResourceLabels.parse(json) else {
          return try await collectWhole(filtered, &table, held)
        }
        parsed[key.resource] = found
      }
      var pairs = parsed[key.resource]!
      for (name, vector) in [("service_name", service), ("severity_text", severity)] {
        let value = vector.withText(of: row) { Array($0) }
        pairs.removeAll { $0.name == Array(name.utf8) }
        if !value.isEmpty { pairs.append((Array(name.utf8), value)) }
      }
      pairs.removeAll { LabelReference(String(decoding: $0.name, as: UTF8.self)).isHidden }
      pairs.sort { $0.name.lexicographicallyPrecedes($1.name) }
      var packer = LabelPacker()
      packer.begin()
      for (name, value) in pairs { value.withUnsafeBytes { packer.append(name: name, value: $0) } }
      _ = table.number(of: packer)
    }
  }

  /// The first row of each combination of codes.
  private static func firstRows(
    _ rows: RowSelection, _ service: LabelVector, _ severity: LabelVector, _ resource: LabelVector
  ) -> [StreamKey: Int] {
    var firstRows: [StreamKey: Int] = [:]
    // Few combinations: one byte for each says whether it was seen; absent codes come last.
    let (severities, resources) = (severity.values.entryCount + 1, resource.values.entryCount + 1)
    let (some, overflow) = severities.multipliedReportingOverflow(by: resources)
    let (count, tooMany) = some.multipliedReportingOverflow(by: service.values.entryCount + 1)
    var isSeen = [Bool](repeating: false, count: overflow || tooMany || count > StreamScan.marksMax ? 0 : count)
    func place(_ code: UInt32, _ vector: LabelVector) -> Int {
      code == LabelVector.absent ? vector.values.entryCount : Int(code)
    }
    var last: StreamKey?
    rows.forEach { row in
      let key = StreamKey(
        service: service.code(of: row), severity: severity.code(of: row), resource: resource.code(of: row))
      if key == last { return }
      last = key
      if !isSeen.isEmpty {
        let mark =
          (place(key.service, service) * severities + place(key.severity, severity)) * resources
          + place(key.resource, resource)
        if isSeen[mark] { return }
        isSeen[mark] = true
      }
      if firstRows[key] == nil { firstRows[key] = row }
    }
    return firstRows
  }

  private static let marksMax = 1 << 22

  /// Row by row, from the attributes themselves.
  private func collectWhole(
    _ filtered: FilteredBlock, _ table: inout SeriesTable, _ held: HeldMemory
  ) async throws(QueryError) {
    let assembler = try await LabelAssembler.make(filtered.labels)
    var packer = LabelPacker()
    for rows in filtered.rows.portions(of: 1 << 16) {
      try context.check()
      rows.forEach { row in
        assembler.gather(row)
        packer.begin()
        for piece in assembler.pieces where piece.category == .stream {
          packer.append(name: assembler.name(piece), value: piece.value)
        }
        _ = table.number(of: packer)
      }
      try held.set(table.memoryBytes)
    }
  }
}

private struct StreamKey: Hashable {
  let service: UInt32
  let severity: UInt32
  let resource: UInt32
}
