/// What a range aggregation keeps of the samples of one series in one pane. Panes merge into windows.
protocol WindowState: BitwiseCopyable, Sendable {
  init(_ value: Double, at time: Int64)
  mutating func add(_ value: Double, at time: Int64)
  mutating func merge(_ other: Self)
  /// - Parameter seconds: length of the window.
  func result(_ operation: WindowOperation) -> Double
}

/// What becomes of a window's state.
enum WindowOperation: Sendable, Hashable {
  case total
  /// Per second of a window this long.
  case perSecond(Double)
  case average, minimum, maximum, first, last, variance, deviation
  /// 1, whatever the samples.
  case presence
}

/// Counts and sums.
struct TotalState: WindowState {
  var total: Double
  init(_ value: Double, at time: Int64) { total = value }
  mutating func add(_ value: Double, at time: Int64) { total += value }
  mutating func merge(_ other: TotalState) { total += other.total }

  func result(_ operation: WindowOperation) -> Double {
    switch operation {
    case .perSecond(let seconds): total / seconds
    case .presence: 1
    default: total
    }
  }
}

/// Mean and spread, by Welford's method.
struct MomentState: WindowState {
  var count: Double
  var mean: Double
  var squares: Double

  init(_ value: Double, at time: Int64) {
    count = 1
    mean = value
    squares = 0
  }

  mutating func add(_ value: Double, at time: Int64) {
    count += 1
    if mean.isInfinite && (value.isInfinite ? (mean > 0) == (value > 0) : !value.isNaN) { return }
    let delta = value - mean
    mean += delta / count
    squares += delta * (value - mean)
  }

  mutating func merge(_ other: MomentState) {
    let total = count + other.count
    defer { count = total }
    if mean.isInfinite && (other.mean.isInfinite ? (mean > 0) == (other.mean > 0) : !other.mean.isNaN) { return }
    if other.mean.isInfinite && !mean.isNaN && !mean.isInfinite {
      self = other
      return
    }
    let delta = other.mean - mean
    mean += delta * (other.count / total)
    squares += other.squares + delta * delta * (count * other.count / total)
  }

  func result(_ operation: WindowOperation) -> Double {
    switch operation {
    case .variance: squares / count
    case .deviation: (squares / count).squareRoot()
    default: mean
    }
  }
}

/// The smallest or largest value; NaN only when there is nothing else.
struct MinimumState: WindowState {
  var value: Double
  init(_ value: Double, at time: Int64) { self.value = value }
  mutating func add(_ other: Double, at time: Int64) { if other < value || value.isNaN { value = other } }
  mutating func merge(_ other: MinimumState) { add(other.value, at: 0) }
  func result(_ operation: WindowOperation) -> Double { value }
}

struct MaximumState: WindowState {
  var value: Double
  init(_ value: Double, at time: Int64) { self.value = value }
  mutating func add(_ other: Double, at time: Int64) { if other > value || value.isNaN { value = other } }
  mutating func merge(_ other: MaximumState) { add(other.value, at: 0) }
  func result(_ operation: WindowOperation) -> Double { value }
}

/// The earliest value; of several at one time the first that came.
struct FirstState: WindowState {
  var value: Double
  var time: Int64

  init(_ value: Double, at time: Int64) {
    self.value = value
    self.time = time
  }
  mutating func add(_ other: Double, at otherTime: Int64) {
    if otherTime < time {
      value = other
      time = otherTime
    }
  }
  mutating func merge(_ other: FirstState) { add(other.value, at: other.time) }
  func result(_ operation: WindowOperation) -> Double { value }
}

/// The latest value; of several at one time the last that came.
struct LastState: WindowState {
  var value: Double
  var time: Int64

  init(_ value: Double, at time: Int64) {
    self.value = value
    self.time = time
  }
  mutating func add(_ other: Double, at otherTime: Int64) {
    if otherTime >= time {
      value = other
      time = otherTime
    }
  }
  mutating func merge(_ other: LastState) { add(other.value, at: other.time) }
  func result(_ operation: WindowOperation) -> Double { value }
}
