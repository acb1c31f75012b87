package import LakeModel

extension LogQL {
  /// What a template sees of one entry.
  package protocol TemplateInput {
    /// The value of a label, nil when there is none.
    func label(_ name: String) -> String?
    /// Every label, ascending by name: what `range` over `.` goes through.
    var labels: [(name: String, value: String)] { get }
    /// `__line__`
    var line: String { get }
    /// `__timestamp__`
    var timestamp: Timestamp { get }
    /// `now`: one for a whole query, so that a query gives one answer.
    var now: Timestamp { get }
  }
}

extension LogQL.Template {
  /// The template went wrong with this entry; Loki keeps the line and says `TemplateFormatErr`.
  package struct Failure: Error, Hashable, Sendable {
    /// Go's words for it, without the place in the template.
    package let message: String
    package init(_ message: String) { self.message = message }
  }

  /// Bytes that one run may make at most, and steps it may take: templates can loop.
  package static let outputBytesMax = 1 << 20
  package static let stepsMax = 100_000

  /// The text that the template makes of an entry.
  package func run(_ input: some LogQL.TemplateInput) throws(Failure) -> String {
    var run = TemplateRun(template: self, input: input)
    return try run.text()
  }

  /// Go's words for what went wrong with this entry and where: `template: line:1:5: executing "line" at <duration .ip>: ...`.
  ///
  /// Runs the template again, with an eye on where it is: rows that do not fail need not pay for that.
  package func explanation(of failure: Failure, name: String, _ input: some LogQL.TemplateInput) -> String {
    var run = TemplateRun(template: self, input: input, watching: name)
    do throws(Failure) { _ = try run.text() } catch { return "template: \(run.whereabouts)\(error.message)" }
    return "template: \(name): \(failure.message)"
  }

  /// The label that the template copies and nothing else, as `{{.message}}` does.
  package var copiedLabel: String? {
    guard nodes.count == 1, case .action(let pipeline) = nodes[0], pipeline.variables.isEmpty,
      pipeline.commands.count == 1, pipeline.commands[0].arguments.count == 1,
      case .field(let path) = pipeline.commands[0].arguments[0], path.count == 1
    else { return nil }
    return path[0]
  }
}
