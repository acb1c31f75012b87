// What stands between the parentheses of a range aggregation. The interval may come before or after the pipeline, inside
// or outside of parentheses of its own, in just these forms:
//
//     selector [pipeline] [unwrap] RANGE [offset]
//     selector RANGE [offset] [pipeline] [unwrap]
//     ( selector [pipeline] [unwrap] ) RANGE [offset]
//     ( selector ) RANGE [offset] unwrap
//     ( log range )
extension Parser {
  mutating func logRange() throws(LogQL.SyntaxError) -> LogQL.LogRange {
    guard try takeIf(.openParenthesis) else {
      guard token.kind == .openBrace else { throw unexpected([.openBrace, .openParenthesis]) }
      let selector = try self.selector()
      return try bareLogRange(selector)
    }
    if token.kind == .openParenthesis {
      let inner = try nested { parser throws(LogQL.SyntaxError) in try parser.logRange() }
      try expect(.closeParenthesis)
      return inner
    }
    guard token.kind == .openBrace else { throw unexpected([.openBrace, .openParenthesis]) }
    let selector = try self.selector()
    if token.kind == .range {
      let inner = try rangeFirst(selector)
      try expect(.closeParenthesis)
      return inner
    }
    let (logs, unwrap) = try linesBeforeRange(selector)
    if token.kind == .range {
      let inner = try rangeLast(logs, unwrap)
      try expect(.closeParenthesis)
      return inner
    }
    guard token.kind == .closeParenthesis else {
      throw unexpected(unwrap == nil ? [] : [.range, .closeParenthesis, .pipe])
    }
    try take()
    return try rangeAfterParenthesis(logs, unwrap)
  }

  private mutating func bareLogRange(_ selector: LogQL.Selector) throws(LogQL.SyntaxError) -> LogQL.LogRange {
    if token.kind == .range { return try rangeFirst(selector) }
    let (logs, unwrap) = try linesBeforeRange(selector)
    guard token.kind == .range else { throw unexpected(unwrap == nil ? [] : [.range, .pipe]) }
    return try rangeLast(logs, unwrap)
  }

  /// Pipeline and unwrap that stand before the interval.
  private mutating func linesBeforeRange(_ selector: LogQL.Selector) throws(LogQL.SyntaxError)
    -> (LogQL.LogExpression, LogQL.Unwrap?)
  {
    let (stages, hasUnwrap) = try self.stages(allowsUnwrap: true)
    return (LogQL.LogExpression(selector: selector, stages: stages), hasUnwrap ? try unwrap() : nil)
  }

  private mutating func rangeLast(_ logs: LogQL.LogExpression, _ unwrap: LogQL.Unwrap?) throws(LogQL.SyntaxError)
    -> LogQL.LogRange
  {
    let interval = try take().duration
    return LogQL.LogRange(logs, interval: interval, offset: try offset(), unwrap: unwrap)
  }

  private mutating func rangeFirst(_ selector: LogQL.Selector) throws(LogQL.SyntaxError) -> LogQL.LogRange {
    let interval = try take().duration
    let offset = try self.offset()
    let (logs, unwrap) = try linesBeforeRange(selector)
    return LogQL.LogRange(logs, interval: interval, offset: offset, unwrap: unwrap)
  }

  private mutating func rangeAfterParenthesis(_ logs: LogQL.LogExpression, _ unwrap: LogQL.Unwrap?)
    throws(LogQL.SyntaxError) -> LogQL.LogRange
  {
    guard token.kind == .range else { throw unexpected([.range]) }
    var range = try rangeLast(logs, unwrap)
    guard logs.stages.isEmpty, unwrap == nil, token.kind == .pipe else { return range }
    try take()
    guard token.kind == .unwrap else { throw unexpected([.unwrap]) }
    range.unwrap = try self.unwrap()
    return range
  }

  /// From the word `unwrap` on.
  private mutating func unwrap() throws(LogQL.SyntaxError) -> LogQL.Unwrap {
    try take()
    var unwrap: LogQL.Unwrap
    if let conversion = LogQL.Unwrap.Conversion(token.kind) {
      try take()
      try expect(.openParenthesis)
      unwrap = LogQL.Unwrap(try expect(.identifier).text, conversion: conversion)
      try expect(.closeParenthesis)
    } else {
      unwrap = LogQL.Unwrap(
        try expect(.identifier, or: .bytesConversion, .durationConversion, .durationSecondsConversion).text)
    }
    while try takeIf(.pipe) {
      guard token.kind == .identifier || token.kind == .openParenthesis else {
        throw unexpected([.identifier, .openParenthesis])
      }
      unwrap.filters.append(try labelFilter())
    }
    return unwrap
  }

  private mutating func offset() throws(LogQL.SyntaxError) -> Duration {
    try takeIf(.offset) ? try expect(.duration).duration : .zero
  }
}

extension LogQL.Unwrap.Conversion {
  init?(_ kind: TokenKind) {
    switch kind {
    case .bytesConversion: self = .bytes
    case .durationConversion: self = .duration
    case .durationSecondsConversion: self = .durationSeconds
    default: return nil
    }
  }
}
