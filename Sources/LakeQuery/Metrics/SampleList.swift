import LakeModel

/// All samples of a range aggregation that needs each of them: quantiles and counters.
struct SampleList: ~Copyable {
  private var series = BufferBuilder<UInt32>(capacity: 1024)
  private var times = BufferBuilder<Int64>(capacity: 1024)
  private var values = BufferBuilder<Double>(capacity: 1024)

  mutating func add(series number: Int, value: Double, time: Int64) {
    series.append(UInt32(truncatingIfNeeded: number))
    times.append(time)
    values.append(value)
  }

  mutating func merge(_ other: SampleListPart, numbers: [Int]) {
    other.series.withValues { for number in $0 { series.append(UInt32(truncatingIfNeeded: numbers[Int(number)])) } }
    other.times.withValues { if let base = $0.baseAddress { times.append(contentsOf: base, count: $0.count) } }
    other.values.withValues { if let base = $0.baseAddress { values.append(contentsOf: base, count: $0.count) } }
  }

  /// Bytes held, about: buffers grow by doubling.
  var memoryBytes: Int { series.count * 40 }

  consuming func finish() -> SampleListPart {
    SampleListPart(series: series.finish(), times: times.finish(), values: values.finish())
  }
}

struct SampleListPart: Sendable {
  let series: Buffer<UInt32>
  /// Nanoseconds.
  let times: Buffer<Int64>
  let values: Buffer<Double>
}

/// A function of all samples of a window, in order of time.
enum WindowFunction: Sendable {
  case quantile(Double)
  case counterRate
}

extension SampleListPart {
  /// - Parameter labels: by series number.
  func windows(
    _ grid: PaneGrid, labels: [LabelSet], _ function: WindowFunction, _ context: QueryContext
  ) throws(QueryError) -> [GridSeries] {
    let held = HeldMemory(context)
    // Places, and one series' values in order.
    var bytes = series.count * 24 + labels.count * 16
    try held.set(bytes)
    // Samples of each series together.
    var starts = [Int](repeating: 0, count: labels.count + 1)
    series.withValues { for number in $0 { starts[Int(number) + 1] += 1 } }
    for number in 0..<labels.count { starts[number + 1] += starts[number] }
    var place = starts
    var order = [Int32](repeating: 0, count: series.count)
    series.withValues { all in
      for index in 0..<all.count {
        let number = Int(all[index])
        order[place[number]] = Int32(truncatingIfNeeded: index)
        place[number] += 1
      }
    }
    var out: [GridSeries] = []
    for number in 0..<labels.count where starts[number + 1] > starts[number] {
      let mine = order[starts[number]..<starts[number + 1]]
      let one = windows(grid, mine, labels[number], function)
      if !one.steps.isEmpty { out.append(one) }
      bytes += one.memoryBytes
      try context.check()
      try held.set(bytes)
    }
    return out
  }

  private func windows(
    _ grid: PaneGrid, _ indices: ArraySlice<Int32>, _ labels: LabelSet, _ function: WindowFunction
  ) -> GridSeries {
    var series = GridSeries(labels: labels)
    if grid.steps.count == 1, case .quantile(let q) = function {
      // Order of time does not matter, and every sample is in the only window.
      series.append(0, Quantile.value(q, of: indices.map { values[Int($0)] }))
      return series
    }
    let sorted = indices.sorted { a, b in
      let (x, y) = (times[Int(a)], times[Int(b)])
      return x == y ? a < b : x < y
    }
    var start = 0
    var end = 0
    for step in 0..<grid.steps.count {
      let last = grid.windowEnd(step)
      let first = last - grid.range
      while end < sorted.count && times[Int(sorted[end])] <= last { end += 1 }
      while start < end && times[Int(sorted[start])] <= first { start += 1 }
      if start == end { continue }
      let window = sorted[start..<end]
      switch function {
      case .quantile(let q): series.append(step, Quantile.value(q, of: window.map { values[Int($0)] }))
      case .counterRate:
        let samples = window.map { (time: times[Int($0)], value: values[Int($0)]) }
        series.append(step, CounterRate.perSecond(samples, range: grid.range, end: last))
      }
    }
    return series
  }
}

enum Quantile {
  /// Between the two nearest ranks in proportion; NaN counts as smallest.
  static func value(_ q: Double, of samples: [Double]) -> Double {
    if samples.isEmpty || q.isNaN { return .nan }
    if q < 0 { return -.infinity }
    if q > 1 { return .infinity }
    var samples = samples
    let rank = q * Double(samples.count - 1)
    let low = Int(rank.rounded(.down))
    let weight = rank - rank.rounded(.down)
    return samples.withUnsafeMutableBufferPointer { all in
      let lower = select(all, low)
      if weight == 0 { return lower }
      // The next rank is the smallest of what lies above.
      var upper = lower
      if low + 1 < all.count {
        upper = all[low + 1]
        for index in low + 2..<max(low + 2, all.count) where isLess(all[index], upper) { upper = all[index] }
      }
      return lower * (1 - weight) + upper * weight
    }
  }

  @inline(__always)
  private static func isLess(_ a: Double, _ b: Double) -> Bool { a < b || (a.isNaN && !b.isNaN) }

  /// The value of this rank; smaller ones end up before it, larger ones behind.
  private static func select(_ all: UnsafeMutableBufferPointer<Double>, _ rank: Int) -> Double {
    var low = 0
    var high = all.count - 1
    while low < high {
      let middle = (low + high) / 2
      // Median of three as the pivot.
      if isLess(all[middle], all[low]) { all.swapAt(middle, low) }
      if isLess(all[high], all[low]) { all.swapAt(high, low) }
      if isLess(all[high], all[middle]) { all.swapAt(high, middle) }
      let pivot = all[middle]
      var i = low
      var j = high
      while i <= j {
        while isLess(all[i], pivot) { i += 1 }
        while isLess(pivot, all[j]) { j -= 1 }
        if i <= j {
          all.swapAt(i, j)
          i += 1
          j -= 1
        }
      }
      if rank <= j {
        high = j
      } else if rank >= i {
        low = i
      } else {
        return all[rank]
      }
    }
    return all[rank]
  }
}

/// The rate of a counter, extrapolated to the window's ends as Prometheus does it.
enum CounterRate {
  /// - Parameter samples: ascending by time (nanoseconds).
  static func perSecond(_ samples: [(time: Int64, value: Double)], range: Int64, end: Int64) -> Double {
    guard let first = samples.first, let last = samples.last, samples.count > 1 else { return 0 }
    var increase = last.value - first.value
    var previous = 0.0
    for sample in samples {
      if sample.value < previous { increase += previous }  // the counter began anew
      previous = sample.value
    }
    let sampled = Double(last.time - first.time) / 1e9
    let average = sampled / Double(samples.count - 1)
    // Up to the ends of the window where samples come near them, else half an average distance.
    let threshold = average * 1.1
    var before = Double(first.time - (end - range)) / 1e9
    var after = Double(end - last.time) / 1e9
    if before >= threshold { before = average / 2 }
    if after >= threshold { after = average / 2 }
    if increase > 0 && first.value >= 0 {
      // Not further back than where the counter would have been zero.
      before = min(before, sampled * (first.value / increase))
    }
    return increase * ((sampled + before + after) / sampled) / (Double(range) / 1e9)
  }
}
