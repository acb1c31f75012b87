import LakeModel

/// The labels of one row on its way through a pipeline.
///
/// A name stands once, with its value and where it came from. Parsed labels win over structured metadata, these over
/// stream labels. `__error__` and `__error_details__` are kept apart. Source: Loki's `LabelsBuilder`.
struct RowLabels: ~Copyable {
  struct Label {
    var name: UnsafeRawBufferPointer
    var value: UnsafeRawBufferPointer
    var category: LabelPiece.Category
  }
  private(set) var labels: [Label] = []
  /// Labels that may be used and are not shown; they take no name from a parser.
  private var hidden: [(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)] = []
  /// Names that the stream brought, taken away since or not: a parser never takes such a name.
  private var streamNames: [UnsafeRawBufferPointer] = []
  /// Names that the pipeline has given a label in this row, taken away since or not: parsers give each once.
  private(set) var made: [UnsafeRawBufferPointer] = []
  var arena = RowArena()
  /// Empty: none.
  var error = UnsafeRawBufferPointer.none
  var errorDetails = UnsafeRawBufferPointer.none
  /// A metric query asked for errors: rows with one are counted under it rather than failing the query.
  var preservesError = false
  /// Whether labels are no longer those of the stored row.
  private(set) var isChanged = false

  /// Starts a row without labels.
  mutating func begin() {
    labels.removeAll(keepingCapacity: true)
    hidden.removeAll(keepingCapacity: true)
    streamNames.removeAll(keepingCapacity: true)
    made.removeAll(keepingCapacity: true)
    arena.reset()
    error = .none
    errorDetails = .none
    preservesError = false
    isChanged = false
  }

  /// Adds a stored label; names come once.
  mutating func addStored(
    _ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, _ category: LabelPiece.Category
  ) {
    labels.append(Label(name: name, value: value, category: category))
    if category == .stream { streamNames.append(name) }
  }

  mutating func addHidden(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    hidden.append((name, value))
  }

  var hasError: Bool { error.count > 0 }

  func index(of name: UnsafeRawBufferPointer) -> Int? {
    for index in labels.indices where labels[index].name.equals(name) { return index }
    return nil
  }

  /// nil: absent.
  func value(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    index(of: name).map { labels[$0].value }
  }

  /// The label's value, or that of a hidden one of this name; nil: neither is there.
  func usable(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer? {
    if let value = value(name) { return value }
    for label in hidden where label.name.equals(name) { return label.value }
    return nil
  }

  /// The text that a matcher sees: empty when absent.
  func text(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    if name.count == 9, name.equals(RowLabels.errorName.buffer) { return error }
    return usable(name) ?? .none
  }

  /// Whether a parser must give its label another name: the stream brought one, or structured metadata has one now.
  func isTaken(_ name: UnsafeRawBufferPointer) -> Bool {
    for taken in streamNames where taken.equals(name) { return true }
    if let index = index(of: name), labels[index].category == .structured { return true }
    return false
  }

  /// The name under which a parser stores a label.
  mutating func freeName(_ name: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    isTaken(name) ? arena.join(name, RowLabels.suffix.buffer) : name
  }

  /// Sets a label that the pipeline made. Name and value must stay where they are until the row is done.
  mutating func set(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    isChanged = true
    if !isMade(name) { made.append(name) }
    if let index = index(of: name) {
      labels[index] = Label(name: name, value: value, category: .parsed)
    } else {
      labels.append(Label(name: name, value: value, category: .parsed))
    }
  }

  /// Whether the pipeline has given the row such a label before.
  func isMade(_ name: UnsafeRawBufferPointer) -> Bool {
    for one in made where one.equals(name) { return true }
    return false
  }

  mutating func remove(_ name: UnsafeRawBufferPointer) {
    isChanged = true
    if let index = index(of: name) { labels.remove(at: index) }
  }

  mutating func removeAll(where isUnwanted: (Label) -> Bool) {
    isChanged = true
    labels.removeAll(where: isUnwanted)
  }

  /// Marks the row, unless it has an error already.
  mutating func fail(_ kind: FixedBytes, _ details: String?) {
    error = kind.buffer
    if let details { errorDetails = arena.copy(details) }
    isChanged = true
  }

  static let suffix = FixedBytes("_extracted")
  static let errorName = FixedBytes("__error__")
  static let detailsName = FixedBytes("__error_details__")
  static let preserveName = FixedBytes("__preserve_error__")
  static let jsonError = FixedBytes("JSONParserErr")
  static let logfmtError = FixedBytes("LogfmtParserErr")
  static let extractionError = FixedBytes("SampleExtractionErr")
  static let filterError = FixedBytes("LabelFilterErr")
  static let templateError = FixedBytes("TemplateFormatErr")
  static let trueText = FixedBytes("true")
}

extension RowLabels {
  /// Every label ascending by name, the error's included.
  mutating func sorted() -> [Label] {
    var all = labels
    if error.count > 0 { all.append(Label(name: RowLabels.errorName.buffer, value: error, category: .parsed)) }
    if errorDetails.count > 0 {
      all.append(Label(name: RowLabels.detailsName.buffer, value: errorDetails, category: .parsed))
    }
    if preservesError && error.count > 0 {
      all.append(
        Label(name: RowLabels.preserveName.buffer, value: RowLabels.trueText.buffer, category: .parsed))
    }
    // Insertion sort: few labels, mostly in order.
    var index = 1
    while index < all.count {
      let label = all[index]
      var place = index
      while place > 0, ByteOrder.compare(all[place - 1].name, label.name) > 0 {
        all[place] = all[place - 1]
        place -= 1
      }
      all[place] = label
      index += 1
    }
    return all
  }
}
