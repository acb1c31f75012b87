import Glibc
import LakeJSON
import LakeModel
import LakeParquet
import LakePorts
import LakeSchema
import LakeSystem

/// `icegate parquet decode FILE...`: decodes every column of every row group and says how long it took; for benchmarks.
enum ParquetDecodeCommand {
  static let runs = 5

  static func run(_ words: [String]) async throws -> Int32 {
    var arguments = Arguments(words)
    let threads = try arguments.int("--threads", in: 1...64) ?? 2
    var files: [(file: ParquetFile, bytes: Bytes)] = []
    while let path = arguments.word() {
      let bytes = try wholeFile(path)
      files.append((try ParquetFile(bytes), bytes))
    }
    try arguments.finish()
    let clock = SystemClock()
    var times: [Double] = []
    var rows = 0
    for _ in 0...runs {
      let start = clock.now
      rows = try await decodeAll(files, threads: threads)
      times.append(Double(start.duration(to: clock.now).nanoseconds) / 1e6)
    }
    // The first run warms up.
    let median = times.dropFirst().sorted()[runs / 2]
    print(#"{"rows": \#(rows), "milliseconds": \#(median)}"#)
    return 0
  }

  private static func decodeAll(_ files: [(file: ParquetFile, bytes: Bytes)], threads: Int) async throws -> Int {
    let groups = files.flatMap { entry in entry.file.rowGroups.map { (entry.file, entry.bytes, $0.index) } }
    return try await withThrowingTaskGroup(of: Int.self) { tasks in
      for worker in 0..<threads {
        tasks.addTask { try decode(groups.enumerated().filter { $0.offset % threads == worker }.map(\.element)) }
      }
      return try await tasks.reduce(0, +)
    }
  }

  private static func decode(_ groups: [(ParquetFile, Bytes, Int)]) throws -> Int {
    var rows = 0
    for (file, bytes, group) in groups {
      rows += try file.readRowGroup(group, projection: try file.projectionOfEverything(), file: bytes).count
    }
    return rows
  }

  private static func wholeFile(_ path: String) throws -> Bytes {
    let descriptor = open(path, O_RDONLY)
    guard descriptor >= 0 else { throw Arguments.Wrong(description: "\(path): \(String(cString: strerror(errno)))") }
    defer { close(descriptor) }
    let size = Int(lseek(descriptor, 0, SEEK_END))
    let storage = RawStorage(capacity: size)
    var done = 0
    while done < size {
      let count = pread(descriptor, storage.base + done, size - done, done)
      guard count > 0 else { throw Arguments.Wrong(description: "\(path): \(String(cString: strerror(errno)))") }
      done += count
    }
    return Bytes(storage: storage, offset: 0, count: size)
  }
}
