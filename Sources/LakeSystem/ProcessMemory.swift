import CLinux
import Glibc
import LakeModel
package import LakePorts
import Synchronization

/// How much anonymous memory this process takes, and whether that is too much.
///
/// Anonymous memory is what nobody can take back: the pages of files that are merely cached do not count. The limit is a watermark, not a wall:
/// whoever asks `isShort` refuses new work until the work at hand has ended and its memory went back.
package final class ProcessMemory: Sendable {
  package let bytesMax: Int
  private let isOver = Atomic<Bool>(false)
  private let gauge: Gauge
  private let journal: any Journal
  private let clock: any LakeClock

  private static let period = Duration.milliseconds(50)
  private static let trimPeriod = Duration.seconds(1)

  /// - Parameter bytesMax: nil: half of what the control group, or the machine, has.
  package init(bytesMax: Int?, ports: Ports) {
    self.bytesMax = bytesMax ?? ProcessMemory.available / 2
    BlockPool.keptBytesMax = min(BlockPool.keptBytesMax, self.bytesMax / 16)
    journal = ports.journal
    clock = ports.clock
    gauge = ports.metrics.gauge("icegate_process_memory_bytes", help: "Anonymous memory of the process.")
    ports.metrics.gauge(
      "icegate_process_memory_watermark_bytes", help: "Anonymous memory beyond which requests are refused."
    ).set(Double(self.bytesMax))
  }

  /// To be called once, before much is allocated: keeps what columns of a moment needed from staying with the process.
  package static func tuneHeap() { icegate_tune_heap() }

  package var isShort: Bool { isOver.load(ordering: .relaxed) }

  /// Looks again and again, until it is cancelled.
  package func run() async {
    var trimmed = clock.now
    while !Task.isCancelled {
      let used = ProcessMemory.used
      gauge.set(Double(used))
      let isNowOver = used > bytesMax
      if isNowOver != isOver.exchange(isNowOver, ordering: .relaxed) {
        journal.note(
          .warning, "process.memory", [("state", isNowOver ? "short" : "enough"), ("bytes", "\(used)")])
      }
      // What was freed may still be with the allocator.
      if isNowOver, trimmed.advanced(by: ProcessMemory.trimPeriod) <= clock.now {
        BlockPool.drain()
        icegate_trim_heap()
        trimmed = clock.now
      }
      do { try await clock.sleep(for: ProcessMemory.period) } catch { return }
    }
  }

  /// Anonymous bytes now; 0 when the system does not say.
  package static var used: Int {
    let fields = text("/proc/self/statm").split(separator: " ").compactMap { Int($0) }
    guard fields.count >= 3 else { return 0 }
    return max(0, fields[1] - fields[2]) * sysconf(Int32(_SC_PAGESIZE))
  }

  /// Bytes of the control group's limit, or of the machine.
  static var available: Int {
    let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
    for file in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
      if let limit = Int(text(file).prefix { $0.isNumber }) { return min(limit, machine) }
    }
    return machine
  }

  private static func text(_ path: String) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    return withUnsafeTemporaryAllocation(byteCount: 256, alignment: 1) { buffer in
      let count = read(file, buffer.baseAddress, buffer.count)
      return count <= 0 ? "" : String(decoding: buffer[..<count], as: UTF8.self)
    }
  }
}
