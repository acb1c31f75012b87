import Glibc

/// `icegate COMMAND ...`, or a link to it called by a command's name: `ingest`, `query`, `maintain`.
@main
struct Program {
  static func main() async {
    var words = CommandLine.arguments
    let name = words.removeFirst().split(separator: "/").last.map(String.init) ?? "icegate"
    let command = Command(rawValue: name) ?? words.first.flatMap(Command.init(rawValue:))
    if command != nil, Command(rawValue: name) == nil { words.removeFirst() }
    if words == ["--version"], command == nil { exit(await Command.version.run([])) }
    guard let command else {
      let asksForHelp = words.isEmpty || words[0] == "--help" || words[0] == "-h"
      if !asksForHelp { complain("`\(words[0])` is not a command of icegate") }
      print(Command.usage)
      exit(asksForHelp ? 0 : 2)
    }
    // `logs` and the tools for formats have a page of their own.
    if [.dev, .ingest, .query, .maintain].contains(command), words.contains(where: { $0 == "--help" || $0 == "-h" }) {
      print(Command.usage)
      exit(0)
    }
    exit(await command.run(words))
  }

  /// A line on standard error that is no complaint.
  static func remark(_ text: String) { show("\(text)\n") }

  /// Text on standard error as it is.
  static func show(_ text: String) {
    let bytes = Array(text.utf8)
    _ = write(2, bytes, bytes.count)
  }

  /// One line on standard error.
  static func complain(_ text: String) {
    let line = Array("icegate: \(text)\n".utf8)
    _ = write(2, line, line.count)
  }
}
