import Glibc
import LakeCatalogs
import LakeIceberg
import LakePorts
import LakeStorage
import LakeSystem

/// The ports of `icegate dev`: a folder with a SQLite catalog, or memory.
enum DevPorts {
  static func open(data: String?) async throws -> Ports {
    let random = SystemRandomness()
    let wall = SystemWallClock()
    let journal = StdoutJournal(filter: try logFilter(), wall: wall)
    guard let data else {
      let warehouse = WarehouseLocation(trusted: "memory://lake")
      return Ports(
        clock: SystemClock(), wall: wall, random: random, store: MemoryObjectStore(),
        catalog: MemoryCatalog(warehouse: warehouse, random: random, wall: wall), warehouse: warehouse,
        journal: journal)
    }
    let root = try absolute(data)
    let pool = BlockingPool(threads: storeThreads)
    let files = try PosixFiles(root: root, pool: pool, random: random, wall: wall)
    let store = FileObjectStore(files: files, random: random)
    let warehouse = WarehouseLocation(trusted: "file://\(root)")
    let catalog = SQLiteCatalog(
      path: "\(root)/catalog.db", store: store, warehouse: warehouse, random: random, wall: wall)
    return Ports(
      clock: SystemClock(), wall: wall, random: random, store: store, catalog: catalog, warehouse: warehouse,
      journal: journal)
  }

  private static let storeThreads = 8

  /// `ICEGATE_LOG`, or its old name.
  private static func logFilter() throws -> LogFilter {
    for name in ["ICEGATE_LOG", "RUST_LOG"] {
      if let text = getenv(name) { return try LogFilter(String(cString: text)) }
    }
    return .standard
  }

  /// Iceberg metadata names files by absolute location.
  private static func absolute(_ path: String) throws -> String {
    _ = mkdir(path, 0o755)
    guard let resolved = realpath(path, nil) else {
      throw Arguments.Wrong(description: "--data \(path): \(String(cString: strerror(errno)))")
    }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
