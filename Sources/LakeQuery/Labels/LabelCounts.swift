import LakeModel
import Synchronization

/// How many rows of a row group have each value of a label's column: another form of the page, small enough to stay with the footer.
///
/// Values are numbers of `LabelTexts`, so that counts of hundreds of row groups add up without a look at a text.
final class LabelCounts: Sendable {
  /// Each once; `counts` goes with it.
  let numbers: [UInt32]
  let counts: [UInt32]
  let texts: LabelTexts

  /// More values are counted by those who read the column.
  static let valuesMax = 4096

  /// - Returns: nil when a row lacks the label, or there are too many values.
  init?(_ vector: LabelVector, rowCount: Int, _ texts: LabelTexts) {
    let entryCount = vector.values.entryCount
    guard vector.isPresentEverywhere, vector.codes != nil, entryCount <= min(rowCount, LabelCounts.valuesMax) else {
      return nil
    }
    var counts = [UInt32](repeating: 0, count: entryCount)
    vector.forEachRun(in: 0..<rowCount) { code, run in counts[Int(code)] += UInt32(truncatingIfNeeded: run.count) }
    let present = counts.indices.filter { counts[$0] > 0 }
    guard let numbers = texts.numbers(of: present.map { UInt32($0) }, in: vector) else { return nil }
    // Two entries of a dictionary may hold the same text.
    var sums: [UInt32: UInt32] = [:]
    for (entry, number) in zip(present, numbers) { sums[number, default: 0] += counts[entry] }
    self.numbers = sums.keys.sorted()
    self.counts = self.numbers.map { sums[$0]! }
    self.texts = texts
  }
}

/// The counts of a row group's labels, once they were made.
struct KeptLabelCounts: ~Copyable, Sendable {
  private let service = AtomicLazyReference<LabelCounts>()
  private let severity = AtomicLazyReference<LabelCounts>()

  /// - Returns: nil when there are none, and for labels of which most rows have a value of their own.
  func counts(of field: LogField, _ make: () -> LabelCounts?) -> LabelCounts? {
    switch field {
    case .serviceName: service.load() ?? make().map { service.storeIfNil($0) }
    case .severityText: severity.load() ?? make().map { severity.storeIfNil($0) }
    default: nil
    }
  }
}

/// Numbers for the texts of labels that few values have. Bounded; what is numbered once stays.
final class LabelTexts: Sendable {
  private let table = Mutex(SeriesTable())
  private static let countMax = 1 << 16
  private static let bytesMax = 8 << 20

  /// - Returns: nil when there is no room for all of them.
  func numbers(of entries: [UInt32], in vector: LabelVector) -> [UInt32]? {
    table.withLock { table in
      var numbers: [UInt32] = []
      numbers.reserveCapacity(entries.count)
      for entry in entries {
        let number = vector.withText(ofCode: entry) { text -> Int? in
          let hasRoom = table.count < LabelTexts.countMax && table.memoryBytes + text.count < LabelTexts.bytesMax
          return hasRoom ? table.number(of: text, labelCount: 0) : table.known(text)
        }
        guard let number else { return nil }
        numbers.append(UInt32(truncatingIfNeeded: number))
      }
      return numbers
    }
  }

  func texts(_ numbers: [UInt32]) -> [Bytes] {
    table.withLock { table in numbers.map { table.sets[Int($0)].packed } }
  }
}

/// Adds up counts of row groups.
struct LabelTotals {
  private var totals: [Int] = []
  /// Numbers with a total.
  private var touched: [UInt32] = []
  private var texts: LabelTexts?

  mutating func add(_ some: LabelCounts) {
    texts = some.texts
    if let last = some.numbers.last, Int(last) >= totals.count {
      totals += repeatElement(0, count: Int(last) + 1 - totals.count)
    }
    for index in some.numbers.indices {
      let number = some.numbers[index]
      if totals[Int(number)] == 0 { touched.append(number) }
      totals[Int(number)] += Int(some.counts[index])
    }
  }

  /// Each text and its total, and begins anew.
  mutating func drain(_ body: (Bytes, Int) -> Void) {
    guard let texts, !touched.isEmpty else { return }
    for (number, text) in zip(touched, texts.texts(touched)) {
      body(text, totals[Int(number)])
      totals[Int(number)] = 0
    }
    touched.removeAll(keepingCapacity: true)
  }
}
