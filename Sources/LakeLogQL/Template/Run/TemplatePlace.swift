/// What a template was doing last, for messages: Go tells where it stands and shows it.
enum TemplateSpot {
  case pipeline(LogQL.Template.Pipeline)
  case command(LogQL.Template.Command)
  case argument(LogQL.Template.Argument, LogQL.Template.Place)

  private var place: LogQL.Template.Place {
    switch self {
    case .pipeline(let pipeline): pipeline.place
    case .command(let command): command.place(0)
    case .argument(_, let place): place
    }
  }

  /// `line:1:5: executing "line" at <duration .ip>: `
  ///
  /// - Parameters:
  ///   - name: of the template that was read.
  ///   - running: the template that was running: that one, or one defined in it.
  func described(_ source: String, name: String, running: String) -> String {
    let writer = TemplateWriter(source: Array(source.unicodeScalars))
    let before = writer.source.prefix(place.offset ?? 0)
    let line = before.count { $0 == "\n" } + 1
    let start = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
    let column = String(String.UnicodeScalarView(before[start...])).utf8.count
    return "\(name):\(line):\(column): executing \(GoString.quote(running)) at <\(writer.text(self))>: "
  }
}

/// Parts of a template as Go shows them.
struct TemplateWriter {
  let source: [Unicode.Scalar]

  func text(_ spot: TemplateSpot) -> String {
    switch spot {
    case .pipeline(let pipeline): text(pipeline)
    case .command(let command): text(command)
    case .argument(let argument, let place): text(argument, place)
    }
  }

  private func text(_ pipeline: LogQL.Template.Pipeline) -> String {
    let variables = pipeline.variables.joined(separator: ", ")
    let sign = pipeline.variables.isEmpty ? "" : pipeline.isAssignment ? " = " : " := "
    return variables + sign + pipeline.commands.map(text).joined(separator: " | ")
  }

  private func text(_ command: LogQL.Template.Command) -> String {
    command.arguments.enumerated().map { index, argument in
      let shown = text(argument, command.place(index))
      if case .pipeline = argument { return "(\(shown))" }
      return shown
    }.joined(separator: " ")
  }

  func text(_ argument: LogQL.Template.Argument, _ place: LogQL.Template.Place) -> String {
    switch argument {
    case .dot: "."
    case .null: "nil"
    case .bool(let value): "\(value)"
    case .number(let number): number.text
    case .string(let value): literal(place) ?? GoString.quote(value)
    case .function(let name): name
    case .field(let path): path.map { "." + $0 }.joined()
    case .variable(let name, let path): name + path.map { "." + $0 }.joined()
    case .pipeline(let pipeline): text(pipeline)
    case .chain(.pipeline(let pipeline), let path): "(\(text(pipeline)))" + path.map { "." + $0 }.joined()
    case .chain(let base, let path): text(base, LogQL.Template.Place()) + path.map { "." + $0 }.joined()
    }
  }

  /// A string as it is written.
  private func literal(_ place: LogQL.Template.Place) -> String? {
    guard let start = place.offset, start < source.count, source[start] == "\"" || source[start] == "`" else {
      return nil
    }
    var end = start + 1
    while end < source.count, source[end] != source[start] {
      end += source[start] == "\"" && source[end] == "\\" ? 2 : 1
    }
    guard end < source.count else { return nil }
    return String(String.UnicodeScalarView(source[start...end]))
  }
}
