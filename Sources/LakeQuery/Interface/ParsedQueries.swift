import LakeLogQL
import Synchronization

/// Queries parsed lately, by the bytes of their text (`String` takes canonically equivalent texts for the same): dashboards ask the same
/// ones again and again.
final class ParsedQueries: Sendable {
  private let parsed = Mutex<[[UInt8]: LogQL.Query]>([:])
  /// All are forgotten when there are more.
  private static let countMax = 256
  /// Of a text that is kept.
  private static let bytesMax = 4096

  func query(_ text: String) -> LogQL.Query? {
    guard text.utf8.count <= ParsedQueries.bytesMax else { return nil }
    return parsed.withLock { $0[Array(text.utf8)] }
  }

  /// - Parameter query: parsed from `text`, and nothing is wrong with it.
  func keep(_ query: LogQL.Query, _ text: String) {
    guard text.utf8.count <= ParsedQueries.bytesMax else { return }
    parsed.withLock { parsed in
      if parsed.count >= ParsedQueries.countMax { parsed.removeAll() }
      parsed[Array(text.utf8)] = query
    }
  }
}
