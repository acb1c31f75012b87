import LakeLogQL
import LakeModel

/// `| logfmt`, with `--strict`, `--keep-empty` and extractions.
struct LogfmtStage: Sendable {
  private let isStrict: Bool
  private let keepsEmpty: Bool
  private let extractions: [(label: FixedBytes, key: FixedBytes)]
  let hints: ParserHints

  /// - Throws: `.invalid` for a malformed extraction; the parser finds these first.
  init(_ stage: LogQL.Logfmt, _ hints: ParserHints) throws(QueryError) {
    isStrict = stage.isStrict
    keepsEmpty = stage.keepsEmpty
    self.hints = hints
    var found: [(FixedBytes, FixedBytes)] = []
    for extraction in stage.extractions {
      switch LogQL.ExtractionPath.logfmt(extraction.expression) {
      case .success(let path):
        let key = path.steps.map { step in if case .member(let name) = step { name } else { "" } }.joined(
          separator: " ")
        found.append((FixedBytes(extraction.label), FixedBytes(key)))
      case .failure(let error): throw .invalid("cannot parse expression [\(extraction.expression)]: \(error.message)")
      }
    }
    extractions = found
  }

  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) {
    if hints.wantsNothing || hints.isSatisfied(by: labels) { return }
    var scan = LogfmtScan(line)
    if extractions.isEmpty { readAll(&scan, &labels) } else { readSome(&scan, &labels) }
    if isStrict, let failure = scan.failure {
      labels.fail(RowLabels.logfmtError, failure)
      if hints.preservesErrors { labels.preservesError = true }
    }
  }

  private func readAll(_ scan: inout LogfmtScan, _ labels: inout RowLabels) {
    while !scan.isAtEnd {
      guard scan.next(&labels.arena) else {
        if isStrict { return }
        continue
      }
      guard hints.mayWant(key: scan.key) else { continue }
      let name = LabelKey.sanitized(scan.key, &labels.arena)
      if name.isEmpty { continue }
      let free = labels.freeName(name)
      guard hints.wants(free), !labels.isMade(free) else { continue }
      let value = UTF8Repair.spaced(scan.value, &labels.arena)
      if value.isEmpty && !keepsEmpty { continue }
      labels.set(free, value)
      if hints.isSatisfied(by: labels) { return }
    }
  }

  /// Extracted labels are there in every row, empty where the line has no such key.
  private func readSome(_ scan: inout LogfmtScan, _ labels: inout RowLabels) {
    for (label, _) in extractions where !labels.isTaken(label.buffer) { labels.set(label.buffer, .none) }
    while !scan.isAtEnd {
      guard scan.next(&labels.arena) else {
        if isStrict { return }
        continue
      }
      let name = LabelKey.sanitized(scan.key, &labels.arena)
      guard !name.isEmpty,
        let wanted = extractions.first(where: { $0.key.buffer.equals(name) })?.label
          ?? extractions.first(where: { $0.label.buffer.equals(name) })?.label
      else { continue }
      let free = labels.freeName(wanted.buffer)
      labels.set(free, UTF8Repair.isClean(scan.value) ? scan.value : .none)
    }
  }
}
