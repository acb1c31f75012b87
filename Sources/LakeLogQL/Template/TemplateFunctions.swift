extension LogQL.Template {
  /// Functions that templates may call: Go's own, Loki's, and those that Loki takes from the library sprig.
  package static let functions: Set<String> = Set(goFunctions + lokiFunctions + sprigFunctions)

  private static let goFunctions = [
    "and", "call", "html", "index", "slice", "js", "len", "not", "or", "print", "printf", "println", "urlquery", "eq",
    "ge", "gt", "le", "lt", "ne",
  ]

  private static let lokiFunctions = [
    "ToLower", "ToUpper", "Replace", "Trim", "TrimLeft", "TrimRight", "TrimPrefix", "TrimSuffix", "TrimSpace",
    "regexReplaceAll", "regexReplaceAllLiteral", "count", "urldecode", "urlencode", "bytes", "duration",
    "duration_seconds", "unixEpochMillis", "unixEpochNanos", "toDateInZone", "unixToTime", "alignLeft", "alignRight",
    "__line__", "__timestamp__",
  ]

  private static let sprigFunctions = [
    "b64enc", "b64dec", "lower", "upper", "title", "trunc", "substr", "contains", "hasPrefix", "hasSuffix", "indent",
    "nindent", "replace", "repeat", "trim", "trimAll", "trimSuffix", "trimPrefix", "int", "float64", "add", "sub",
    "mul", "div", "mod", "addf", "subf", "mulf", "divf", "max", "min", "maxf", "minf", "ceil", "floor", "round",
    "fromJson", "date", "toDate", "now", "unixEpoch", "default",
  ]
}
