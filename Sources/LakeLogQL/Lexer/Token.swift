/// What the lexer makes of the text. Kinds stand in the order in which Loki's messages list what was expected.
enum TokenKind: UInt8, CaseIterable {
  case bytes, identifier, string, number, functionFlag, duration, range
  case equal, matches, notMatches, notPattern, openBrace, closeBrace, openBracket, closeBracket, comma, dot
  case pipeMatch, pipeExact, pipePattern, openParenthesis, closeParenthesis, by, without
  case countOverTime, rate, rateCounter, sum, sort, sortDesc, avg, max, min, count, stddev, stdvar, bottomk, topk
  case approxTopk, bytesOverTime, bytesRate, bool, json, regexp, logfmt, pipe, lineFormat, labelFormat, unwrap
  case avgOverTime, sumOverTime, minOverTime, maxOverTime, stdvarOverTime, stddevOverTime, quantileOverTime
  case bytesConversion, durationConversion, durationSecondsConversion, firstOverTime, lastOverTime, absentOverTime
  case vector, labelReplace, unpack, offset, pattern, ip, on, ignoring, groupLeft, groupRight, decolorize, drop, keep
  case variants, of
  case or, and, unless, compareEqual, notEqual, less, lessOrEqual, greater, greaterOrEqual
  case add, subtract, multiply, divide, modulo, power
  case end
}

extension TokenKind {
  /// Words and signs that are tokens wherever they stand (letters in either case).
  static let fixed: [String: TokenKind] = [
    ",": .comma, ".": .dot, "{": .openBrace, "}": .closeBrace, "=": .equal, "!=": .notEqual, "=~": .matches,
    "!~": .notMatches, "!>": .notPattern, "|=": .pipeExact, "|~": .pipeMatch, "|>": .pipePattern, "|": .pipe,
    "unwrap": .unwrap, "(": .openParenthesis, ")": .closeParenthesis, "by": .by, "without": .without, "bool": .bool,
    "[": .openBracket, "]": .closeBracket, "label_replace": .labelReplace, "offset": .offset, "on": .on,
    "ignoring": .ignoring, "group_left": .groupLeft, "group_right": .groupRight, "or": .or, "and": .and,
    "unless": .unless, "+": .add, "-": .subtract, "*": .multiply, "/": .divide, "%": .modulo, "^": .power,
    "==": .compareEqual, ">": .greater, ">=": .greaterOrEqual, "<": .less, "<=": .lessOrEqual, "json": .json,
    "regexp": .regexp, "logfmt": .logfmt, "unpack": .unpack, "pattern": .pattern, "label_format": .labelFormat,
    "line_format": .lineFormat, "ip": .ip, "decolorize": .decolorize, "drop": .drop, "keep": .keep,
    "variants": .variants, "of": .of,
  ]

  /// Words that are tokens only as a function's name, that is before `(`, `by (` or `without (`; elsewhere identifiers.
  static let functions: [String: TokenKind] = [
    "rate": .rate, "rate_counter": .rateCounter, "count_over_time": .countOverTime, "bytes_rate": .bytesRate,
    "bytes_over_time": .bytesOverTime, "avg_over_time": .avgOverTime, "sum_over_time": .sumOverTime,
    "min_over_time": .minOverTime, "max_over_time": .maxOverTime, "stdvar_over_time": .stdvarOverTime,
    "stddev_over_time": .stddevOverTime, "quantile_over_time": .quantileOverTime, "first_over_time": .firstOverTime,
    "last_over_time": .lastOverTime, "absent_over_time": .absentOverTime, "vector": .vector, "sum": .sum, "avg": .avg,
    "max": .max, "min": .min, "count": .count, "stddev": .stddev, "stdvar": .stdvar, "bottomk": .bottomk,
    "topk": .topk, "sort": .sort, "sort_desc": .sortDesc, "label_replace": .labelReplace, "approx_topk": .approxTopk,
    "bytes": .bytesConversion, "duration": .durationConversion, "duration_seconds": .durationSecondsConversion,
    "ip": .ip,
  ]

  /// As messages name it: signs and words as written, the others by Loki's name of the class.
  var name: String { TokenKind.names[Int(rawValue)] }

  private static let names: [String] = {
    var names = [String](repeating: "", count: allCases.count)
    for kind in allCases {
      names[Int(kind.rawValue)] = upperSnake("\(kind)")
    }
    let conversions: [(TokenKind, String)] = [
      (.bytesConversion, "BYTES_CONV"), (.durationConversion, "DURATION_CONV"),
      (.durationSecondsConversion, "DURATION_SECONDS_CONV"), (.end, "$end"),
    ]
    for (kind, name) in conversions { names[Int(kind.rawValue)] = name }
    for (text, kind) in fixed { names[Int(kind.rawValue)] = text }
    return names
  }()

  /// `countOverTime` -> `COUNT_OVER_TIME`.
  private static func upperSnake(_ camel: String) -> String {
    var out = ""
    for character in camel {
      if character.isUppercase { out.append("_") }
      out.append(contentsOf: character.uppercased())
    }
    return out
  }
}

struct Token {
  var kind: TokenKind
  /// Text of identifiers, numbers and flags, contents of strings.
  var text = ""
  /// Of durations and ranges.
  var duration = Duration.zero
  /// Of bytes.
  var size: UInt64 = 0
  var position: LogQL.Position
  /// The line that messages give: 0 where Loki's scanner has lost it (tokens of several pieces).
  var reportedLine: Int
}
