import LakeModel

/// The states of every pane in which a series has samples. Series are numbers of a `SeriesTable`.
struct PaneTable<State: WindowState>: ~Copyable {
  /// Series << 32 | pane, in the order they were first seen; `states` goes with it.
  private var keys = BufferBuilder<UInt64>(capacity: 256)
  private var states = BufferBuilder<State>(capacity: 256)
  /// The pane a series was last seen in, and where its state is: rows mostly come in order of time.
  private var lastPane = BufferBuilder<Int32>(capacity: 64)
  private var lastEntry = BufferBuilder<Int32>(capacity: 64)
  /// Entry + 1, 0 is free; a power of two in size.
  private var slots = BufferBuilder<UInt32>(capacity: 512)

  /// Series with at least one sample.
  private(set) var seriesCount = 0

  init() { slots.append(repeating: 0, count: 512) }

  var count: Int { keys.count }
  /// Bytes held, about: buffers grow by doubling.
  var memoryBytes: Int { 2 * (keys.count * (8 + MemoryLayout<State>.stride) + slots.count * 4 + lastPane.count * 8) }

  @inline(__always)
  mutating func add(series: Int, pane: Int, value: Double, time: Int64) {
    if series < lastPane.count && lastPane.base[series] == Int32(truncatingIfNeeded: pane) {
      states.base[Int(lastEntry.base[series])].add(value, at: time)
    } else {
      addElsewhere(series: series, pane: pane, value: value, time: time)
    }
  }

  @inline(never)
  private mutating func addElsewhere(series: Int, pane: Int, value: Double, time: Int64) {
    let (entry, isNew) = entry(series: series, pane: pane)
    if isNew { states.append(State(value, at: time)) } else { states.base[entry].add(value, at: time) }
  }

  /// Adds what another table holds; of `numbers`, element i is here the number of the other's series i.
  mutating func merge(_ other: PanePart<State>, numbers: [Int]) {
    other.keys.withValues { keys in
      other.states.withValues { states in
        for index in 0..<keys.count {
          let series = numbers[Int(keys[index] >> 32)]
          let (entry, isNew) = entry(series: series, pane: Int(keys[index] & 0xFFFF_FFFF))
          if isNew { self.states.append(states[index]) } else { self.states.base[entry].merge(states[index]) }
        }
      }
    }
  }

  consuming func finish() -> PanePart<State> { PanePart(keys: keys.finish(), states: states.finish()) }

  /// The entry of a pane, made when new; then the caller appends its state.
  private mutating func entry(series: Int, pane: Int) -> (entry: Int, isNew: Bool) {
    let key = UInt64(series) << 32 | UInt64(pane)
    let mask = slots.count - 1
    var slot = PaneTable.home(key, mask)
    var found = -1
    while slots.base[slot] != 0 {
      let entry = Int(slots.base[slot]) - 1
      if keys.base[entry] == key {
        found = entry
        break
      }
      slot = (slot + 1) & mask
    }
    let isNew = found < 0
    if isNew {
      found = keys.count
      keys.append(key)
      slots.base[slot] = UInt32(found + 1)
      if keys.count * 2 > slots.count { grow() }
    }
    if series >= lastPane.count {
      lastEntry.append(repeating: 0, count: series + 1 - lastPane.count)
      lastPane.append(repeating: -1, count: series + 1 - lastPane.count)
    }
    if lastPane.base[series] < 0 { seriesCount += 1 }
    lastPane.base[series] = Int32(truncatingIfNeeded: pane)
    lastEntry.base[series] = Int32(truncatingIfNeeded: found)
    return (found, isNew)
  }

  private mutating func grow() {
    let size = slots.count * 2
    slots = BufferBuilder(capacity: size)
    slots.append(repeating: 0, count: size)
    for entry in 0..<keys.count {
      var slot = PaneTable.home(keys.base[entry], size - 1)
      while slots.base[slot] != 0 { slot = (slot + 1) & (size - 1) }
      slots.base[slot] = UInt32(entry + 1)
    }
  }

  /// Where a key belongs. Of the product only the bits from 32 on depend on the series.
  static func home(_ key: UInt64, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> 32) & mask
  }
}

/// A finished table: entries in no particular order.
struct PanePart<State: WindowState>: Sendable {
  let keys: Buffer<UInt64>
  let states: Buffer<State>
}

extension PanePart {
  /// Turns panes into windows.
  ///
  /// - Parameter labels: by series number.
  /// - Returns: series with at least one window that holds a sample, in the order of their numbers.
  func windows(
    _ grid: PaneGrid, labels: [LabelSet], operation: WindowOperation, _ context: QueryContext
  ) throws(QueryError) -> [GridSeries] {
    let held = HeldMemory(context)
    var bytes = keys.count * 8
    try held.set(bytes)
    let order = (0..<keys.count).sorted { keys[$0] < keys[$1] }
    var out: [GridSeries] = []
    var at = 0
    while at < order.count {
      let number = keys[order[at]] >> 32
      var end = at
      while end < order.count && keys[order[end]] >> 32 == number { end += 1 }
      var panes: [Int] = []
      var states: [State] = []
      for index in order[at..<end] {
        panes.append(Int(keys[index] & 0xFFFF_FFFF))
        states.append(self.states[index])
      }
      let series = PanePart.windows(grid, panes, states, labels[Int(number)], operation)
      if !series.steps.isEmpty { out.append(series) }
      bytes += series.memoryBytes
      if out.count & 63 == 0 || series.steps.count > 1000 {
        try context.check()
        try held.set(bytes)
      }
      at = end
    }
    return out
  }

  /// The windows of one series: each the merge of its panes in order of time.
  private static func windows(
    _ grid: PaneGrid, _ panes: [Int], _ states: [State], _ labels: LabelSet, _ operation: WindowOperation
  ) -> GridSeries {
    var series = GridSeries(labels: labels)
    var queue = MergingQueue<State>(states)
    for step in 0..<grid.steps.count {
      let window = grid.window(step)
      while queue.end < panes.count && panes[queue.end] < window.upperBound { queue.append() }
      while queue.start < queue.end && panes[queue.start] < window.lowerBound { queue.removeFirst() }
      if let merged = queue.merged { series.append(step, merged.result(operation)) }
    }
    return series
  }
}

/// A moving stretch of a list of states and the merge of all in it, at a constant cost per move: what will leave first is
/// kept merged from the right, what came in since is kept merged from the left.
struct MergingQueue<State: WindowState> {
  private let states: [State]
  /// The stretch is `states[start ..< end]`.
  private(set) var start = 0
  private(set) var end = 0
  /// `suffixes.last` merges `states[start ..< middle]`, the one before it `states[start + 1 ..< middle]`, and so on.
  private var suffixes: [State] = []
  /// Merges `states[middle ..< end]`.
  private var recent: State?

  init(_ states: [State]) { self.states = states }

  mutating func append() {
    if recent == nil { recent = states[end] } else { recent!.merge(states[end]) }
    end += 1
  }

  mutating func removeFirst() {
    if suffixes.isEmpty {
      var index = end - 1
      while index >= start {
        var state = states[index]
        if let after = suffixes.last { state.merge(after) }
        suffixes.append(state)
        index -= 1
      }
      recent = nil
    }
    suffixes.removeLast()
    start += 1
  }

  var merged: State? {
    guard var state = suffixes.last else { return recent }
    if let recent { state.merge(recent) }
    return state
  }
}

/// The samples of one series at some of the steps of a grid.
struct GridSeries: Sendable {
  var labels: LabelSet
  /// Ascending.
  var steps: [Int32] = []
  var values: [Double] = []

  init(labels: LabelSet) { self.labels = labels }

  /// Bytes held, about: arrays grow by doubling.
  var memoryBytes: Int { labels.packed.count + 256 + steps.count * 20 }

  mutating func append(_ step: Int, _ value: Double) {
    steps.append(Int32(step))
    values.append(value)
  }
}
