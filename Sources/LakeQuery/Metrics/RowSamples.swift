import LakeLogQL
import LakeModel

/// Makes samples of rows one by one: pipeline, value, series. Used by one task.
final class RowSamples {
  private let spec: SampleSpec
  private let machine: RowMachine
  private let unwrap: (label: FixedBytes, conversion: LogQL.Unwrap.Conversion?, filters: [RowLabelFilter])?
  private let groupNames: [FixedBytes]
  private(set) var series = SeriesTable()
  private var packer = LabelPacker()

  static func make(
    _ spec: SampleSpec, _ filtered: FilteredBlock, now: Int64
  ) async throws(QueryError) -> RowSamples {
    let stages = filtered.hasUnreadable ? spec.plan.stagesWithFilters : spec.plan.stages
    var unwrap: LogQL.Unwrap?
    if case .label(let found) = spec.value { unwrap = found }
    // Labels of filters that columns have decided count too: what parsers look for does not depend on who filters.
    let hints = ParserHints(spec.plan.stagesWithFilters, unwrap: unwrap, grouping: spec.grouping)
    var reads: [String]?
    switch spec.grouping {
    case .everything: reads = []
    case .by(let names): reads = names
    case .without, .none: reads = nil
    }
    var uses = reads ?? []
    if let unwrap { uses += [unwrap.label] + unwrap.filters.flatMap(\.labels) }
    // Rows with an error keep all their labels, so whoever groups by the error reads them all.
    if reads?.contains("__error__") == true { reads = nil }
    if reads != nil { reads = uses }
    let program = try RowProgram(stages, hints: hints, reads: reads, uses: uses)
    return try RowSamples(spec, try await RowMachine.make(program, filtered.labels, now: now), unwrap)
  }

  private init(_ spec: SampleSpec, _ machine: RowMachine, _ unwrap: LogQL.Unwrap?) throws(QueryError) {
    self.spec = spec
    self.machine = machine
    if let unwrap {
      var filters: [RowLabelFilter] = []
      for filter in unwrap.filters { filters.append(try RowLabelFilter(filter)) }
      self.unwrap = (FixedBytes(unwrap.label), unwrap.conversion, filters)
    } else {
      self.unwrap = nil
    }
    switch spec.grouping {
    case .by(let names), .without(let names): groupNames = names.map { FixedBytes($0) }
    case .everything, .none: groupNames = []
    }
  }

  /// Whether the lines of rows are looked at.
  var readsLine: Bool {
    if case .lineBytes = spec.value { return true }
    return machine.readsLine
  }

  /// - Returns: nil when the row gives no sample.
  /// - Throws: `.invalid` when the row has an error that the query does not ask for, in Loki's words.
  func sample(
    _ row: Int, _ line: UnsafeRawBufferPointer, time: Int64
  ) throws(QueryError) -> (series: Int, value: Double)? {
    guard machine.run(row, line, time: time) else { return nil }
    guard let value = value() else { return nil }
    return (try seriesNumber(), value)
  }

  private func value() -> Double? {
    guard let unwrap else {
      if case .lineBytes = spec.value { return Double(machine.line.count) }
      return 1
    }
    guard let text = machine.labels.usable(unwrap.label.buffer), !text.isEmpty else { return nil }
    var value = 0.0
    do throws(GoNumber.Failure) { value = try UnwrapConversion.value(text, unwrap.conversion) } catch {
      machine.labels.fail(RowLabels.extractionError, error.message)
    }
    for filter in unwrap.filters where !filter.keeps(&machine.labels) { return nil }
    return value
  }

  private func seriesNumber() throws(QueryError) -> Int {
    packer.begin()
    if machine.labels.hasError {
      // Before grouping, or the error would be lost.
      let all = machine.labels.sorted()
      for label in all { packer.append(name: label.name, value: label.value) }
      guard machine.labels.preservesError else { throw RowSamples.pipelineError(packer.set) }
      return series.number(of: packer)
    }
    switch spec.grouping {
    case .everything: break
    case .by:
      for name in groupNames {
        if let value = machine.labels.usable(name.buffer) { packer.append(name: name.buffer, value: value) }
      }
    case .without, .none:
      for label in machine.labels.sorted() where !groupNames.contains(where: { $0.buffer.equals(label.name) }) {
        packer.append(name: label.name, value: label.value)
      }
    }
    return series.number(of: packer)
  }

  static func pipelineError(_ labels: LabelSet) -> QueryError {
    let kind = labels["__error__"] ?? ""
    let text =
      "{"
      + labels.pairs.map { "\($0.name)=" + Bytes($0.value).withUnsafeBytes { GoNumber.quoted($0) } }
      .joined(separator: ", ") + "}"
    return .invalid(
      "pipeline error: '\(kind)' for series: '\(text)'.\n"
        + "Use a label filter to intentionally skip this error. (e.g | __error__!=\"\(kind)\").\n"
        + "To skip all potential errors you can match empty errors.(e.g __error__=\"\")\n"
        + "The label filter can also be specified after unwrap. (e.g | unwrap latency | __error__=\"\" )\n")
  }
}

/// `unwrap`: the text of a label as a number.
enum UnwrapConversion {
  static func value(
    _ text: UnsafeRawBufferPointer, _ conversion: LogQL.Unwrap.Conversion?
  ) throws(GoNumber.Failure) -> Double {
    switch conversion {
    case nil: try GoNumber.float(text)
    case .bytes: Double(try GoNumber.bytes(text))
    case .duration, .durationSeconds: Double(try GoNumber.duration(text)) / 1e9
    }
  }
}
