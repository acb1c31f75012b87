extension Parser {
  /// Stages up to something that begins none. A `| unwrap` is left for the caller when `allowsUnwrap`.
  ///
  /// - Returns: the stages, and whether the bar before `unwrap` has been taken.
  mutating func stages(allowsUnwrap: Bool = false) throws(LogQL.SyntaxError) -> (stages: [LogQL.Stage], unwrap: Bool) {
    var stages: [LogQL.Stage] = []
    while true {
      if let operation = LogQL.LineFilter.Operation(token.kind) {
        try lineFilters(operation, into: &stages)
      } else if try takeIf(.pipe) {
        if allowsUnwrap && token.kind == .unwrap { return (stages, true) }
        stages.append(try stage())
      } else {
        return (stages, false)
      }
    }
  }

  /// One filter with its alternatives. None of several being there is each of them not being there.
  private mutating func lineFilters(_ operation: LogQL.LineFilter.Operation, into stages: inout [LogQL.Stage])
    throws(LogQL.SyntaxError)
  {
    let start = try take().position
    var operands = [try lineFilterOperand()]
    while try takeIf(.or) { operands.append(try lineFilterOperand()) }
    if operation.isNegated {
      for operand in operands { stages.append(.lineFilter(LogQL.LineFilter(operation, [operand], position: start))) }
    } else {
      stages.append(.lineFilter(LogQL.LineFilter(operation, operands, position: start)))
    }
  }

  private mutating func lineFilterOperand() throws(LogQL.SyntaxError) -> LogQL.LineFilter.Operand {
    if try takeIf(.ip) { return .ip(try parenthesizedString()) }
    return .text(try expect(.string, or: .ip).text)
  }

  private mutating func parenthesizedString() throws(LogQL.SyntaxError) -> String {
    try expect(.openParenthesis)
    let text = try expect(.string).text
    try expect(.closeParenthesis)
    return text
  }

  /// What comes after a bar.
  private mutating func stage() throws(LogQL.SyntaxError) -> LogQL.Stage {
    switch token.kind {
    case .identifier, .openParenthesis: return .labelFilter(try labelFilter())
    case .json:
      try take()
      return .json(token.kind == .identifier ? try extractions() : [])
    case .logfmt: return try logfmt()
    case .regexp: return try regexp()
    case .pattern: return try pattern()
    case .unpack:
      try take()
      return .unpack
    case .lineFormat:
      try take()
      return .lineFormat(try expect(.string).text)
    case .labelFormat:
      try take()
      return .labelFormat(try labelFormats())
    case .decolorize:
      try take()
      return .decolorize
    case .drop:
      try take()
      return .drop(try labelChoices())
    case .keep:
      try take()
      return .keep(try labelChoices())
    default: throw unexpected()
    }
  }

  private mutating func logfmt() throws(LogQL.SyntaxError) -> LogQL.Stage {
    try take()
    var stage = LogQL.Logfmt()
    while token.kind == .functionFlag {
      if try take().text == "--strict" { stage.isStrict = true } else { stage.keepsEmpty = true }
    }
    if token.kind == .identifier { stage.extractions = try extractions() }
    return .logfmt(stage)
  }

  private mutating func regexp() throws(LogQL.SyntaxError) -> LogQL.Stage {
    try take()
    guard token.kind == .string else { throw unexpected([.string]) }
    let text = token.text
    if let problem = StageCheck.regexpParserProblem(text) {
      throw LogQL.SyntaxError("invalid regexp parser: \(problem)")
    }
    try take()
    return .regexp(text)
  }

  private mutating func pattern() throws(LogQL.SyntaxError) -> LogQL.Stage {
    try take()
    guard token.kind == .string else { throw unexpected([.string]) }
    let text = token.text
    if case .failure(let problem) = LogQL.LinePattern.parser(text) {
      throw LogQL.SyntaxError("invalid pattern parser: \(problem.message)")
    }
    try take()
    return .pattern(text)
  }

  /// `a="x", b`.
  private mutating func extractions() throws(LogQL.SyntaxError) -> [LogQL.Extraction] {
    var extractions: [LogQL.Extraction] = []
    repeat {
      let label = try expect(.identifier).text
      let expression = try takeIf(.equal) ? try expect(.string).text : label
      extractions.append(LogQL.Extraction(label, expression))
    } while try takeIf(.comma)
    return extractions
  }

  /// `a=b, c="{{.d}}"`.
  private mutating func labelFormats() throws(LogQL.SyntaxError) -> [LogQL.LabelFormat] {
    var formats: [LogQL.LabelFormat] = []
    repeat {
      let label = try expect(.identifier).text
      try expect(.equal)
      guard token.kind == .identifier || token.kind == .string else { throw unexpected([.identifier, .string]) }
      let source = try take()
      formats.append(
        LogQL.LabelFormat(label, source.kind == .identifier ? .label(source.text) : .template(source.text)))
    } while try takeIf(.comma)
    return formats
  }

  /// `a, b="x"` of drop and keep.
  private mutating func labelChoices() throws(LogQL.SyntaxError) -> [LogQL.LabelChoice] {
    var choices: [LogQL.LabelChoice] = []
    repeat {
      let name = try expect(.identifier)
      if let operation = LogQL.Matcher.Operation(token.kind) {
        try take()
        choices.append(.matching(try matcher(name, operation)))
      } else {
        choices.append(.name(name.text))
      }
    } while try takeIf(.comma)
    return choices
  }
}

extension LogQL.LineFilter.Operation {
  init?(_ kind: TokenKind) {
    switch kind {
    case .pipeExact: self = .contains
    case .notEqual: self = .notContains
    case .pipeMatch: self = .matches
    case .notMatches: self = .notMatches
    case .pipePattern: self = .pattern
    case .notPattern: self = .notPattern
    default: return nil
    }
  }
}
