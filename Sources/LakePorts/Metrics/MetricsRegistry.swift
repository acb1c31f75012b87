import Synchronization

/// Counters, gauges and histograms of one process, by name and labels.
///
/// Engines ask for their instruments once, when they are made, and keep them: an update is one atomic addition.
/// Nothing here depends on time or chance, so a simulated node counts as a real one does.
package final class MetricsRegistry: Sendable {
  package enum Kind: String, Sendable { case counter, gauge, histogram }

  /// One name with its instruments, one for each set of labels.
  package struct Family: Sendable {
    package let name: String
    package let kind: Kind
    package let help: String
    /// By label text (`{signal="logs"}`), ascending.
    package fileprivate(set) var instruments: [(labels: [(String, String)], instrument: Instrument)] = []
  }

  package enum Instrument: Sendable {
    case counter(Counter)
    case gauge(Gauge)
    case histogram(Histogram)
  }

  private let families = Mutex<[String: Family]>([:])
  private let looks = Mutex<[@Sendable () -> Void]>([])

  package init() {}

  /// The counter of this name and these labels, made when asked for the first time. By convention the name ends in `_total`.
  package func counter(_ name: String, help: String, labels: [(String, String)] = []) -> Counter {
    guard case .counter(let found) = instrument(name, .counter, help, labels, { .counter(Counter()) }) else {
      preconditionFailure("\(name) is not a counter")
    }
    return found
  }

  package func gauge(_ name: String, help: String, labels: [(String, String)] = []) -> Gauge {
    guard case .gauge(let found) = instrument(name, .gauge, help, labels, { .gauge(Gauge()) }) else {
      preconditionFailure("\(name) is not a gauge")
    }
    return found
  }

  /// - Parameter bounds: upper bounds of the buckets, ascending, without infinity.
  package func histogram(_ name: String, help: String, bounds: [Double], labels: [(String, String)] = []) -> Histogram {
    guard
      case .histogram(let found) = instrument(name, .histogram, help, labels, { .histogram(Histogram(bounds: bounds)) })
    else { preconditionFailure("\(name) is not a histogram") }
    return found
  }

  /// Every family, ascending by name.
  package var snapshot: [Family] {
    for look in looks.withLock({ $0 }) { look() }
    return families.withLock { $0.values.sorted { $0.name < $1.name } }
  }

  /// Has `look` called before each snapshot: for what is only worth looking up when somebody asks.
  package func beforeSnapshot(_ look: @escaping @Sendable () -> Void) { looks.withLock { $0.append(look) } }

  private func instrument(
    _ name: String, _ kind: Kind, _ help: String, _ labels: [(String, String)], _ make: () -> Instrument
  ) -> Instrument {
    families.withLock { families in
      var family = families[name] ?? Family(name: name, kind: kind, help: help)
      precondition(family.kind == kind, "\(name) is a \(family.kind) already")
      if let found = family.instruments.first(where: { MetricsRegistry.isSame($0.labels, labels) }) {
        return found.instrument
      }
      let made = make()
      family.instruments.append((labels, made))
      family.instruments.sort { MetricsRegistry.text($0.labels) < MetricsRegistry.text($1.labels) }
      families[name] = family
      return made
    }
  }

  private static func isSame(_ a: [(String, String)], _ b: [(String, String)]) -> Bool {
    a.count == b.count && zip(a, b).allSatisfy { $0 == $1 }
  }

  private static func text(_ labels: [(String, String)]) -> String {
    labels.map { "\($0.0)=\($0.1)" }.joined(separator: ",")
  }
}

/// Only goes up.
package final class Counter: Sendable {
  private let count = Atomic<UInt64>(0)
  package init() {}
  package func add(_ amount: Int = 1) { count.wrappingAdd(UInt64(amount), ordering: .relaxed) }
  package var value: UInt64 { count.load(ordering: .relaxed) }
}

/// Goes up and down.
package final class Gauge: Sendable {
  private let bits = Atomic<UInt64>(0)
  package init() {}
  package func set(_ value: Double) { bits.store(value.bitPattern, ordering: .relaxed) }
  package func add(_ amount: Double) {
    var seen = bits.load(ordering: .relaxed)
    while true {
      let (isExchanged, original) = bits.compareExchange(
        expected: seen, desired: (Double(bitPattern: seen) + amount).bitPattern, ordering: .relaxed)
      if isExchanged { return }
      seen = original
    }
  }
  package var value: Double { Double(bitPattern: bits.load(ordering: .relaxed)) }
}

/// Counts observations by size.
package final class Histogram: Sendable {
  package let bounds: [Double]
  /// One for each bound, and one for what is larger than all.
  private let counters: [Counter]
  private let total = Gauge()

  package init(bounds: [Double]) {
    precondition(zip(bounds, bounds.dropFirst()).allSatisfy { $0 < $1 }, "bounds ascend")
    self.bounds = bounds
    counters = (0...bounds.count).map { _ in Counter() }
  }

  package func observe(_ value: Double) {
    counters[bounds.firstIndex { value <= $0 } ?? bounds.count].add()
    total.add(value)
  }

  /// Observations of each bucket by itself, the one above all bounds last.
  package var bucketCounts: [UInt64] { counters.map(\.value) }
  package var sum: Double { total.value }

  /// Seconds, from a millisecond to a minute.
  package static let latencyBounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
}
