import LakeHTTP
import LakeIngest
import LakePorts
import LakeSystem

/// Runs engines and doors until a signal comes, then ends them in the order that loses nothing.
struct LakeProcess {
  let lake: Lake
  let plan: Doors.Plan

  /// How long requests in flight are waited for.
  var drainDeadline = Duration.seconds(20)
  /// Nil: our own work is not traced.
  var exporter: TraceExporter?

  /// For the last spans, which nobody waits for long.
  private static let lastExportMax = Duration.seconds(3)

  /// - Parameter announce: called once every port listens.
  /// - Throws: what a background job found that the process must not go on with.
  func run(announce: (Doors) -> Void) async throws {
    ProcessMemory.tuneHeap()
    let signals = SystemSignals.watchTermination()
    SystemSignals.ignoreBrokenPipes()
    try await lake.probeStore()
    let loops = LoopGroup()
    let doors = try Doors(plan, lake: lake, loops: loops)
    announce(doors)
    var failure: (any Error)?
    await withTaskGroup(of: Ending.self) { group in
      for job in lake.jobs {
        group.addTask {
          do { try await job() } catch { return .failed(error) }
          return .finished
        }
      }
      if let exporter {
        group.addTask {
          await exporter.run()
          return .finished
        }
      }
      group.addTask {
        _ = await signals.next()
        return .signal
      }
      ending: for await ending in group {
        switch ending {
        case .finished: continue
        case .signal: break ending
        case .failed(let error):
          failure = error
          break ending
        }
      }
      Console.say("stopping")
      await doors.drain(deadline: drainDeadline)
      if let ingestor = lake.ingestor { await ingestor.drain() }
      group.cancelAll()
    }
    if let exporter { await exportTheRest(exporter) }
    await loops.shutdown()
    if let failure { throw failure }
  }

  private func exportTheRest(_ exporter: TraceExporter) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await exporter.exportAll() }
      group.addTask { try? await lake.ports.clock.sleep(for: LakeProcess.lastExportMax) }
      await group.next()
      group.cancelAll()
    }
  }

  private enum Ending: Sendable {
    case finished, signal
    case failed(any Error)
  }
}
