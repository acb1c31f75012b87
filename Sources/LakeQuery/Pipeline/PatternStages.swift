import LakeLogQL
import LakeModel
import LakeRegex

/// `| regexp "(?P<name>...)"`: named groups become labels; a line that does not match stays as it is.
struct RegexpStage: Sendable {
  private let expression: RE2Pattern
  /// By group number.
  private let names: [(group: Int, name: FixedBytes)]
  let hints: ParserHints

  init(_ text: String, _ hints: ParserHints) throws(QueryError) {
    do { expression = try RE2Pattern(text) } catch { throw .invalid("error parsing regexp: \(error.message)") }
    self.hints = hints
    var names: [(Int, FixedBytes)] = []
    for group in 0..<expression.groupCount {
      if let name = expression.groupName(group + 1) { names.append((group + 1, FixedBytes(name))) }
    }
    self.names = names
  }

  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) {
    guard let groups = expression.groups(in: line) else { return }
    for (group, label) in names {
      let name = LabelKey.sanitized(label.buffer, &labels.arena)
      if name.isEmpty { continue }
      let free = labels.freeName(name)
      guard hints.wants(free), !labels.isMade(free) else { continue }
      labels.set(free, groups[group].map { line.part($0) } ?? .none)
    }
  }
}

/// `| pattern "<ip> - <_> <method>"`.
struct PatternStage: Sendable {
  private enum Part: Sendable {
    case literal(ByteNeedle)
    case capture(FixedBytes)
    case skip
  }
  private let parts: [Part]
  let hints: ParserHints

  init(_ text: String, _ hints: ParserHints) throws(QueryError) {
    self.hints = hints
    switch LogQL.LinePattern.parser(text) {
    case .failure(let error): throw .invalid(error.message)
    case .success(let pattern):
      parts = pattern.parts.map { part in
        switch part {
        case .literal(let text): .literal(ByteNeedle(text))
        case .capture(let name): .capture(FixedBytes(name))
        case .skip: .skip
        }
      }
    }
  }

  /// Each literal is looked for behind the one before; a capture takes what lies between, the last one found the rest of
  /// the line when its literal is missing. A line that does not begin with the first literal has no captures.
  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) {
    if hints.wantsNothing || hints.isSatisfied(by: labels) { return }
    guard let base = line.baseAddress, line.count > 0 else { return }
    var at = 0
    var rest = parts[...]
    if case .literal(let first)? = rest.first {
      guard first.firstMatch(in: base, from: 0, to: min(first.count, line.count)) == 0 else { return }
      at = first.count
      rest = rest.dropFirst()
    }
    while let part = rest.first {
      rest = rest.dropFirst()
      var end = line.count
      var next = line.count
      var isLast = true
      if case .literal(let literal)? = rest.first {
        let found = literal.firstMatch(in: base, from: at, to: line.count)
        if found >= 0 {
          end = found
          next = found + literal.count
          isLast = false
        }
      }
      if case .capture(let name) = part { set(name.buffer, line.part(at..<end), &labels) }
      if isLast { return }
      at = next
      rest = rest.dropFirst()
    }
  }

  private func set(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ labels: inout RowLabels
  ) {
    let free = labels.freeName(name)
    guard hints.wants(free), !labels.isMade(free) else { return }
    labels.set(free, value)
  }
}
