import LakeModel

/// Builds the tree of a template, with Go's messages.
struct TemplateParser {
  typealias Malformed = LogQL.Template.Malformed
  typealias Node = LogQL.Template.Node
  typealias Place = LogQL.Template.Place

  private var lexer: TemplateLexer
  private let text: String
  private let name: String
  /// Tokens put back, the next one last.
  private var pending: [TemplateToken] = []
  private var line = 1
  private var variables = ["$"]
  private var rangeDepth = 0
  private var depth = 0
  /// Where the action began that is being read.
  private var actionLine = 0
  private var definitions: [String: [Node]] = [:]

  init(_ text: String, name: String) throws(Malformed) {
    lexer = TemplateLexer(text)
    self.text = text
    self.name = name
  }

  mutating func template() throws(Malformed) -> LogQL.Template {
    var nodes: [Node] = []
    while peek().kind != .end {
      if peek().kind == .leftDelimiter {
        let delimiter = next()
        let token = nextNonSpace()
        if token.kind == .define {
          try definition()
          continue
        }
        pending.append(token)
        pending.append(delimiter)
      }
      switch try textOrAction() {
      case .node(let node): if let node { nodes.append(node) }
      case .end: throw failure("unexpected {{end}}")
      case .otherwise: throw failure("unexpected {{else}}")
      }
    }
    var template = LogQL.Template(nodes: nodes, definitions: definitions)
    template.source = LogQL.Template.Source(text)
    return template
  }

  private mutating func next() -> TemplateToken {
    let token = pending.popLast() ?? lexer.next()
    line = token.line
    return token
  }

  private mutating func peek() -> TemplateToken {
    let token = next()
    pending.append(token)
    return token
  }

  private mutating func nextNonSpace() -> TemplateToken {
    while true {
      let token = next()
      if token.kind != .space { return token }
    }
  }

  private mutating func peekNonSpace() -> TemplateToken {
    let token = nextNonSpace()
    pending.append(token)
    return token
  }

  private func failure(_ message: String) -> Malformed { Malformed(message: "template: \(name):\(line): \(message)") }

  private func unexpected(_ token: TemplateToken, _ context: String) -> Malformed {
    guard token.kind == .error else { return failure("unexpected \(token.shown) in \(context)") }
    var extra = ""
    if actionLine != 0 && actionLine != token.line {
      extra = token.text.hasSuffix(" action") ? "" : " in action"
      extra += " started at \(name):\(actionLine)"
    }
    return failure(token.text + extra)
  }

  @discardableResult
  private mutating func expect(_ kinds: TemplateToken.Kind..., in context: String) throws(Malformed) -> TemplateToken {
    let token = nextNonSpace()
    guard kinds.contains(token.kind) else { throw unexpected(token, context) }
    return token
  }

  private enum Item {
    /// nil for what leaves nothing behind.
    case node(Node?)
    case end
    case otherwise
  }

  private mutating func textOrAction() throws(Malformed) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .text: return .node(.text(token.text))
    case .leftDelimiter:
      actionLine = token.line
      defer { actionLine = 0 }
      return try action()
    default: throw unexpected(token, "input")
    }
  }

  private mutating func action() throws(Malformed) -> Item {
    let token = nextNonSpace()
    switch token.kind {
    case .block: return .node(try block())
    case .breakLoop: return .node(try loopControl("break", .leaveLoop))
    case .continueLoop: return .node(try loopControl("continue", .nextRound))
    case .otherwise:
      // `{{else if` and `{{else with` are followed by the branch itself.
      let following = peekNonSpace().kind
      if following != .ifBranch && following != .with { try expect(.rightDelimiter, in: "else") }
      return .otherwise
    case .endBlock:
      try expect(.rightDelimiter, in: "end")
      return .end
    case .ifBranch: return .node(try branch(.if))
    case .range: return .node(try branch(.range))
    case .with: return .node(try branch(.with))
    case .template: return .node(try call())
    default:
      pending.append(token)
      return .node(.action(try pipeline("command", until: .rightDelimiter)))
    }
  }

  private mutating func items() throws(Malformed) -> (nodes: [Node], end: Item) {
    var nodes: [Node] = []
    while peekNonSpace().kind != .end {
      switch try textOrAction() {
      case .node(let node): if let node { nodes.append(node) }
      case let end: return (nodes, end)
      }
    }
    throw failure("unexpected EOF")
  }

  private mutating func branch(_ kind: LogQL.Template.Branch.Kind) throws(Malformed) -> Node {
    depth += 1
    defer { depth -= 1 }
    if depth > LogQL.depthMax { throw failure("nests too deeply") }
    let scope = variables.count
    defer { variables.removeLast(variables.count - scope) }
    let pipeline = try pipeline(kind.rawValue, until: .rightDelimiter)
    if kind == .range { rangeDepth += 1 }
    let (body, end) = try items()
    if kind == .range { rangeDepth -= 1 }
    var otherwise: [Node] = []
    if case .otherwise = end {
      let following = peek().kind
      if kind == .if && following == .ifBranch || kind == .with && following == .with {
        _ = next()
        otherwise = [try branch(kind)]
      } else {
        let (nodes, end) = try items()
        guard case .end = end else { throw failure("expected end; found {{else}}") }
        otherwise = nodes
      }
    }
    return .branch(LogQL.Template.Branch(kind: kind, pipeline: pipeline, body: body, otherwise: otherwise))
  }

  private mutating func loopControl(_ word: String, _ node: Node) throws(Malformed) -> Node {
    try expect(.rightDelimiter, in: "{{\(word)}}")
    if rangeDepth == 0 { throw failure("{{\(word)}} outside {{range}}") }
    return node
  }

  private mutating func templateName(_ context: String) throws(Malformed) -> String {
    try unquote(try expect(.string, .rawString, in: context))
  }

  private mutating func definition() throws(Malformed) {
    let context = "define clause"
    let name = try templateName(context)
    try expect(.rightDelimiter, in: context)
    try define(name, try isolated(context))
  }

  private mutating func block() throws(Malformed) -> Node {
    let context = "block clause"
    let name = try templateName(context)
    let pipeline = try pipeline(context, until: .rightDelimiter)
    try define(name, try isolated(context))
    return .call(name: name, pipeline)
  }

  /// The nodes up to `{{end}}`, with variables and loops of their own.
  private mutating func isolated(_ context: String) throws(Malformed) -> [Node] {
    let outer = (variables, rangeDepth)
    (variables, rangeDepth) = (["$"], 0)
    defer { (variables, rangeDepth) = outer }
    depth += 1
    defer { depth -= 1 }
    if depth > LogQL.depthMax { throw failure("nests too deeply") }
    let (nodes, end) = try items()
    guard case .end = end else { throw failure("unexpected {{else}} in \(context)") }
    return nodes
  }

  private mutating func define(_ name: String, _ nodes: [Node]) throws(Malformed) {
    if TemplateParser.isBlank(nodes) && definitions[name] != nil { return }
    if let known = definitions[name], !TemplateParser.isBlank(known) {
      throw failure("template: multiple definition of template \(GoString.quote(name))")
    }
    definitions[name] = nodes
  }

  private static func isBlank(_ nodes: [Node]) -> Bool {
    nodes.allSatisfy { node in
      if case .text(let text) = node { text.unicodeScalars.allSatisfy(GoText.isSpace) } else { false }
    }
  }

  private mutating func call() throws(Malformed) -> Node {
    let context = "template clause"
    let name = try templateName(context)
    if peekNonSpace().kind == .rightDelimiter {
      _ = nextNonSpace()
      return .call(name: name, nil)
    }
    return .call(name: name, try pipeline(context, until: .rightDelimiter))
  }

  private mutating func pipeline(_ context: String, until end: TemplateToken.Kind) throws(Malformed)
    -> LogQL.Template.Pipeline
  {
    depth += 1
    defer { depth -= 1 }
    if depth > LogQL.depthMax { throw failure("nests too deeply") }
    var pipeline = LogQL.Template.Pipeline(variables: [], isAssignment: false, commands: [])
    pipeline.place = Place(peekNonSpace().place)
    try declarations(context, &pipeline)
    while true {
      let token = nextNonSpace()
      if token.kind == end { break }
      switch token.kind {
      case .bool, .character, .complex, .dot, .field, .identifier, .number, .null, .rawString, .string, .variable,
        .leftParenthesis:
        pending.append(token)
        pipeline.commands.append(try command())
      default: throw unexpected(token, context)
      }
    }
    if pipeline.commands.isEmpty { throw failure("missing value for \(context)") }
    for (index, command) in pipeline.commands.enumerated().dropFirst() {
      switch command.arguments[0] {
      case .bool, .dot, .null, .number, .string:
        throw failure("non executable command in pipeline stage \(index + 1)")
      default: break
      }
    }
    return pipeline
  }

  private mutating func declarations(_ context: String, _ pipeline: inout LogQL.Template.Pipeline) throws(Malformed) {
    while peekNonSpace().kind == .variable {
      let variable = nextNonSpace()
      let after = peek()
      let following = peekNonSpace()
      if following.kind == .assign || following.kind == .declare {
        pipeline.isAssignment = following.kind == .assign
        _ = nextNonSpace()
        pipeline.variables.append(variable.text)
        variables.append(variable.text)
        return
      }
      guard following.kind == .sign, following.text == "," else {
        if after.kind == .space { pending.append(after) }
        pending.append(variable)
        return
      }
      _ = nextNonSpace()
      pipeline.variables.append(variable.text)
      variables.append(variable.text)
      guard context == "range", pipeline.variables.count < 2 else {
        throw failure("too many declarations in \(context)")
      }
      switch peekNonSpace().kind {
      case .variable, .rightDelimiter, .rightParenthesis: continue
      default: throw failure("range can only initialize variables")
      }
    }
  }

  private mutating func command() throws(Malformed) -> LogQL.Template.Command {
    var command = LogQL.Template.Command(arguments: [])
    while true {
      _ = peekNonSpace()
      if let (operand, place) = try operand() {
        command.arguments.append(operand)
        command.places.all.append(place)
      }
      let token = next()
      switch token.kind {
      case .space: continue
      case .rightDelimiter, .rightParenthesis: pending.append(token)
      case .pipe: break
      default: throw unexpected(token, "operand")
      }
      break
    }
    if command.arguments.isEmpty { throw failure("empty command") }
    return command
  }

  private mutating func operand() throws(Malformed) -> (LogQL.Template.Argument, Place)? {
    let first = peekNonSpace()
    guard let term = try term() else { return nil }
    guard peek().kind == .field else {
      // What stands in parentheses is where its contents are.
      if case .pipeline(let inner) = term { return (term, inner.place) }
      return (term, Place(first.place))
    }
    // A chain is where its second part is.
    let place = Place(peek().place)
    var names: [String] = []
    while peek().kind == .field { names.append(String(next().text.dropFirst())) }
    switch term {
    case .field(let path): return (.field(path + names), place)
    case .variable(let name, let path): return (.variable(name, path + names), place)
    case .bool, .string, .number, .null, .dot:
      throw failure("unexpected . after term \(GoString.quote(first.text))")
    default: return (.chain(term, names), place)
    }
  }

  private mutating func term() throws(Malformed) -> LogQL.Template.Argument? {
    let token = nextNonSpace()
    switch token.kind {
    case .identifier:
      guard LogQL.Template.functions.contains(token.text) else {
        throw failure("function \(GoString.quote(token.text)) not defined")
      }
      return .function(token.text)
    case .dot: return .dot
    case .null: return .null
    case .variable:
      guard variables.contains(token.text) else {
        throw failure("undefined variable \(GoString.quote(token.text))")
      }
      return .variable(token.text, [])
    case .field: return .field([String(token.text.dropFirst())])
    case .bool: return .bool(token.text == "true")
    case .number, .character, .complex: return .number(try number(token))
    case .leftParenthesis: return .pipeline(try pipeline("parenthesized pipeline", until: .rightParenthesis))
    case .string, .rawString: return .string(try unquote(token))
    default:
      pending.append(token)
      return nil
    }
  }

  private func unquote(_ token: TemplateToken) throws(Malformed) -> String {
    guard let text = GoString.unquote(Array(token.text.unicodeScalars)[...]) else { throw failure("invalid syntax") }
    return text
  }

  private func number(_ token: TemplateToken) throws(Malformed) -> LogQL.Template.Number {
    let quoted = GoString.quote(token.text)
    switch token.kind {
    case .character:
      guard let text = GoString.unquote(Array(token.text.unicodeScalars)[...]), !text.isEmpty else {
        throw failure("invalid syntax")
      }
      guard text.unicodeScalars.count == 1 else { throw failure("malformed character constant: \(token.text)") }
      let value = text.unicodeScalars.first!.value
      return LogQL.Template.Number(
        text: token.text, int: Int64(value), unsigned: UInt64(value), float: Double(value))
    case .complex: throw failure("complex numbers are not supported: \(quoted)")
    default: break
    }
    if token.text.hasSuffix("i") { throw failure("complex numbers are not supported: \(quoted)") }
    let (int, unsigned) = GoInteger.parse(token.text)
    var number = LogQL.Template.Number(text: token.text, int: int, unsigned: unsigned)
    if let int {
      number.float = Double(int)
    } else if let unsigned {
      number.float = Double(unsigned)
    } else if let float = FloatText.parse(token.text).value {
      if !token.text.contains(where: { ".eEpP".contains($0) }) { throw failure("integer overflow: \(quoted)") }
      number.float = float
      number.int = Int64(exactly: float)
      number.unsigned = UInt64(exactly: float)
    }
    if number.int == nil && number.unsigned == nil && number.float == nil {
      throw failure("illegal number syntax: \(quoted)")
    }
    return number
  }
}
