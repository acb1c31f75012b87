import LakeModel
import LakePorts
import LakeSchema
import LakeShift
import LakeWAL

/// The settings of every engine in a run, drawn so that rare sizes are common.
struct LakeSettings: Sendable {
  var queue = QueueSettings()
  var shift = ShiftSettings()
  /// Small manifests that a table must have before they are merged.
  var manifestsMin = 4
  /// Whether rows have every column of `logs`, or only those that the protocol looks at: the others only cost time.
  private(set) var isWide = true

  /// The table that the topic `logs` feeds in this run.
  var logs: LakeTable { queue.tables[.logs]! }

  mutating func lay(wide: Bool) {
    isWide = wide
    queue.tables[.logs] =
      wide ? .logs : LakeTable.logs.keeping(["tenant_id", "account_id", "service_name", "timestamp", "body"])
    shift.queue = queue
  }

  /// Waits so short that a run can see the queue become empty.
  mutating func hurryTidiness() {
    queue.ackDelayMax = .seconds(4)
    queue.laneAgeMax = .seconds(10)
    queue.laneIdleMax = .seconds(20)
    queue.dedupWindow = .seconds(20)
    shift.interval = .seconds(5)
    shift.planAgeMax = .seconds(60)
    shift.sweepInterval = .seconds(60)
    shift.deleteDelay = .seconds(1)
    shift.housekeepingInterval = .seconds(10)
    shift.queue = queue
  }

  /// The same with every column: for events, and for queries through the engine.
  var wide: LakeSettings {
    var settings = self
    settings.lay(wide: true)
    return settings
  }

  /// Production's own defaults, on a scale of seconds instead of minutes.
  static let plain: LakeSettings = {
    var settings = LakeSettings()
    settings.queue.ackDelayMax = .seconds(10)
    settings.queue.laneAgeMax = .seconds(60)
    settings.queue.laneIdleMax = .seconds(120)
    settings.queue.dedupWindow = .seconds(120)
    settings.shift.interval = .seconds(10)
    settings.shift.planAgeMax = .seconds(600)
    settings.shift.housekeepingInterval = .seconds(30)
    // Races are what the simulator is for.
    settings.shift.standsBy = false
    settings.lay(wide: false)
    return settings
  }()

  /// Everything at once and nothing left lying, so that stories are short.
  static let hurried: LakeSettings = {
    var settings = plain
    settings.queue.ackDelayMax = .seconds(4)
    settings.queue.laneAgeMax = .seconds(10)
    settings.queue.laneIdleMax = .seconds(20)
    settings.shift.interval = .seconds(1)
    settings.shift.deleteDelay = .zero
    settings.shift.housekeepingInterval = .seconds(1)
    settings.shift.queue = settings.queue
    return settings
  }()

  static func drawn(_ random: SeededRandom) -> LakeSettings {
    var draw = random
    var settings = plain
    settings.queue.ackDelayMax = draw.pick([.seconds(4), .seconds(10), .seconds(30)])
    settings.queue.laneAgeMax = draw.pick([.seconds(5), .seconds(60), .seconds(300)])
    settings.queue.laneIdleMax = draw.pick([.seconds(10), .seconds(60), .seconds(300)])
    settings.queue.dedupWindow = draw.pick([.seconds(20), .seconds(120), .seconds(600)])
    settings.queue.flushDelayMax = draw.pick([.milliseconds(1), .milliseconds(200), .seconds(2)])
    settings.queue.flushQuietRows = draw.pick([1, 512])
    settings.queue.lanesMax = draw.uniform(1...3)
    settings.queue.rowGroupRowsMax = draw.pick([1, 3, 8192])
    settings.queue.channelCapacity = draw.pick([1, 4, 1024])
    settings.queue.writeRetriesMax = draw.pick([0, 1, 5])
    settings.queue.footersCachedMax = draw.pick([0, 2, 2048])
    settings.queue.footerBytesHint = draw.pick([64, 1024, 65_536])
    settings.queue.dedupEntriesMax = draw.pick([0, 1, 100_000])
    settings.shift.interval = draw.pick([.seconds(1), .seconds(5), .seconds(20)])
    settings.shift.planSegmentsMax = draw.pick([1, 3, 4096, 4096])
    settings.shift.taskRowGroupsMax = draw.pick([1, 1024])
    settings.shift.rowGroupRows = draw.pick([1, 8192])
    settings.shift.workersMax = draw.uniform(1...2)
    settings.shift.planAgeMax = draw.pick([.seconds(60), .seconds(600), .seconds(3600)])
    settings.shift.deleteDelay = draw.pick([.zero, .seconds(1), .seconds(30)])
    settings.shift.housekeepingInterval = draw.pick([.seconds(1), .seconds(30), .seconds(300)])
    settings.shift.standsBy = draw.pick([true, false, false])
    settings.manifestsMin = draw.pick([2, 4, 100])
    settings.shift.sweepInterval = draw.pick([.seconds(20), .seconds(600), .seconds(600)])
    settings.lay(wide: draw.chance(0.03))
    return settings
  }
}
