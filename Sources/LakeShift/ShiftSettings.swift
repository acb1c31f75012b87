package import LakeWAL

/// The manual's `shift.*` settings, and ours beside them.
package struct ShiftSettings: Sendable {
  package var queue = QueueSettings()

  /// `shift.read.max_record_batches_per_task`: most row groups of one task.
  package var taskRowGroupsMax = 1024
  /// `shift.read.max_input_bytes_per_task`: most compressed bytes of one task.
  package var taskInputBytesMax = 64 << 20
  /// `shift.read.plan_segment_read_parallelism`: footers read at once while planning.
  package var planReadsMax = 8
  /// `shift.read.shift_segment_read_parallelism`: row groups read at once by one task.
  package var taskReadsMax = 8
  /// `shift.write.row_group_size`: fewest rows of a full row group; see README.md, "Row groups of data files".
  package var rowGroupRows = 8192
  /// `shift.write.max_file_size_mb`: a data file is finished once it has so many bytes.
  package var fileBytesMax = 64 << 20
  /// `shift.jobsmanager.worker_count`: tasks, or lots of small ones, at once.
  package var workersMax = 1
  /// Small tasks of one lot, all at once.
  package var lotTasksMax = 16
  /// `shift.jobsmanager.iteration_interval_millisecs`: between two shifts.
  package var interval = Duration.seconds(30)

  /// Uncompressed bytes that one task may hold.
  package var taskMemoryMax = 256 << 20
  /// Segments of one plan.
  package var planSegmentsMax = 4096
  /// Compressed bytes of one plan.
  package var planBytesMax = 1 << 30
  /// No plan is committed later than this after it began (SHF-4).
  package var planAgeMax = Duration.seconds(3600)
  /// A segment is deleted no sooner than this after it became deletable, so that readers of the last view need not
  /// restart; economy only.
  package var deleteDelay = Duration.seconds(30)
  /// While another replica shifts the table, leave it to that one; economy only.
  package var standsBy = true
  /// Least time between two commits that bring no rows.
  package var housekeepingInterval = Duration.seconds(300)

  /// Between two looks for files that no snapshot names (DEL-3): every manifest of the table is read for one.
  package var sweepInterval = Duration.seconds(6 * 3600)

  package init() {}
}
