/// Takes the rows that match a predicate out of a table by copy on write.
///
///     let planner = try ScanPlanner(table: metadata, predicate: predicate, deletes: .applied)
///     let removal = RowRemoval(files of planner)
///     for scan in removal.partial { read it, apply its deletes, write the rows for which scan.residual does not hold }
///     let change = removal.change(rewritten: ...)                     // then FileChange.commit
/// A whole partition, or whatever else partition values and bounds settle, goes without reading a row.
package struct RowRemoval: Sendable {
  /// Every row of these matches: they go as they are.
  package let whole: [ScanFile]
  /// Some rows of these may match: `residual` decides of each.
  package let partial: [ScanFile]

  /// - Parameter files: what a plan with the predicate leaves to read.
  package init(_ files: [ScanFile]) {
    whole = files.filter(\.residual.terms.isEmpty)
    partial = files.filter { !$0.residual.terms.isEmpty }
  }

  /// One file of `partial` that was read.
  package struct Rewritten: Sendable {
    package let old: ScanFile
    /// The rows that stay, in a file of the same partition; nil when there are none.
    package let new: DataFile?

    package init(old: ScanFile, new: DataFile?) {
      self.old = old
      self.new = new
    }
  }

  /// Nil when no row goes.
  /// - Parameter rewritten: those files of `partial` that held matching rows.
  package func change(rewritten: [Rewritten]) -> FileChange? {
    let removing = whole.map(\.file) + rewritten.map(\.old.file)
    guard !removing.isEmpty else { return nil }
    let adding = rewritten.compactMap(\.new)
    return FileChange(adding.isEmpty ? .delete : .overwrite, adding: adding, removing: removing)
  }
}
