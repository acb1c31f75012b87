import Glibc
import LakeCatalogs
import LakePorts
import LakeStorage

/// The ports of `icegate dev`: a folder with a SQLite catalog, or memory.
enum DevPorts {
  /// - Parameter data: the folder, created when it is not there; nil: memory.
  static func open(data: String?) throws -> Ports {
    let outside = try Outside()
    guard let data else {
      let warehouse = WarehouseLocation(trusted: "memory://lake")
      return Ports(
        clock: outside.clock, wall: outside.wall, random: outside.random, store: MemoryObjectStore(),
        catalog: MemoryCatalog(warehouse: warehouse, random: outside.random, wall: outside.wall), warehouse: warehouse,
        journal: outside.journal)
    }
    let root = try absolute(data)
    let store = try outside.fileStore(root: root)
    let warehouse = WarehouseLocation(trusted: "file://\(root)")
    return Ports(
      clock: outside.clock, wall: outside.wall, random: outside.random, store: store,
      catalog: SQLiteCatalog(
        path: "\(root)/catalog.db", store: store, warehouse: warehouse, random: outside.random, wall: outside.wall,
        mayBlockHere: { BlockingPool.mayBlockHere }),
      warehouse: warehouse, journal: outside.journal)
  }

  /// What a store in trouble would be like.
  struct Trouble {
    var putDelay: Duration
    /// nil: for ever.
    var span: Duration?
  }

  static func open(data: String?, trouble: Trouble?) throws -> Ports {
    var ports = try open(data: data)
    if let trouble {
      ports.store = SlowedObjectStore(ports.store, clock: ports.clock, putDelay: trouble.putDelay, for: trouble.span)
    }
    return ports
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
