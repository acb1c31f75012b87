/// The event loops of a process: one thread each, shared by all its servers.
package final class LoopGroup: Sendable {
  /// - Parameter count: nil: one loop per core.
  package init(count: Int? = nil) {}

  /// Ends the loops once no handler runs on them any more. Drain the servers first.
  package func shutdown() async { preconditionFailure("not yet") }
}
