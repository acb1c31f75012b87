package import LakePorts
import LakeSchema

/// Expires snapshots of the lake's tables from time to time, as their properties say.
///
/// Every manifest list that stays is read for it, one request each, so it is done rarely. Any number of processes may do
/// it: the commits of all but one find nothing to do.
package struct SnapshotKeeper: Sendable {
  let ports: Ports
  /// A life that has just begun has other things to do.
  private static let firstAfter = Duration.seconds(3600)
  private static let interval = Duration.seconds(6 * 3600)

  package init(ports: Ports) { self.ports = ports }

  /// Until it is cancelled.
  package func run() async {
    var wait = SnapshotKeeper.firstAfter
    while true {
      do { try await ports.clock.sleep(for: wait) } catch { return }
      await expire()
      wait = SnapshotKeeper.interval
    }
  }

  package func expire() async {
    let expirer = SnapshotExpirer(ports: ports)
    for table in LakeTable.all {
      if Task.isCancelled { return }
      do throws(SnapshotExpirer.Failure) {
        _ = try await expirer.run(TableIdentifier(table))
      } catch {
        switch error {
        case .catalog(.noSuchTable), .catalog(.noSuchNamespace), .forbidden: continue
        default: ports.journal.note(.warning, "maintain.expire", [("table", table.name), ("error", "\(error)")])
        }
      }
    }
  }
}
