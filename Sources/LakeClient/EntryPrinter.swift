import Glibc
import LakeAPI
import LakeJSON
import LakeModel

/// Turns entries and series into lines of text. Pure but for the machine's time zone.
package struct EntryPrinter: Sendable {
  package enum Mode: String, Sendable, CaseIterable {
    /// Time, level, service, labels that differ, line.
    case `default`
    /// The line and nothing else, byte for byte.
    case raw
    /// One JSON object each, with everything there is.
    case jsonl
  }

  package enum Labels: Sendable, Hashable {
    /// The stream's labels that are not the same everywhere.
    case varying
    /// Those, structured metadata and parsed labels.
    case all
    case none
    case only([String])
  }

  package var mode: Mode
  package var labels: Labels
  package var hasColours: Bool
  /// Whether what is printed goes to a terminal, which control characters in a line must not steer.
  package var isTerminal: Bool
  package var isUTC: Bool
  /// Labels that are not shown, because all have them.
  package private(set) var common: [String: String] = [:]
  /// Columns that samples' values take.
  private var valueWidth = 12

  package init(
    mode: Mode = .default, labels: Labels = .varying, hasColours: Bool = false, isTerminal: Bool = false,
    isUTC: Bool = false
  ) {
    self.mode = mode
    self.labels = labels
    self.hasColours = hasColours
    self.isTerminal = isTerminal
    self.isUTC = isUTC
  }

  private static let levelNames = ["severity_text", "level", "detected_level"]
  private static let serviceName = "service_name"

  /// Takes what all of these entries share as not worth showing.
  package mutating func learn(_ entries: [LogEntry]) {
    guard let first = entries.first else { return }
    common = first.labels
    for entry in entries.dropFirst() where !common.isEmpty {
      common = common.filter { entry.labels[$0.key] == $0.value }
    }
    if entries.count == 1 { common = [:] }
  }

  /// Makes the column of values as wide as the widest of these.
  package mutating func learn(_ series: [MetricSeries]) {
    for one in series { for sample in one.samples { valueWidth = max(valueWidth, sample.value.utf8.count) } }
  }

  /// `{cluster="eu", env="prod"}`, for a line above all others; nil when there is nothing to tell.
  package var commonText: String? {
    guard mode == .default, labels == .varying, !common.isEmpty else { return nil }
    return EntryPrinter.text(common)
  }

  /// With its line end.
  package func text(_ entry: LogEntry) -> String {
    switch mode {
    case .raw: return entry.line + "\n"
    case .jsonl: return json(entry)
    case .default: break
    }
    var out = paint(.dim, time(entry.time))
    let levelName = EntryPrinter.levelNames.first { entry[$0]?.isEmpty == false }
    if let levelName, let level = entry[levelName] {
      let short = level.uppercased().prefix(5)
      let padding = String(repeating: " ", count: max(0, 5 - short.count))
      out += " " + paint(Colour.ofLevel(level), printable(String(short))) + padding
    }
    if common[EntryPrinter.serviceName] == nil || labels != .varying, labels != .none,
      let service = entry[EntryPrinter.serviceName], isShown(EntryPrinter.serviceName)
    {
      out += " " + paint(Colour.ofName(service), printable(service))
    }
    let shown = shownLabels(entry).filter { $0.key != levelName && $0.key != EntryPrinter.serviceName }
    if !shown.isEmpty { out += " " + paint(.dim, printable(EntryPrinter.text(shown))) }
    return out + " " + printable(entry.line) + (hasColours ? "\u{1B}[0m\n" : "\n")
  }

  private func isShown(_ name: String) -> Bool {
    if case .only(let names) = labels { return names.contains(name) }
    return true
  }

  private func shownLabels(_ entry: LogEntry) -> [String: String] {
    switch labels {
    case .none: return [:]
    case .varying: return entry.labels.filter { common[$0.key] != $0.value }
    case .all:
      return entry.labels.merging(entry.metadata) { $1 }.merging(entry.parsed) { $1 }
    case .only(let names):
      var shown: [String: String] = [:]
      for name in names { shown[name] = entry[name] }
      return shown
    }
  }

  // MARK: - Metric queries

  /// With its line ends.
  package func text(_ series: MetricSeries) -> String {
    if mode == .jsonl {
      var json = JSONWriter()
      json.object { json in
        EntryPrinter.write("labels", series.labels, &json)
        json.key("samples")
        json.array { json in
          for sample in series.samples {
            json.array { json in
              json.raw(EntryPrinter.seconds(sample.time))
              json.value(sample.value)
            }
          }
        }
      }
      return json.finish().text + "\n"
    }
    let labels = EntryPrinter.text(series.labels)
    return series.samples.map { sample in
      if mode == .raw { return sample.value + "\n" }
      let value = String(repeating: " ", count: max(0, valueWidth - sample.value.utf8.count)) + sample.value
      return paint(.dim, time(UInt64(max(0, min(sample.time, 1.8e10)) * 1e9))) + " " + value + " "
        + paint(.dim, printable(labels)) + "\n"
    }.joined()
  }

  // MARK: - Pieces

  private func json(_ entry: LogEntry) -> String {
    var json = JSONWriter()
    json.object { json in
      json.member("timestamp", ClockText.rfc3339(entry.time))
      EntryPrinter.write("labels", entry.labels, &json)
      if !entry.metadata.isEmpty { EntryPrinter.write("metadata", entry.metadata, &json) }
      if !entry.parsed.isEmpty { EntryPrinter.write("parsed", entry.parsed, &json) }
      json.member("line", entry.line)
    }
    return json.finish().text + "\n"
  }

  private static func write(_ name: String, _ labels: [String: String], _ json: inout JSONWriter) {
    json.key(name)
    json.object { json in
      for (name, value) in labels.sorted(by: { $0.key < $1.key }) { json.member(name, value) }
    }
  }

  private static func seconds(_ time: Double) -> String {
    time == time.rounded() && abs(time) < 1e15 ? String(Int64(time)) : "\(time)"
  }

  package static func text(_ labels: [String: String]) -> String {
    let pairs = labels.sorted { $0.key < $1.key }.map { name, value in
      let escaped = value.flatMap { $0 == "\"" || $0 == "\\" ? "\\\($0)" : $0 == "\n" ? "\\n" : "\($0)" }
      return "\(name)=\"\(String(escaped))\""
    }
    return "{" + pairs.joined(separator: ", ") + "}"
  }

  private func time(_ nanoseconds: UInt64) -> String {
    isUTC ? ClockText.utc(nanoseconds) : ClockText.local(nanoseconds)
  }

  /// Text that cannot steer a terminal: colours (`ESC [ ... m`) stay, other control characters are shown as `\x1b`.
  /// Further lines of a text are indented.
  private func printable(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 32 || $0 == 127 || $0 == 0xC2 }) else { return text }
    var out = ""
    var rest = text.unicodeScalars[...]
    while let scalar = rest.popFirst() {
      switch scalar.value {
      case 10: out += "\n  "
      case 9: out.unicodeScalars.append(scalar)
      case 0x1B where isTerminal && rest.first == "[":
        let parameters = rest.dropFirst().prefix { $0 == ";" || ("0"..."9").contains($0) }
        if rest.dropFirst(1 + parameters.count).first == "m" {
          out += hasColours ? "\u{1B}[\(String(String.UnicodeScalarView(parameters)))m" : ""
          rest = rest.dropFirst(2 + parameters.count)
        } else {
          out += "\\x1b"
        }
      case 0..<32, 127..<160:
        if isTerminal { out += EntryPrinter.escape(scalar) } else { out.unicodeScalars.append(scalar) }
      default: out.unicodeScalars.append(scalar)
      }
    }
    return out
  }

  private static func escape(_ scalar: Unicode.Scalar) -> String {
    let digits = String(scalar.value, radix: 16)
    return "\\x" + (digits.count < 2 ? "0" : "") + digits
  }

  private func paint(_ colour: Colour, _ text: String) -> String {
    hasColours && colour != .plain ? "\u{1B}[\(colour.rawValue)m\(text)\u{1B}[0m" : text
  }
}

/// Colours of a terminal.
enum Colour: String {
  case plain = ""
  case dim = "2"
  case red = "31"
  case boldRed = "1;31"
  case green = "32"
  case yellow = "33"
  case blue = "34"
  case magenta = "35"
  case cyan = "36"

  static func ofLevel(_ level: String) -> Colour {
    let level = level.lowercased()
    if level.hasPrefix("fatal") || level.hasPrefix("crit") || level.hasPrefix("emerg") || level.hasPrefix("alert") {
      return .boldRed
    }
    if level.hasPrefix("err") { return .red }
    if level.hasPrefix("warn") { return .yellow }
    if level.hasPrefix("info") || level.hasPrefix("notice") { return .green }
    if level.hasPrefix("debug") { return .blue }
    return level.hasPrefix("trace") ? .dim : .plain
  }

  /// The same for the same name, in every run.
  static func ofName(_ name: String) -> Colour {
    let palette: [Colour] = [.cyan, .magenta, .blue, .green, .yellow]
    let hash = name.utf8.reduce(UInt32(2_166_136_261)) { ($0 ^ UInt32($1)) &* 16_777_619 }
    return palette[Int(hash % UInt32(palette.count))]
  }
}

/// Times as people read them.
package enum ClockText {
  /// `2026-01-15 10:40:00.123`, in the machine's time zone.
  package static func local(_ nanoseconds: UInt64) -> String {
    var seconds = time_t(clamping: nanoseconds / 1_000_000_000)
    var parts = tm()
    localtime_r(&seconds, &parts)
    return text(parts) + "." + padded(nanoseconds / 1_000_000 % 1000, 3)
  }

  package static func utc(_ nanoseconds: UInt64) -> String {
    text(utcParts(nanoseconds)) + "." + padded(nanoseconds / 1_000_000 % 1000, 3) + "Z"
  }

  /// `2026-01-15T10:40:00.123456789Z`
  package static func rfc3339(_ nanoseconds: UInt64) -> String {
    let words = text(utcParts(nanoseconds)).split(separator: " ")
    return "\(words[0])T\(words[1]).\(padded(nanoseconds % 1_000_000_000, 9))Z"
  }

  /// RFC 3339, Unix seconds (also with a fraction) or nanoseconds, as Loki's parameters are read.
  package static func parse(_ text: String) -> UInt64? {
    guard case .success(let time) = LokiTime.parse(text) else { return nil }
    return time.nanoseconds
  }

  private static func utcParts(_ nanoseconds: UInt64) -> tm {
    var seconds = time_t(clamping: nanoseconds / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    return parts
  }

  private static func text(_ parts: tm) -> String {
    let date = "\(padded(UInt64(max(0, parts.tm_year + 1900)), 4))-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
    return "\(date) \(two(parts.tm_hour)):\(two(parts.tm_min)):\(two(parts.tm_sec))"
  }

  private static func two(_ value: Int32) -> String { padded(UInt64(max(0, value)), 2) }

  private static func padded(_ value: UInt64, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
