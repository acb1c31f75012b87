/// Shows where in a query the server found what is wrong:
///
///     {app="api"} | json | | x
///                          ^
package enum QueryMark {
  /// Characters shown of a longer line, before and behind the place.
  private static let before = 60
  private static let behind = 30

  /// - Parameter message: the server's, `... at line 1, col 22: ...`; line 0 is one that Loki does not know.
  /// - Returns: two lines without a line end; nil when the message names no place in the query.
  package static func text(_ message: String, in query: String) -> String? {
    guard let place = place(message) else { return nil }
    let lines = query.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false)
    let number = place.line == 0 && lines.count == 1 ? 1 : place.line
    guard lines.indices.contains(number - 1) else { return nil }
    let line = Array(lines[number - 1])
    guard (1...line.count + 1).contains(place.column) else { return nil }
    let at = place.column - 1
    let first = at > before ? at - before : 0
    let end = min(line.count, at + behind)
    var shown = first > 0 ? "…" : ""
    var space = first > 0 ? " " : ""
    for index in first..<end {
      let scalar = line[index]
      let isPlain = scalar.value >= 32 && !(127..<160).contains(scalar.value) || scalar == "\t"
      shown.unicodeScalars.append(isPlain ? scalar : " ")
      if index < at { space += scalar == "\t" ? "\t" : " " }
    }
    return "  \(shown)\(end < line.count ? "…" : "")\n  \(space)^"
  }

  private static func place(_ message: String) -> (line: Int, column: Int)? {
    guard let line = number(after: "at line ", in: message), let column = number(after: ", col ", in: line.rest) else {
      return nil
    }
    return (line.number, column.number)
  }

  private static func number(after words: String, in text: some StringProtocol) -> (number: Int, rest: Substring)? {
    var rest = Substring(text)
    while !rest.hasPrefix(words) {
      if rest.popFirst() == nil { return nil }
    }
    let digits = rest.dropFirst(words.count).prefix { ("0"..."9").contains($0) }
    return Int(digits).map { ($0, rest[digits.endIndex...]) }
  }
}
