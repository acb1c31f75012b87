/// The `shift` section: how the write-ahead log becomes tables.
package struct ShiftConfiguration: Sendable {
  package var isEnabled = true
  package var taskRowGroupsMax = 1024
  package var taskInputBytesMax = 67_108_864
  package var planParallelism = 8
  package var readParallelism = 8
  package var rowGroupRows = 8192
  package var fileMiBMax = 64
  /// nil: half of the processors.
  package var workerCount: Int?
  package var interval = Duration.milliseconds(30_000)

  init(_ reader: inout ConfigReader, ignored: inout [String]) throws(ConfigError) {
    isEnabled = try reader.bool("enabled", default: true)
    try reader.section("read") { (section) throws(ConfigError) in
      taskRowGroupsMax = try section.int("max_record_batches_per_task", default: 1024, in: 1...1_000_000)
      taskInputBytesMax = try section.int("max_input_bytes_per_task", default: 67_108_864, in: 1024...Int.max)
      planParallelism = try section.int("plan_segment_read_parallelism", default: 8, in: 1...1024)
      readParallelism = try section.int("shift_segment_read_parallelism", default: 8, in: 1...1024)
    }
    try reader.section("write") { (section) throws(ConfigError) in
      rowGroupRows = try section.int("row_group_size", default: 8192, in: 1...100_000_000)
      fileMiBMax = try section.int("max_file_size_mb", default: 64, in: 1...65_536)
      // Every commit starts from the table as it is.
      _ = try section.int("table_cache_ttl_secs", default: 60, in: 0...86_400)
      section.reportUnused(["table_cache_ttl_secs"], into: &ignored)
    }
    try reader.section("jobsmanager") { (section) throws(ConfigError) in
      workerCount = try section.optionalInt("worker_count", in: 1...1024)
      interval = .milliseconds(try section.int("iteration_interval_millisecs", default: 30_000, in: 10...86_400_000))
      // Shift state lives in the table itself (SHF-2): there is no job store to poll.
      section.ignore(["poll_interval_ms", "storage"], into: &ignored)
    }
  }
}
