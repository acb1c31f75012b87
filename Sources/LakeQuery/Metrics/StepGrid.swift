import LakeModel

/// When a metric query is evaluated: `start`, `start + step`, ... (nanoseconds).
struct StepGrid: Hashable, Sendable {
  let start: Int64
  /// Positive; of no meaning with one evaluation.
  let step: Int64
  let count: Int

  init(start: Int64, step: Int64, count: Int) {
    precondition(step > 0 && count > 0)
    self.start = start
    self.step = step
    self.count = count
  }

  /// - Throws: `.invalid` for a step that is not positive, an end before the start, or more evaluations than may be.
  init(_ span: LogQueryRequest.Span, pointsMax: Int) throws(QueryError) {
    switch span {
    case .instant(let time): self.init(start: time.signedNanoseconds, step: 1, count: 1)
    case .range(let start, let end, let step, _):
      let step = step.nanoseconds
      guard step > 0 else {
        throw .invalid("zero or negative query resolution step widths are not accepted. Try a positive integer")
      }
      guard end >= start else { throw .invalid("end timestamp must not be before or equal to start time") }
      let steps = (end.signedNanoseconds - start.signedNanoseconds) / step
      guard steps < Int64(pointsMax) + 1 else {
        throw .invalid(
          "exceeded maximum resolution of \(LimitText.grouped(pointsMax)) points per time series. "
            + "Try increasing the value of the step parameter")
      }
      self.init(start: start.signedNanoseconds, step: step, count: Int(steps) + 1)
    }
  }

  func time(_ index: Int) -> Int64 { start.addingSaturated(Int64(index).multipliedSaturated(by: step)) }
  var end: Int64 { time(count - 1) }
}

enum LimitText {
  /// `11,000`.
  static func grouped(_ number: Int) -> String {
    var digits = String(number)
    var parts: [String] = []
    while digits.count > 3 {
      parts.insert(String(digits.suffix(3)), at: 0)
      digits.removeLast(3)
    }
    return ([digits] + parts).joined(separator: ",")
  }
}

/// The windows of a range aggregation cut into panes, so that a row is added to one pane however many windows overlap.
///
/// Window `k` is `(t_k - offset - range, t_k - offset]`. With `range` a multiple of the step a pane is one step wide;
/// otherwise a step holds two panes, cut where windows end. Source: README.md, "Panes".
struct PaneGrid: Hashable, Sendable {
  /// The open lower end of the first window.
  let origin: Int64
  let range: Int64
  let steps: StepGrid
  /// Whole steps in the range, and what is left over.
  private let whole: Int64
  private let rest: Int64
  private let step: Int64

  init(steps: StepGrid, range: Int64, offset: Int64) {
    precondition(range > 0)
    self.steps = steps
    self.range = range
    // One evaluation is one pane.
    step = steps.count == 1 ? range : steps.step
    whole = range / step
    rest = range % step
    origin = steps.start.subtractingSaturated(offset).subtractingSaturated(range)
  }

  /// Rows outside lie in no window.
  var timeRange: TimeRange {
    TimeRange(after: origin, through: origin.addingSaturated(range).addingSaturated(span))
  }

  private var span: Int64 { Int64(steps.count - 1).multipliedSaturated(by: step) }

  /// The panes of window `index`.
  func window(_ index: Int) -> Range<Int> {
    rest == 0 ? index..<index + Int(whole) : 2 * index..<2 * (index + Int(whole)) + 1
  }

  /// The pane that holds a time inside `timeRange`, and the times (both ends included) for which the answer is the same;
  /// -1 between windows.
  func pane(of time: Int64) -> (index: Int, times: ClosedRange<Int64>) {
    let distance = time - origin - 1
    let number = distance / step
    let start = origin + 1 + number * step
    if rest == 0 { return (Int(number), start...start + step - 1) }
    let index = Int(number) * 2
    if distance - number * step < rest { return (index, start...start + rest - 1) }
    return (whole == 0 ? -1 : index + 1, start + rest...start + step - 1)
  }

  /// The end of window `index`, where the offset has been taken off.
  func windowEnd(_ index: Int) -> Int64 { origin + range + Int64(index) * step }
}

/// Finds panes for times that mostly follow each other.
struct PaneCursor {
  let grid: PaneGrid
  private var index = -1
  private var times: ClosedRange<Int64> = 1...1
  private var isSet = false

  init(_ grid: PaneGrid) { self.grid = grid }

  @inline(__always)
  mutating func pane(of time: Int64) -> Int {
    if isSet && time >= times.lowerBound && time <= times.upperBound { return index }
    return look(time)
  }

  @inline(never)
  private mutating func look(_ time: Int64) -> Int {
    (index, times) = grid.pane(of: time)
    isSet = true
    return index
  }
}
