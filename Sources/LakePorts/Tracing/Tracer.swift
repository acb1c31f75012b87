package import LakeModel
import Synchronization

/// A stretch of our own work, for those who debug the lake itself.
package struct TraceSpan: Sendable {
  package enum Kind: Int, Sendable { case `internal` = 1, server = 2 }
  package enum Value: Sendable, Hashable {
    case text(String)
    case number(Int)
  }

  package let name: String
  package let kind: Kind
  package let context: TraceContext
  /// 0: the first of its trace.
  package let parent: UInt64
  package let start: Timestamp
  fileprivate let began: ClockInstant
  package fileprivate(set) var end: Timestamp
  package fileprivate(set) var attributes: [(name: String, value: Value)] = []
  /// What went wrong; nil: nothing did.
  package fileprivate(set) var failure: String?
}

/// Takes spans from the work and keeps them, a bounded number, until somebody exports them. It never waits: a span that finds no room is
/// dropped and counted.
package final class Tracer: Sendable {
  private struct State {
    var spans: [TraceSpan] = []
  }

  private let clock: any LakeClock
  private let wall: any WallClock
  private let random: any Randomness
  private let sampledBelow: UInt64
  private let state = Mutex(State())
  private let recorded: Counter
  private let dropped: Counter

  /// Spans that wait for export.
  package static let waitingMax = 4096

  /// The span in which the running task works.
  @TaskLocal package static var current: TraceContext?

  /// - Parameter ratio: of the traces that begin here, those that are kept; 0 to 1.
  package init(
    ratio: Double, clock: any LakeClock, wall: any WallClock, random: any Randomness, metrics: MetricsRegistry
  ) {
    self.clock = clock
    self.wall = wall
    self.random = random
    sampledBelow = ratio >= 1 ? .max : UInt64(max(0, ratio) * 0x1p64)
    recorded = metrics.counter("icegate_tracing_spans_total", help: "Spans of our own that were recorded.")
    dropped = metrics.counter(
      "icegate_tracing_dropped_spans_total", help: "Spans of our own that found no room.", labels: [("reason", "full")])
  }

  /// Begins a span below `parent`, which decides whether it is kept, or one of a new trace.
  /// - Returns: nil when it is not kept.
  package func begin(_ name: @autoclosure () -> String, _ kind: TraceSpan.Kind, parent: TraceContext?) -> TraceSpan? {
    if let parent {
      guard parent.isSampled else { return nil }
    } else {
      guard sampledBelow == .max || random.next() < sampledBelow else { return nil }
    }
    let start = wall.now
    let context = TraceContext(
      traceHigh: parent?.traceHigh ?? random.next(), traceLow: parent?.traceLow ?? random.next() | 1,
      span: random.next() | 1, isSampled: true)
    return TraceSpan(
      name: name(), kind: kind, context: context, parent: parent?.span ?? 0, start: start, began: clock.now, end: start)
  }

  package func end(
    _ span: TraceSpan, _ attributes: [(name: String, value: TraceSpan.Value)] = [], failure: String? = nil
  ) {
    let length = max(0, span.began.duration(to: clock.now).nanoseconds)
    var span = span
    span.end = Timestamp(nanoseconds: span.start.nanoseconds &+ UInt64(length))
    span.attributes = attributes
    span.failure = failure
    keep(span)
  }

  /// A stretch of work that is over, as a trace of its own.
  package func record(
    _ name: @autoclosure () -> String, began: ClockInstant, _ attributes: [(name: String, value: TraceSpan.Value)]
  ) {
    guard sampledBelow == .max || random.next() < sampledBelow else { return }
    let length = UInt64(max(0, began.duration(to: clock.now).nanoseconds))
    let end = wall.now.nanoseconds
    let context = TraceContext(
      traceHigh: random.next(), traceLow: random.next() | 1, span: random.next() | 1, isSampled: true)
    var span = TraceSpan(
      name: name(), kind: .internal, context: context, parent: 0,
      start: Timestamp(nanoseconds: end - min(end, length)), began: began, end: Timestamp(nanoseconds: end))
    span.attributes = attributes
    keep(span)
  }

  private func keep(_ span: TraceSpan) {
    let isKept = state.withLock { state in
      guard state.spans.count < Tracer.waitingMax else { return false }
      state.spans.append(span)
      return true
    }
    (isKept ? recorded : dropped).add()
  }

  package var waitingCount: Int { state.withLock { $0.spans.count } }

  /// The oldest that wait.
  package func take(max count: Int) -> [TraceSpan] {
    state.withLock { state in
      let taken = Array(state.spans.prefix(count))
      state.spans.removeFirst(taken.count)
      return taken
    }
  }
}
