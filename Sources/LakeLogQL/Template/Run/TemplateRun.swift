import LakeModel

/// One run of a template over one entry.
struct TemplateRun<Input: LogQL.TemplateInput> {
  typealias Template = LogQL.Template
  typealias Failure = LogQL.Template.Failure

  let template: Template
  let input: Input
  private var out = ""
  private var variables: [(name: String, value: TemplateValue)] = [("$", .labels)]
  private var steps = 0
  private var depth = 0

  /// The template's name when messages are to tell where it is.
  private let watched: String?
  private var running = ""
  private var spot: TemplateSpot?

  private enum Flow { case next, leaveLoop, nextRound }

  init(template: Template, input: Input, watching name: String? = nil) {
    self.template = template
    self.input = input
    watched = name
    running = name ?? ""
  }

  /// Where the run is, as Go tells it.
  var whereabouts: String {
    let name = watched ?? ""
    return spot?.described(template.source.text, name: name, running: running) ?? "\(name): "
  }

  private mutating func at(_ place: @autoclosure () -> TemplateSpot) { if watched != nil { spot = place() } }

  mutating func text() throws(Failure) -> String {
    _ = try walk(template.nodes, .labels)
    return out
  }

  private mutating func step() throws(Failure) {
    steps += 1
    if steps > Template.stepsMax { throw Failure("the template takes more than \(Template.stepsMax) steps") }
    if out.utf8.count > Template.outputBytesMax {
      throw Failure("the template makes more than \(Template.outputBytesMax) bytes")
    }
  }

  private mutating func walk(_ nodes: [Template.Node], _ dot: TemplateValue) throws(Failure) -> Flow {
    for node in nodes {
      try step()
      switch node {
      case .text(let text): out += text
      case .action(let pipeline):
        let value = try evaluate(pipeline, dot)
        if pipeline.variables.isEmpty { out += try printed(value) }
      case .branch(let branch):
        let flow = try walk(branch, dot)
        if flow != .next { return flow }
      case .call(let name, let pipeline): try call(name, pipeline, dot)
      case .leaveLoop: return .leaveLoop
      case .nextRound: return .nextRound
      }
    }
    return .next
  }

  private func printed(_ value: TemplateValue) throws(Failure) -> String {
    switch value {
    case .null: return "<no value>"
    case .labels: return "map[" + input.labels.map { "\($0.name):\($0.value)" }.joined(separator: " ") + "]"
    default: return value.text
    }
  }

  private mutating func walk(_ branch: Template.Branch, _ dot: TemplateValue) throws(Failure) -> Flow {
    let scope = variables.count
    defer { variables.removeLast(variables.count - scope) }
    if branch.kind == .range { return try loop(branch, dot) }
    let value = try evaluate(branch.pipeline, dot)
    guard value.isTrue(labelCount: { input.labels.count }) else { return try walk(branch.otherwise, dot) }
    return try walk(branch.body, branch.kind == .with ? value : dot)
  }

  private mutating func loop(_ branch: Template.Branch, _ dot: TemplateValue) throws(Failure) -> Flow {
    var pipeline = branch.pipeline
    pipeline.variables = []
    let value = try evaluate(pipeline, dot)
    if value.integer != nil && branch.pipeline.variables.count > 1 {
      throw Failure("can't use \(value.text) to iterate over more than one variable")
    }
    let items = try items(of: value)
    if items.isEmpty { return try walk(branch.otherwise, dot) }
    let names = branch.pipeline.variables
    let scope = variables.count
    for (key, value) in items {
      if branch.pipeline.isAssignment {
        if names.count > 1 { try assign(names[0], key) }
        if let last = names.last { try assign(last, value) }
      } else {
        if names.count > 1 { variables.append((names[0], key)) }
        if let last = names.last { variables.append((last, value)) }
      }
      let flow = try walk(branch.body, value)
      variables.removeLast(variables.count - scope)
      if flow == .leaveLoop { break }
    }
    return .next
  }

  private func items(of value: TemplateValue) throws(Failure) -> [(TemplateValue, TemplateValue)] {
    switch value {
    case .list(let values): return values.enumerated().map { (.int(Int64($0.offset)), $0.element) }
    case .map(let values):
      return values.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map { (.string($0.key), $0.value) }
    case .labels: return input.labels.map { (.string($0.name), .string($0.value)) }
    case .null: return []
    default:
      guard let count = value.integer else { throw Failure("range can't iterate over \(value.text)") }
      guard count <= Template.stepsMax else {
        throw Failure("the template takes more than \(Template.stepsMax) steps")
      }
      return stride(from: 0, to: max(0, count), by: 1).map { (.int($0), .int($0)) }
    }
  }

  private mutating func call(_ name: String, _ pipeline: Template.Pipeline?, _ dot: TemplateValue) throws(Failure) {
    guard let body = template.definitions[name] else {
      throw Failure("template \(GoString.quote(name)) not defined")
    }
    var argument = TemplateValue.null
    if let pipeline { argument = try evaluate(pipeline, dot) }
    depth += 1
    defer { depth -= 1 }
    if depth > 100 { throw Failure("exceeded maximum template depth (100)") }
    let outer = (variables, running)
    variables = [("$", argument)]
    running = name
    _ = try walk(body, argument)
    (variables, running) = outer
  }

  private mutating func assign(_ name: String, _ value: TemplateValue) throws(Failure) {
    guard let index = variables.lastIndex(where: { $0.name == name }) else {
      throw Failure("undefined variable: \(name)")
    }
    variables[index].value = value
  }

  // Values.

  private mutating func evaluate(_ pipeline: Template.Pipeline, _ dot: TemplateValue) throws(Failure) -> TemplateValue {
    at(.pipeline(pipeline))
    var value: TemplateValue?
    for command in pipeline.commands { value = try evaluate(command, dot, final: value) }
    let result = value ?? .null
    for name in pipeline.variables {
      if pipeline.isAssignment { try assign(name, result) } else { variables.append((name, result)) }
    }
    return result
  }

  private mutating func evaluate(_ command: Template.Command, _ dot: TemplateValue, final: TemplateValue?)
    throws(Failure) -> TemplateValue
  {
    try step()
    let first = command.arguments[0]
    switch first {
    case .function(let name): return try call(name, command, dot, final)
    case .field, .chain, .variable: break
    default:
      if case .pipeline = first {} else { at(.argument(first, command.place(0))) }
      if command.arguments.count > 1 || final != nil {
        throw Failure("can't give argument to non-function \(shown(first, command.place(0)))")
      }
    }
    // A method may take arguments; nothing else may.
    var arguments: [TemplateValue] = []
    for (index, argument) in command.arguments.enumerated().dropFirst() {
      arguments.append(try evaluate(argument, command.place(index), dot))
    }
    if let final { arguments.append(final) }
    return try evaluate(first, command.place(0), dot, arguments)
  }

  private func shown(_ argument: Template.Argument, _ place: Template.Place) -> String {
    TemplateWriter(source: Array(template.source.text.unicodeScalars)).text(argument, place)
  }

  /// - Parameter arguments: of a method at the end of a chain.
  private mutating func evaluate(
    _ argument: Template.Argument, _ place: Template.Place, _ dot: TemplateValue, _ arguments: [TemplateValue] = []
  ) throws(Failure) -> TemplateValue {
    at(.argument(argument, place))
    switch argument {
    case .dot: return dot
    case .null: throw Failure("nil is not a command")
    case .bool(let value): return .bool(value)
    case .string(let value): return .string(value)
    case .number(let number): return try TemplateRun.constant(number)
    case .function(let name):
      var command = Template.Command(arguments: [argument])
      command.places.all = [place]
      return try call(name, command, dot, nil)
    case .field(let path): return try follow(path, from: dot, arguments)
    case .variable(let name, let path):
      guard let value = variables.last(where: { $0.name == name })?.value else {
        throw Failure("undefined variable: \(name)")
      }
      if path.isEmpty && !arguments.isEmpty { throw Failure("can't give argument to non-function \(name)") }
      return try follow(path, from: value, arguments)
    case .pipeline(let pipeline):
      let scope = variables.count
      defer { variables.removeLast(variables.count - scope) }
      return try evaluate(pipeline, dot)
    case .chain(let base, let path):
      // A function's name ends where the chain goes on.
      var start = place
      if case .function(let name) = base { start.offset? -= name.unicodeScalars.count }
      if case .pipeline(let inner) = base { start = inner.place }
      return try follow(path, from: try evaluate(base, start, dot), arguments)
    }
  }

  private static func constant(_ number: Template.Number) throws(Failure) -> TemplateValue {
    let isFloat = number.text.contains { ".eEpP".contains($0) } && !number.text.lowercased().hasPrefix("0x")
    if isFloat || number.int == nil, let float = number.float, isFloat { return .float(float) }
    guard let int = number.int else { throw Failure("\(number.text) overflows int") }
    return .int(int)
  }

  private func follow(_ path: [String], from start: TemplateValue, _ arguments: [TemplateValue]) throws(Failure)
    -> TemplateValue
  {
    var value = start
    for (index, name) in path.enumerated() {
      value = try member(name, of: value, index == path.count - 1 ? arguments : [])
    }
    return value
  }

  private func member(_ name: String, of value: TemplateValue, _ arguments: [TemplateValue]) throws(Failure)
    -> TemplateValue
  {
    if case .time(let time) = value { return try time.method(name, arguments) }
    if !arguments.isEmpty && !value.isEmptyOfMembers {
      throw Failure("\(name) is not a method but has arguments")
    }
    switch value {
    case .labels: return .string(input.label(name) ?? "")
    case .map(let values): return values[name] ?? .null
    case .null: throw Failure("nil pointer evaluating interface {}.\(name)")
    default: throw Failure("can't evaluate field \(name) in type \(value.typeName)")
    }
  }

  private mutating func call(
    _ name: String, _ command: Template.Command, _ dot: TemplateValue, _ final: TemplateValue?
  ) throws(Failure) -> TemplateValue {
    at(.argument(command.arguments[0], command.place(0)))
    if name == "and" || name == "or" { return try shortCircuit(name, command, dot, final) }
    switch name {
    case "__line__": return .string(input.line)
    case "__timestamp__": return .time(GoTime(input.timestamp))
    case "now": return .time(GoTime(input.now))
    default: break
    }
    guard let function = TemplateFunction.all[name] else {
      throw Failure("\(GoString.quote(name)) is not a defined function")
    }
    let count = command.arguments.count - 1 + (final == nil ? 0 : 1)
    if let problem = function.problem(name, argumentCount: count) { throw Failure(problem) }
    var values: [TemplateValue] = []
    for (index, argument) in command.arguments.enumerated().dropFirst() {
      values.append(try evaluate(argument, command.place(index), as: function.kind(index - 1), dot))
    }
    if let final { values.append(try function.kind(values.count).checked(final)) }
    let input = input
    do throws(Failure) {
      return try function.run(values, TemplateEnvironment(now: GoTime(input.now), labels: { input.labels }))
    } catch {
      at(.command(command))
      throw Failure("error calling \(name): \(error.message)")
    }
  }

  private mutating func evaluate(
    _ argument: Template.Argument, _ place: Template.Place, as kind: TemplateFunction.Kind, _ dot: TemplateValue
  ) throws(Failure) -> TemplateValue {
    at(.argument(argument, place))
    switch argument {
    case .number(let number):
      if let value = try kind.constant(number) { return value }
      return try TemplateRun.constant(number)
    case .null:
      if kind == .any { return .null }
      throw Failure("cannot assign nil to \(kind.typeName)")
    case .string where kind != .any && kind != .string, .bool where kind != .any:
      throw Failure(kind.refusal(of: shown(argument, place)))
    default: return try kind.checked(try evaluate(argument, place, dot))
    }
  }

  private mutating func shortCircuit(
    _ name: String, _ command: Template.Command, _ dot: TemplateValue, _ final: TemplateValue?
  ) throws(Failure) -> TemplateValue {
    if command.arguments.count == 1 && final == nil {
      throw Failure("wrong number of args for \(name): want at least 1 got 0")
    }
    var value = TemplateValue.null
    for (index, argument) in command.arguments.enumerated().dropFirst() {
      value = try evaluate(argument, command.place(index), as: .any, dot)
      if value.isTrue(labelCount: { input.labels.count }) == (name == "or") { return value }
    }
    return final ?? value
  }
}

extension TemplateValue {
  fileprivate var isEmptyOfMembers: Bool {
    switch self {
    case .labels, .map: false
    default: true
    }
  }
}

/// What functions may see beside their arguments.
struct TemplateEnvironment {
  let now: GoTime
  let labels: () -> [(name: String, value: String)]
}
