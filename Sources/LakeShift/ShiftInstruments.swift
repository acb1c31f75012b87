package import LakePorts
import LakeSchema

/// What a shift tells the metrics port.
package struct ShiftInstruments: Sendable {
  let walFiles: Gauge
  let walBytes: Gauge
  let shiftSeconds: Histogram
  let rows: Counter
  let repeats: Counter
  let files: Counter
  let commits: Counter
  let overtaken: Counter
  let quarantined: Gauge
  let snapshots: Gauge
  let lag: Gauge
  let freshness: Histogram

  package init(_ registry: MetricsRegistry, table: String) {
    let label = [("table", table)]
    walFiles = registry.gauge("icegate_wal_files", help: "Segments that the table has not taken yet.", labels: label)
    walBytes = registry.gauge("icegate_wal_bytes", help: "Bytes of those segments.", labels: label)
    shiftSeconds = registry.histogram(
      "icegate_shift_seconds", help: "From the start of a shift to its commit.",
      bounds: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800], labels: label)
    rows = registry.counter("icegate_shift_rows_total", help: "Rows committed.", labels: label)
    repeats = registry.counter(
      "icegate_shift_repeats_total", help: "Requests left out because a copy is committed.", labels: label)
    files = registry.counter("icegate_shift_files_total", help: "Data files committed.", labels: label)
    commits = registry.counter("icegate_shift_commits_total", help: "Commits.", labels: label)
    overtaken = registry.counter(
      "icegate_shift_overtaken_total", help: "Plans that another shift was ahead of.", labels: label)
    quarantined = registry.gauge(
      "icegate_wal_quarantined", help: "Quarantine entries that wait for an operator.", labels: label)
    lag = registry.gauge(
      "icegate_shift_lag_seconds",
      help: "Since the shift first saw the oldest segment that is not in the table; 0 when all are.", labels: label)
    freshness = registry.histogram(
      "icegate_freshness_seconds",
      help:
        "From the receipt of the oldest row of a commit to its visibility in the table; before that it is read from the log.",
      bounds: [0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800, 3600], labels: label)
    snapshots = registry.gauge("icegate_table_snapshots", help: "Snapshots of the table.", labels: label)
  }
}
