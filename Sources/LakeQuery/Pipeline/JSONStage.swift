import LakeLogQL
import LakeModel

/// `| json`: every member becomes a label; members of nested objects are joined by `_`; arrays and nulls are passed over.
struct JSONStage: Sendable {
  let hints: ParserHints

  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) {
    if hints.wantsNothing || hints.isSatisfied(by: labels) { return }
    do throws(JSONScan.Failure) {
      _ = try members(line, prefix: .none, &labels)
    } catch {
      labels.fail(RowLabels.jsonError, error.message)
      if hints.preservesErrors { labels.preservesError = true }
    }
  }

  /// - Returns: false when all wanted labels are there.
  private func members(
    _ object: UnsafeRawBufferPointer, prefix: UnsafeRawBufferPointer, _ labels: inout RowLabels
  ) throws(JSONScan.Failure) -> Bool {
    var goesOn = true
    try JSONScan(object).forEachMember { (key, isEscaped, value) throws(JSONScan.Failure) in
      let key = isEscaped ? JSONText.unescaped(key, &labels.arena) ?? .none : key
      // The members of an object have longer names.
      if prefix.isEmpty && !(value.kind == .object ? hints.mayBegin(key: key) : hints.mayWant(key: key)) { return true }
      switch value.kind {
      case .string, .number, .boolean: label(key, prefix, value, &labels)
      case .object:
        let inner = joined(prefix, key, &labels)
        if hints.wantsBeginning(inner) { goesOn = try members(value.text, prefix: inner, &labels) }
        return goesOn
      case .array, .null: break
      }
      if hints.isSatisfied(by: labels) { goesOn = false }
      return goesOn
    }
    return goesOn
  }

  private func joined(
    _ prefix: UnsafeRawBufferPointer, _ key: UnsafeRawBufferPointer, _ labels: inout RowLabels
  ) -> UnsafeRawBufferPointer {
    let name = LabelKey.sanitized(key, &labels.arena, isFirst: prefix.isEmpty)
    if prefix.isEmpty { return name }
    if name.isEmpty { return prefix }
    return labels.arena.join(labels.arena.join(prefix, JSONStage.spacer.buffer), name)
  }

  private func label(
    _ key: UnsafeRawBufferPointer, _ prefix: UnsafeRawBufferPointer, _ value: JSONScan.Value,
    _ labels: inout RowLabels
  ) {
    let name = joined(prefix, key, &labels)
    if name.isEmpty { return }
    let free = labels.freeName(name)
    guard hints.wants(free), !labels.isMade(free) else { return }
    labels.set(free, value.kind == .string ? JSONText.label(value.text, &labels.arena) : value.text)
  }

  private static let spacer = FixedBytes("_")
}

/// `| json status="response.code", first="items[0]"`.
struct JSONPathStage: Sendable {
  private let extractions: [(label: FixedBytes, steps: [LogQL.ExtractionPath.Step])]
  private let repeatsLabel: Bool
  let hints: ParserHints

  /// - Throws: `.invalid` for a malformed path; the parser finds these first.
  init(_ extractions: [LogQL.Extraction], _ hints: ParserHints) throws(QueryError) {
    self.hints = hints
    var found: [(FixedBytes, [LogQL.ExtractionPath.Step])] = []
    for extraction in extractions {
      switch LogQL.ExtractionPath.json(extraction.expression) {
      case .success(let path): found.append((FixedBytes(extraction.label), path.steps))
      case .failure(let error): throw .invalid("cannot parse expression [\(extraction.expression)]: \(error.message)")
      }
    }
    self.extractions = found
    repeatsLabel = Set(extractions.map(\.label)).count < extractions.count
  }

  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) {
    if line.isEmpty || hints.wantsNothing || hints.isSatisfied(by: labels) { return }
    switch line[0] {
    case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["): break
    default:
      labels.fail(RowLabels.jsonError, nil)
      if hints.preservesErrors { labels.preservesError = true }
      return
    }
    var matches = 0
    func take(_ value: JSONScan.Value, _ label: FixedBytes) {
      matches += 1
      let name = labels.freeName(label.buffer)
      switch value.kind {
      case .null: labels.set(name, .none)
      case .object: labels.set(name, value.text)
      default: labels.set(name, JSONText.label(value.text, &labels.arena))
      }
    }
    // Loki meets the values in the order of the line, and the last one of a label stays.
    var waiting: [(value: JSONScan.Value, label: FixedBytes)] = []
    for (label, steps) in extractions {
      do throws(JSONScan.Failure) {
        guard let value = try JSONPathStage.find(steps[...], line, &labels.arena) else { continue }
        if repeatsLabel { waiting.append((value, label)) } else { take(value, label) }
      } catch {
        labels.fail(RowLabels.jsonError, error.message)
        if hints.preservesErrors { labels.preservesError = true }
      }
    }
    if repeatsLabel {
      waiting.sort {
        ($0.value.text.baseAddress.map(UInt.init(bitPattern:)) ?? 0)
          < ($1.value.text.baseAddress.map(UInt.init(bitPattern:)) ?? 0)
      }
      for (value, label) in waiting { take(value, label) }
    }
    if matches < extractions.count {
      for (label, _) in extractions where labels.value(label.buffer) == nil { labels.set(label.buffer, .none) }
    }
  }

  /// The value at a path; nil when there is none.
  private static func find(
    _ steps: ArraySlice<LogQL.ExtractionPath.Step>, _ text: UnsafeRawBufferPointer, _ arena: inout RowArena
  ) throws(JSONScan.Failure) -> JSONScan.Value? {
    guard let step = steps.first else { return nil }
    let scan = JSONScan(text)
    var found: JSONScan.Value?
    switch step {
    case .element(let index): found = scan.element(index)
    case .member(let name):
      let at = scan.token(from: 0)
      guard at >= 0, text[at] == UInt8(ascii: "{") else { return nil }
      let wanted = Array(name.utf8)
      do throws(JSONScan.Failure) {
        try scan.forEachMember { (key, isEscaped, value) throws(JSONScan.Failure) in
          let key = isEscaped ? JSONText.unescaped(key, &arena) ?? .none : key
          guard key.elementsEqual(wanted) else { return true }
          found = value
          return false
        }
      } catch {
        // What is broken before or behind the value does not matter: the line is as if it had none. Loki looks for members of
        // an object without an end, too.
        if let broken = scan.brokenMember(wanted, &arena) {
          if steps.count == 1 { throw broken.failure }
          return try find(steps.dropFirst(), text.part(broken.start..<text.count), &arena)
        }
      }
    }
    guard let found else { return nil }
    return steps.count == 1 ? found : try find(steps.dropFirst(), found.text, &arena)
  }
}

/// `| unpack`: text members become labels, `_entry` becomes the line.
struct UnpackStage: Sendable {
  let hints: ParserHints

  /// - Returns: the line from here on.
  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) -> UnsafeRawBufferPointer {
    if line.isEmpty || hints.wantsNothing || hints.isSatisfied(by: labels) { return line }
    guard line[0] == UInt8(ascii: "{") else {
      labels.fail(RowLabels.jsonError, "expecting json object(6), but it is not")
      if hints.preservesErrors { labels.preservesError = true }
      return line
    }
    var entry: UnsafeRawBufferPointer?
    var pending: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] = []
    do throws(JSONScan.Failure) {
      try JSONScan(line).forEachMember { (key, isEscaped, value) throws(JSONScan.Failure) in
        guard value.kind == .string else { return true }
        let key = isEscaped ? JSONText.unescaped(key, &labels.arena) ?? .none : key
        if key.equals(UnpackStage.entry.buffer) {
          guard let text = JSONText.unescaped(value.text, &labels.arena) else { throw .escape }
          entry = text
          return true
        }
        let free = labels.freeName(key)
        guard hints.wants(free), !labels.isMade(free) else { return true }
        pending.append((LabelKey.sanitized(free, &labels.arena), JSONText.label(value.text, &labels.arena)))
        return true
      }
    } catch {
      labels.fail(RowLabels.jsonError, error.message)
      if hints.preservesErrors { labels.preservesError = true }
      return line
    }
    guard let entry else { return line }
    for (name, value) in pending { labels.set(name, value) }
    return entry
  }

  private static let entry = FixedBytes("_entry")
}
