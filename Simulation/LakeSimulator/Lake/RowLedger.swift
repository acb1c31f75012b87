import LakeModel
import LakePorts

/// Names a request of the workload; its rows are `<request>.<n>`.
struct RequestNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
  let value: Int
  static func < (a: RequestNumber, b: RequestNumber) -> Bool { a.value < b.value }
  var description: String { "r\(value)" }
}

/// The model: what was sent, what was acknowledged, and so what readers must see. A dictionary, and nothing of the lake.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class RowLedger: @unchecked Sendable {
  struct Request {
    let number: RequestNumber
    let tenant: TenantID
    let rowCount: Int
    /// Whether a repeat can be recognised (DUP-2).
    let hasFingerprint: Bool
    let firstSent: Int64
    /// Of the simulation's clock.
    var acknowledged: Int64?
    /// Times the same bytes were sent.
    var sendings = 0
    /// Sendings that a node has in hand.
    var inHand = 0
    /// Some sending may have been received after the window in which repeats are dropped (DUP-5): by the rules it is a
    /// new request, and its rows may be there twice.
    var isBeyondWindow = false
  }

  private struct Row: Hashable {
    let number: RequestNumber
    let row: Int
  }

  /// What another engine did last to a row that was in the table.
  private struct Move {
    let time: Int64
    let isGone: Bool
  }

  private(set) var requests: [Request] = []
  private var moves: [Row: Move] = [:]
  private(set) var acknowledgements = 0
  /// For how long after the first sending a repeat is certainly dropped, in nanoseconds: half the window, since the clock
  /// of the process that forgets may be twice as fast (CLK-1).
  private let window: Int64

  init(dedupWindow: Duration) { window = dedupWindow.nanoseconds / 2 }

  func add(tenant: TenantID, rowCount: Int, hasFingerprint: Bool, now: Int64) -> RequestNumber {
    let number = RequestNumber(value: requests.count)
    requests.append(
      Request(
        number: number, tenant: tenant, rowCount: rowCount, hasFingerprint: hasFingerprint, firstSent: now))
    return number
  }

  subscript(_ number: RequestNumber) -> Request {
    get { requests[number.value] }
    set { requests[number.value] = newValue }
  }

  func acknowledge(_ number: RequestNumber, now: Int64) {
    if requests[number.value].acknowledged == nil {
      requests[number.value].acknowledged = now
      acknowledgements += 1
    }
  }

  /// A node takes a sending in hand, or has done with it.
  func handle(_ number: RequestNumber, begins: Bool, now: Int64) {
    noteAge(number.value, now)
    requests[number.value].inHand += begins ? 1 : -1
  }

  private func noteAge(_ index: Int, _ now: Int64) {
    if now - requests[index].firstSent > window { requests[index].isBeyondWindow = true }
  }

  /// Another engine took rows out of the table, or brought them back.
  func move(gone: [String], back: [String], now: Int64) {
    for (texts, isGone) in [(gone, true), (back, false)] {
      for text in texts {
        guard let (number, row) = row(Substring(text)) else { continue }
        moves[Row(number: number, row: row)] = Move(time: now, isGone: isGone)
      }
    }
  }

  static func rowText(_ number: RequestNumber, _ row: Int) -> String { "\(number).\(row)" }

  /// - Returns: nil for text that no row of ours has.
  private func row(_ text: Substring) -> (RequestNumber, Int)? {
    let parts = text.dropFirst().split(separator: ".")
    guard text.first == "r", parts.count == 2, let value = Int(parts[0]), let row = Int(parts[1]),
      requests.indices.contains(value), (0..<requests[value].rowCount).contains(row)
    else { return nil }
    return (RequestNumber(value: value), row)
  }

  /// Judges what one reader saw of one tenant.
  ///
  /// - Parameters:
  ///   - begin: when the reading began: what was acknowledged before must be there.
  ///   - now: when it ended.
  ///   - rows: the bodies seen, each with where it was seen.
  /// - Returns: the first thing wrong, by the number of its request.
  func judge(tenant: TenantID, begin: Int64, now: Int64, rows: [(text: String, place: String)]) -> (Invariant, String)?
  {
    for request in requests where request.inHand > 0 { noteAge(request.number.value, now) }
    var seen: [RequestNumber: [Int: [String]]] = [:]
    for (text, place) in rows {
      guard let (number, row) = row(Substring(text)) else {
        return (.unackedRowAtMostOnce, "tenant=\(tenant) sees \"\(text)\" in \(place), which nobody sent")
      }
      guard requests[number.value].tenant == tenant else {
        return (
          .rowsStayWithTenant,
          "tenant=\(tenant) sees row \(text) of tenant \(requests[number.value].tenant) in \(place)"
        )
      }
      seen[number, default: [:]][row, default: []].append(place)
    }
    for request in requests where request.tenant == tenant {
      for row in 0..<request.rowCount {
        let places = seen[request.number]?[row] ?? []
        let (isDue, copiesMax) = bounds(request, row, begin: begin)
        if isDue && places.isEmpty || places.count > copiesMax {
          return (
            request.acknowledged.map { $0 < begin } ?? false ? .ackedRowOnce : .unackedRowAtMostOnce,
            "tenant=\(tenant) row=\(RowLedger.rowText(request.number, row)) seen \(places.count) times"
              + (places.isEmpty ? "" : " (\(places.sorted().joined(separator: ", ")))")
              + ", sent \(request.sendings) times since \(Seconds(request.firstSent))"
              + (request.acknowledged.map { ", acknowledged \(Seconds($0))" } ?? ", never acknowledged")
          )
        }
      }
    }
    return nil
  }

  /// Whether a reading that began then must show the row, and how often it may.
  private func bounds(_ request: Request, _ row: Int, begin: Int64) -> (isDue: Bool, copiesMax: Int) {
    let isUnique = request.hasFingerprint && !request.isBeyondWindow
    let copiesMax = isUnique ? 1 : max(1, request.sendings)
    let isDue = request.acknowledged.map { $0 < begin } ?? false
    guard let move = moves[Row(number: request.number, row: row)] else { return (isDue, copiesMax) }
    // While it happened, either is right.
    if move.time >= begin { return (false, copiesMax) }
    // What was deleted stays so: a repeat does not bring it back, its fingerprint is committed.
    return move.isGone ? (false, isUnique ? 0 : copiesMax) : (isDue, copiesMax)
  }

  /// Judges what one reader saw of a tenant's events: rows of every other request, in the table alone.
  ///
  /// - Parameter isComplete: everything is shifted.
  func judgeEvents(
    tenant: TenantID, begin: Int64, now: Int64, isComplete: Bool, rows: [(text: String, place: String)]
  ) -> (Invariant, String)? {
    for request in requests where request.inHand > 0 { noteAge(request.number.value, now) }
    var seen: [Row: Int] = [:]
    for (text, place) in rows {
      guard let (number, row) = row(Substring(text)), requests[number.value].tenant == tenant, number.value % 2 == 0
      else { return (.rowsStayWithTenant, "tenant=\(tenant) sees event \"\(text)\" in \(place), which is not its own") }
      seen[Row(number: number, row: row), default: 0] += 1
    }
    for request in requests where request.tenant == tenant && request.number.value % 2 == 0 {
      let copiesMax = request.hasFingerprint && !request.isBeyondWindow ? 1 : max(1, request.sendings)
      let isDue = isComplete && (request.acknowledged.map { $0 < begin } ?? false)
      for row in 0..<request.rowCount {
        let count = seen[Row(number: request.number, row: row)] ?? 0
        if count > copiesMax || isDue && count == 0 {
          return (
            isDue ? .ackedRowOnce : .unackedRowAtMostOnce,
            "tenant=\(tenant) event=\(RowLedger.rowText(request.number, row)) is in the table \(count) times"
          )
        }
      }
    }
    return nil
  }

  /// Judges a count of a tenant's rows, which a reader may have got without looking at any (RDR-3).
  func judge(tenant: TenantID, begin: Int64, now: Int64, count: Int) -> (Invariant, String)? {
    for request in requests where request.inHand > 0 { noteAge(request.number.value, now) }
    var (least, most) = (0, 0)
    for request in requests where request.tenant == tenant {
      for row in 0..<request.rowCount {
        let (isDue, copiesMax) = bounds(request, row, begin: begin)
        least += isDue ? 1 : 0
        most += copiesMax
      }
    }
    if (least...most).contains(count) { return nil }
    return (
      count < least ? .ackedRowOnce : .unackedRowAtMostOnce,
      "tenant=\(tenant) counts \(count) rows instead of \(least) to \(most)"
    )
  }
}
