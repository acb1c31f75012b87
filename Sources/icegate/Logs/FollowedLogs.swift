import Glibc
import LakeAPI
import LakeClient
import LakeModel
import LakeSystem

/// `icegate logs --follow`: what is there, then what comes, until it is interrupted. A connection that breaks is opened
/// again where it stood.
struct FollowedLogs {
  private let options: LogsOptions
  private let random = SystemRandomness()

  private static let pauseMax: UInt32 = 30
  /// Entries around the newest one that are known after a break, so that they are not printed again.
  private static let recentMax = 5000

  init(_ options: LogsOptions) { self.options = options }

  func run(_ query: String) throws {
    let printer = options.printer
    var start = options.start
    var recent: [LogEntry: Int] = [:]
    var pause: UInt32 = 1
    var isFirst = true
    while true {
      do {
        let tail = try TailClient(
          options.address, parameters(query, start: start, isFirst: isFirst),
          headers: options.headers + [LokiClient.categorized], random: random)
        if !isFirst { remark("connected again") }
        pause = 1
        var known = isFirst ? [:] : recent
        conversation: while true {
          switch try tail.next() {
          case .quiet: continue
          case .closed(let close):
            if let close, close.code == 1011 { throw LokiClient.Failure(status: nil, message: close.reason) }
            remark("the server closed the connection\(close.map { $0.reason.isEmpty ? "" : ": \($0.reason)" } ?? "")")
            break conversation
          case .entries(let entries):
            var fresh: [LogEntry] = []
            for entry in entries.sorted(by: { $0.time < $1.time }) {
              if let count = known[entry], count > 0 { known[entry] = count - 1 } else { fresh.append(entry) }
            }
            Console.write(fresh.map { printer.text($0) }.joined())
            for entry in fresh {
              recent[entry, default: 0] += 1
              start = max(start, entry.time)
            }
            if recent.count > FollowedLogs.recentMax {
              let edge = start
              recent = recent.filter { $0.key.time >= edge }
            }
            isFirst = false
          }
        }
      } catch let failure as LokiClient.Failure where failure.isOurs || isFirst {
        throw failure
      } catch {
        remark("\(error)")
      }
      isFirst = false
      remark("connecting again in \(pause) s")
      sleep(pause)
      pause = min(pause * 2, FollowedLogs.pauseMax)
    }
  }

  private func parameters(_ query: String, start: UInt64, isFirst: Bool) -> [(name: String, value: String)] {
    // After a break everything since then is wanted, however much the beginning was cut to.
    let limit = isFirst ? options.limit ?? 5000 : 5000
    var parameters = [(name: "query", value: query), (name: "start", value: String(start))]
    parameters.append((name: "limit", value: String(min(limit, 5000))))
    if options.delaySeconds > 0 { parameters.append((name: "delay_for", value: String(options.delaySeconds))) }
    return parameters
  }

  private func remark(_ text: String) { if !options.isQuiet { Program.remark(text) } }
}
