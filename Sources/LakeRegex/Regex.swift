import CRE2

/// A regular expression in RE2's syntax, which is Loki's and Prometheus's: linear time, no backtracking.
///
/// Named apart from the standard library's `Regex`. `@unchecked Sendable`: RE2 objects may be shared between threads.
package final class RE2Pattern: @unchecked Sendable {
  private let handle: OpaquePointer
  package let text: String
  package let groupCount: Int

  package struct Malformed: Error, Hashable, Sendable {
    /// RE2's own message.
    package let message: String
  }

  /// - Parameter memoryMax: bytes for the compiled program and its automata; larger expressions are refused.
  package init(_ text: String, isCaseInsensitive: Bool = false, memoryMax: Int = 8 << 20) throws(Malformed) {
    var message = [CChar](repeating: 0, count: 256)
    var pattern = text
    let compiled = pattern.withUTF8 { utf8 in
      utf8.withMemoryRebound(to: CChar.self) {
        icegate_re2_new($0.baseAddress, $0.count, isCaseInsensitive, Int64(memoryMax), &message, message.count)
      }
    }
    guard let compiled else {
      let end = message.firstIndex(of: 0) ?? message.count
      throw Malformed(message: String(decoding: message[..<end].map { UInt8(bitPattern: $0) }, as: UTF8.self))
    }
    handle = compiled
    self.text = text
    groupCount = Int(icegate_re2_group_count(compiled))
  }

  deinit { icegate_re2_free(handle) }

  /// Whether the expression matches anywhere.
  package func matches(_ text: UnsafeRawBufferPointer) -> Bool {
    icegate_re2_search(handle, text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count)
  }

  /// Whether the expression matches the whole text (`^(?:...)$` without newline rules).
  package func matchesWhole(_ text: UnsafeRawBufferPointer) -> Bool {
    icegate_re2_full_match(handle, text.baseAddress?.assumingMemoryBound(to: CChar.self), text.count)
  }

  package func matchesWhole(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matchesWhole(UnsafeRawBufferPointer($0)) }
  }

  package func matches(_ text: String) -> Bool {
    var text = text
    return text.withUTF8 { matches(UnsafeRawBufferPointer($0)) }
  }

  /// The first match from `start`: byte ranges of the whole match (index 0) and of each group, nil for groups that took no part.
  package func groups(in text: UnsafeRawBufferPointer, from start: Int = 0) -> [Range<Int>?]? {
    let pairs = groupCount + 1
    return withUnsafeTemporaryAllocation(of: Int64.self, capacity: pairs * 2) { offsets in
      let base = text.baseAddress?.assumingMemoryBound(to: CChar.self)
      guard icegate_re2_groups(handle, base, text.count, start, offsets.baseAddress, Int32(pairs)) else { return nil }
      return (0..<pairs).map { index in
        offsets[index * 2] < 0 ? nil : Int(offsets[index * 2])..<Int(offsets[index * 2 + 1])
      }
    }
  }

  /// Name of group `index` (1-based), nil when it has none.
  package func groupName(_ index: Int) -> String? {
    icegate_re2_group_name(handle, Int32(index)).map { String(cString: $0) }
  }
}
