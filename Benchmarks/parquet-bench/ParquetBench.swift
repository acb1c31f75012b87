import Glibc
import LakeModel
import LakeParquet
import LakeQuery
import LakeSchema

/// `parquet-bench WHAT FILE`: what scripts/bench parquet times beside PyArrow and DuckDB.
///
///     write FILE --out OUT [--without-index 1]  the logs table's layout, from rows in memory
///     scan FILE [--columns a,b]  decodes
///     equal FILE --column c --text t
///     contains FILE --column c --text t [--without-index 1]
///     lookup FILE --column c --hex h
///     describe FILE              bytes of text indexes and Bloom filters
/// All take --threads N and --runs N. Prints the answer and the medians of wall and processor time, as JSON.
@main
struct ParquetBench {
  private let threads: Int
  private let file: BenchFile
  private let columns: Set<String>?
  private let column: String
  private let text: String
  private let usesIndex: Bool

  static func main() async throws {
    let words = Array(CommandLine.arguments.dropFirst())
    guard words.count >= 2, words.count % 2 == 0 else {
      throw Failure("usage: parquet-bench WHAT FILE [--NAME VALUE]...")
    }
    var options: [String: String] = [:]
    for at in stride(from: 2, to: words.count, by: 2) { options[words[at]] = words[at + 1] }
    let runs = options["--runs"].flatMap { Int($0) } ?? 5
    let bench = ParquetBench(
      threads: options["--threads"].flatMap { Int($0) } ?? 1, file: try BenchFile(words[1]),
      columns: options["--columns"].map { Set($0.split(separator: ",").map(String.init)) },
      column: options["--column"] ?? "body", text: options["--text"] ?? options["--hex"] ?? "",
      usesIndex: options["--without-index"] == nil)
    try await bench.time(words[0], out: options["--out"] ?? words[1] + ".out", runs: runs)
  }

  private func time(_ what: String, out: String, runs: Int) async throws {
    if what == "describe" { return describe() }
    let rows = what == "write" ? try self.rows() : []
    let clock = ContinuousClock()
    var times: [Double] = []
    var processor: [Double] = []
    var answer = 0
    for _ in 0...runs {
      let (start, spent) = (clock.now, Self.processorMilliseconds)
      answer =
        switch what {
        case "write": try await write(rows, to: out)
        case "scan": try await scan()
        case "equal": try await equal()
        case "contains": try await contains()
        case "lookup": try await lookup()
        default: throw Failure("parquet-bench does not know \(what)")
        }
      let (seconds, attoseconds) = start.duration(to: clock.now).components
      times.append(Double(seconds) * 1e3 + Double(attoseconds) / 1e15)
      processor.append(Self.processorMilliseconds - spent)
    }
    // The first run warms up.
    let (wall, cpu) = (times.dropFirst().sorted()[runs / 2], processor.dropFirst().sorted()[runs / 2])
    print(#"{"answer": \#(answer), "milliseconds": \#(wall), "cpu": \#(cpu)}"#)
  }

  /// What all threads of the process have used.
  private static var processorMilliseconds: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) * 1e3 + Double(time.tv_nsec) / 1e6
  }

  /// Bytes of what other writers leave out.
  private func describe() {
    var (text, bloom) = (0, 0)
    for group in file.footer.rowGroups {
      for leaf in group.chunks.indices {
        text += file.footer.textIndexRange(rowGroup: group.index, leaf: leaf)?.count ?? 0
        bloom += group.chunks[leaf].bloomFilterRange?.count ?? 0
      }
    }
    print(#"{"text_index": \#(text), "bloom_filters": \#(bloom)}"#)
  }

  /// Adds up what `work` says of each row group, on so many threads.
  private func overRowGroups(_ work: @escaping @Sendable (RowGroup) throws -> Int) async throws -> Int {
    let groups = file.footer.rowGroups
    if threads == 1 { return try groups.reduce(0) { $0 + (try work($1)) } }
    return try await withThrowingTaskGroup(of: Int.self) { tasks in
      for worker in 0..<threads {
        tasks.addTask { try groups.filter { $0.index % threads == worker }.reduce(0) { $0 + (try work($1)) } }
      }
      return try await tasks.reduce(0, +)
    }
  }

  private func scan() async throws -> Int {
    let footer = file.footer
    let projection =
      if let columns { try footer.projection(names: columns) } else { try footer.projectionOfEverything() }
    return try await overRowGroups { [file] group in
      let plan = try footer.plan(rowGroup: group.index, projection: projection)
      return try footer.decode(plan, fetched: try file.read(plan.ranges)).count
    }
  }

  /// Rows whose column equals the text; pruned by bounds.
  private func equal() async throws -> Int {
    let (footer, value) = (file.footer, Array(text.utf8))
    let projection = try footer.projection(names: [column])
    let leaf = projection.leaves[0]
    return try await overRowGroups { [file] group in
      let bound = ParquetValue.bytes(Bytes(value))
      if let statistics = group.chunks[leaf].statistics, let low = statistics.min, let high = statistics.max,
        statistics.excludes(bound, low, high)
      {
        return 0
      }
      let plan = try footer.plan(rowGroup: group.index, projection: projection)
      return Self.count(try footer.decodeColumn(0, plan, fetched: try file.read(plan.ranges)), equalTo: value)
    }
  }

  /// Rows whose column holds the text; pruned by the text index.
  private func contains() async throws -> Int {
    let footer = file.footer
    let projection = try footer.projection(names: [column])
    let leaf = projection.leaves[0]
    let (needle, bytes) = (TextNeedle(text), ByteNeedle(Array(text.utf8)))
    let usesIndex = usesIndex && needle.isSelective
    return try await overRowGroups { [file] group in
      var rows: [Range<Int>]?
      if usesIndex, let range = footer.textIndexRange(rowGroup: group.index, leaf: leaf) {
        let index = try footer.textIndex(rowGroup: group.index, leaf: leaf, bytes: try file.read([range])[0])
        rows = index.rows(holdingAll: [needle])
        if rows == [] { return 0 }
        if rows == [0..<group.rowCount] { rows = nil }
      }
      let pages = try rows == nil ? nil : file.pageIndexes(group, leaf)
      let plan = try footer.plan(rowGroup: group.index, projection: projection, rows: rows, pageIndexes: pages)
      return Self.count(try footer.decodeColumn(0, plan, fetched: try file.read(plan.ranges)), holding: bytes)
    }
  }

  /// Rows whose fixed-width column equals the bytes; pruned by the Bloom filter.
  private func lookup() async throws -> Int {
    let value = stride(from: 0, to: text.utf8.count - 1, by: 2).map {
      UInt8(text.dropFirst($0).prefix(2), radix: 16) ?? 0
    }
    let footer = file.footer
    let projection = try footer.projection(names: [column])
    let leaf = projection.leaves[0]
    return try await overRowGroups { [file] group in
      if let probe = footer.bloomProbe(rowGroup: group.index, leaf: leaf, value: .bytes(Bytes(value)), gapMax: 0),
        try !probe.mightContain(fetched: try file.read(probe.ranges))
      {
        return 0
      }
      let plan = try footer.plan(rowGroup: group.index, projection: projection)
      return Self.count(try footer.decodeColumn(0, plan, fetched: try file.read(plan.ranges)), equalTo: value)
    }
  }
}

extension ParquetBench {
  private static func count(_ column: Column, equalTo value: [UInt8]) -> Int {
    switch column.values {
    case .dictionary(let indices, let dictionary):
      let wanted = (0..<dictionary.count).map { equals(dictionary, $0, value) ? UInt8(1) : 0 }
      guard wanted.contains(1) else { return 0 }
      return indices.withValues { indices in
        wanted.withUnsafeBufferPointer { wanted in
          var found = 0
          if let validity = column.validity {
            for index in 0..<indices.count { found &+= Int(wanted[Int(indices[index])] & validity[index]) }
          } else {
            for index in indices { found &+= Int(wanted[Int(index)]) }
          }
          return found
        }
      }
    case .fixed(let data, 16) where value.count == 16:
      let (low, high) = value.withUnsafeBytes {
        ($0.loadUnaligned(as: UInt64.self), $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      }
      return data.withValues { data in
        let base = UnsafeRawPointer(data.baseAddress!)
        var found = 0
        for index in 0..<column.count {
          let isEqual =
            base.loadUnaligned(fromByteOffset: index * 16, as: UInt64.self) == low
            && base.loadUnaligned(fromByteOffset: index * 16 + 8, as: UInt64.self) == high
          if isEqual && column.isPresent(index) { found += 1 }
        }
        return found
      }
    default: return (0..<column.count).reduce(0) { $0 + (column.isPresent($1) && equals(column, $1, value) ? 1 : 0) }
    }
  }

  private static func equals(_ column: Column, _ row: Int, _ value: [UInt8]) -> Bool {
    switch column.values {
    case .bytes(let offsets, let data):
      data.slice(Int(offsets[row])..<Int(offsets[row + 1])).withValues { $0.elementsEqual(value) }
    case .fixed(let data, let width):
      data.slice(row * width..<(row + 1) * width).withValues { $0.elementsEqual(value) }
    default: false
    }
  }

  /// As queries search: over the bytes of all rows at once, hits mapped back to rows.
  private static func count(_ column: Column, holding needle: ByteNeedle) -> Int {
    guard case .bytes(let offsets, let data) = column.values, column.count > 0 else { return 0 }
    let (base, ends) = (UnsafeRawPointer(data.unsafeBase), offsets.unsafeBase + 1)
    var (row, found, at) = (0, 0, Int(offsets[0]))
    let end = Int(ends[column.count - 1])
    while true {
      let hit = needle.firstMatch(in: base, from: at, to: end)
      if hit < 0 { break }
      while Int(ends[row]) <= hit { row += 1 }
      let isInside = hit + needle.count <= Int(ends[row])
      found += isInside ? 1 : 0
      at = isInside ? Int(ends[row]) : hit + 1
    }
    withExtendedLifetime((offsets.storage, data.storage)) {}
    return found
  }

  private func rows() throws -> [ColumnBatch] {
    let projection = try file.footer.projectionOfEverything()
    return try file.footer.rowGroups.map { group in
      let plan = try file.footer.plan(rowGroup: group.index, projection: projection)
      return try file.footer.decode(plan, fetched: try file.read(plan.ranges))
    }
  }

  private func write(_ rows: [ColumnBatch], to path: String) async throws -> Int {
    let layouts = LakeTable.logs.layouts.map { layout in
      var layout = layout
      layout.hasTextIndex = layout.hasTextIndex && usesIndex
      return layout
    }
    var writer = try ParquetWriter(
      schema: file.footer.schema, layouts: layouts,
      options: ParquetWriterOptions(sortOrder: LakeTable.logs.sortOrder))
    let output = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    guard output >= 0 else { throw BenchFile.failure(path) }
    defer { close(output) }
    var next = 0
    while next < rows.count {
      let some = rows[next..<min(rows.count, next + threads)]
      next += some.count
      let encoder = writer
      let encoded = try await withThrowingTaskGroup(of: (Int, EncodedRowGroup).self) { tasks in
        for (place, batch) in some.enumerated() { tasks.addTask { (place, try encoder.encode(batch)) } }
        return try await tasks.reduce(into: []) { $0.append($1) }
      }
      for (_, group) in encoded.sorted(by: { $0.0 < $1.0 }) { writer.append(group) }
      try BenchFile.write(writer.takeOutput(), to: output)
    }
    let summary = try writer.finish()
    try BenchFile.write(writer.takeOutput(), to: output)
    return summary.bytes
  }
}

extension ColumnStatistics {
  /// True when a run of bytes lies outside the bounds.
  fileprivate func excludes(_ value: ParquetValue, _ low: ParquetValue, _ high: ParquetValue) -> Bool {
    guard case .bytes(let value) = value, case .bytes(let low) = low, case .bytes(let high) = high else { return false }
    return value.array.lexicographicallyPrecedes(low.array) || high.array.lexicographicallyPrecedes(value.array)
  }
}

/// A file that is read in ranges.
private struct BenchFile: Sendable {
  let descriptor: Int32
  let footer: ParquetFile

  init(_ path: String) throws {
    descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Self.failure(path) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    var tail = try Self.read(max(0, size - (64 << 10))..<size, descriptor)
    while true {
      do throws(ParquetError) {
        footer = try ParquetFile(tail: tail, fileBytes: size)
        break
      } catch {
        guard case .bytesMissing(let range) = error, range.count > tail.count else { throw error }
        tail = try Self.read(range, descriptor)
      }
    }
  }

  func read(_ ranges: [Range<Int>]) throws -> [Bytes] { try ranges.map { try Self.read($0, descriptor) } }

  func pageIndexes(_ group: RowGroup, _ leaf: Int) throws -> PageIndexes? {
    guard let range = footer.pageIndexRange(rowGroup: group.index, leaves: [leaf]) else { return nil }
    return try footer.pageIndexes(rowGroup: group.index, leaves: [leaf], bytes: try read([range])[0])
  }

  private static func read(_ range: Range<Int>, _ descriptor: Int32) throws -> Bytes {
    let storage = RawStorage(capacity: range.count)
    var done = 0
    while done < range.count {
      let count = pread(descriptor, storage.base + done, range.count - done, range.lowerBound + done)
      guard count > 0 else { throw failure("read") }
      done += count
    }
    return Bytes(storage: storage, offset: 0, count: range.count)
  }

  static func write(_ pieces: [Bytes], to descriptor: Int32) throws {
    for piece in pieces {
      try piece.withUnsafeBytes { bytes in
        var done = 0
        while done < bytes.count {
          let count = Glibc.write(descriptor, bytes.baseAddress! + done, bytes.count - done)
          guard count > 0 else { throw failure("write") }
          done += count
        }
      }
    }
  }

  static func failure(_ what: String) -> Failure { Failure("\(what): \(String(cString: strerror(errno)))") }
}

private struct Failure: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
