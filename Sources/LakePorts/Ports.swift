/// Everything the core knows of the outside: passed in, never reached for.
package struct Ports: Sendable {
  package var clock: any LakeClock
  package var wall: any WallClock
  package var random: any Randomness
  package var store: any ObjectStore
  package var catalog: any Catalog
  /// Where `store`'s keys lie: maps the absolute locations of Iceberg metadata to keys and back.
  package var warehouse: WarehouseLocation
  package var journal: any Journal
  package var metrics: MetricsRegistry
  /// Nil: our own work is not traced.
  package var tracer: Tracer?
  /// A mistake to make on purpose, for the simulator to catch; nil in production.
  package var planted: PlantedDefect?

  package init(
    clock: any LakeClock, wall: any WallClock, random: any Randomness, store: any ObjectStore, catalog: any Catalog,
    warehouse: WarehouseLocation = WarehouseLocation(trusted: "memory://lake"), journal: any Journal = NullJournal(),
    metrics: MetricsRegistry = MetricsRegistry(), tracer: Tracer? = nil, planted: PlantedDefect? = nil
  ) {
    self.clock = clock
    self.wall = wall
    self.random = random
    self.store = store
    self.catalog = catalog
    self.warehouse = warehouse
    self.journal = journal
    self.metrics = metrics
    self.tracer = tracer
    self.planted = planted
  }

  @inline(__always)
  package func hasPlanted(_ defect: PlantedDefect) -> Bool { planted == defect }
}

/// What happened, in order: production logs from it, the simulator compares it byte for byte.
package protocol Journal: Sendable {
  /// - Parameters:
  ///   - event: a fixed name, `shift.committed`.
  ///   - facts: name and value pairs in a fixed order.
  func note(_ level: JournalLevel, _ event: StaticString, _ facts: @autoclosure () -> [(StaticString, String)])
}

package enum JournalLevel: Int, Comparable, Sendable {
  case trace, debug, info, warning, error
  package static func < (a: JournalLevel, b: JournalLevel) -> Bool { a.rawValue < b.rawValue }
}

package struct NullJournal: Journal {
  package init() {}
  package func note(_ level: JournalLevel, _ event: StaticString, _ facts: @autoclosure () -> [(StaticString, String)])
  {}
}
