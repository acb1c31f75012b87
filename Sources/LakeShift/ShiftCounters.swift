/// What a shift has done in its life.
package struct ShiftCounters: Hashable, Sendable {
  package var commits = 0
  package var segments = 0
  package var rows = 0
  package var repeats = 0
  package var files = 0
  package var lostRaces = 0
  package var deleted = 0

  mutating func add(_ plan: ShiftPlan, files: Int) {
    commits += 1
    segments += plan.segmentCount
    rows += plan.rowCount
    repeats += plan.repeatCount
    self.files += files
  }
}
