package import LakePorts

/// Which journal lines are written: the syntax of RUST_LOG, `info,icegate_query=debug`.
///
/// A directive is a level, or `module=level`, or a bare module (everything of it). `icegate_query` and `query` name the events
/// `query.*`; `icegate_query::plan` the events `query.plan*`; `icegate` all of them. The longest module that fits decides;
/// without a bare level the rest is `error`, as RUST_LOG has it.
package struct LogFilter: Sendable, Equatable {
  private struct Directive: Sendable, Equatable {
    /// `query`, `query.plan`; empty fits every event.
    var module: [UInt8]
    /// nil: off.
    var level: JournalLevel?
  }

  /// Longest module first.
  private var directives: [Directive]
  /// The lowest level that any directive lets through; nil when all are off.
  package let lowest: JournalLevel?

  package static let standard = try! LogFilter("info")

  package init(_ text: String) throws(LogFilterError) {
    var found: [Directive] = []
    var rest: JournalLevel? = .error
    for part in text.split(separator: ",") {
      let directive = String(part.filter { $0 != " " && $0 != "\t" })
      if directive.isEmpty { continue }
      let sides = directive.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      if sides.count == 1 {
        do {
          rest = try LogFilter.level(directive)
          continue
        } catch {}  // not a level: a bare module
      }
      let module = try LogFilter.module(String(sides[0]), in: directive)
      let level = sides.count == 1 ? .trace : try LogFilter.level(String(sides[1]))
      if module.isEmpty { rest = level } else { found.append(Directive(module: module, level: level)) }
    }
    found.append(Directive(module: [], level: rest))
    // A later directive for the same module replaces an earlier one.
    var kept: [Directive] = []
    for directive in found.reversed() where !kept.contains(where: { $0.module == directive.module }) {
      kept.append(directive)
    }
    directives = kept.sorted { $0.module.count > $1.module.count }
    lowest = directives.compactMap(\.level).min()
  }

  package func allows(_ level: JournalLevel, _ event: StaticString) -> Bool {
    guard let lowest, level >= lowest else { return false }
    let name = UnsafeBufferPointer(start: event.utf8Start, count: event.utf8CodeUnitCount)
    for directive in directives where LogFilter.fits(directive.module, name) {
      return directive.level.map { level >= $0 } ?? false
    }
    return false
  }

  private static func fits(_ module: [UInt8], _ event: UnsafeBufferPointer<UInt8>) -> Bool {
    if module.isEmpty { return true }
    guard event.count >= module.count, event.starts(with: module) else { return false }
    return event.count == module.count || event[module.count] == UInt8(ascii: ".")
  }

  /// - Returns: nil for `off`.
  private static func level(_ text: String) throws(LogFilterError) -> JournalLevel? {
    switch text.lowercased() {
    case "off": nil
    case "error": .error
    case "warn", "warning": .warning
    case "info": .info
    case "debug": .debug
    case "trace": .trace
    default: throw .levelUnknown(text)
    }
  }

  private static func module(_ text: String, in directive: String) throws(LogFilterError) -> [UInt8] {
    var name: [UInt8] = []
    let bytes = Array(text.utf8)
    var index = 0
    while index < bytes.count {
      switch bytes[index] {
      case UInt8(ascii: ":"):
        guard index + 1 < bytes.count, bytes[index + 1] == UInt8(ascii: ":") else {
          throw .directiveMalformed(directive)
        }
        name.append(UInt8(ascii: "."))
        index += 1
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"),
        UInt8(ascii: "."), UInt8(ascii: "0")...UInt8(ascii: "9"):
        name.append(bytes[index])
      default: throw .directiveMalformed(directive)
      }
      index += 1
    }
    if name.isEmpty { throw .directiveMalformed(directive) }
    if name == Array("icegate".utf8) { return [] }
    for prefix in ["icegate_", "icegate."] where name.starts(with: prefix.utf8) { return Array(name.dropFirst(8)) }
    return name
  }
}

package enum LogFilterError: Error, Hashable, Sendable {
  /// Not `off`, `error`, `warn`, `info`, `debug` or `trace`.
  case levelUnknown(String)
  /// Neither a level nor `module=level`.
  case directiveMalformed(String)
}
