import LakeLogQL
import LakeModel

/// What is left of a pipeline when columns have done their part, compiled: stages that see one row at a time.
struct RowProgram: Sendable {
  enum Stage: Sendable {
    case line(LineMatcher)
    case json(JSONStage)
    case jsonPaths(JSONPathStage)
    case logfmt(LogfmtStage)
    case regexp(RegexpStage)
    case pattern(PatternStage)
    case unpack(UnpackStage)
    case filter(RowLabelFilter)
    case lineFormat(LineFormatStage)
    case labelFormat(LabelFormatStage)
    case decolorize(DecolorizeStage)
    case drop(LabelChoices)
    case keep(LabelChoices)
  }
  let stages: [Stage]
  let hints: ParserHints
  /// Whether some stage looks at the line.
  let readsLine: Bool
  /// Labels that are not shown, and that a stage, the sample or the grouping may look at.
  let hiddenLabels: [LabelReference]
  /// The only stored labels that stages, sample and grouping look at; nil: any label may matter.
  let knownLabels: [LabelReference]?

  /// - Parameters:
  ///   - reads: the only labels that are looked at behind the stages; nil: all.
  ///   - uses: labels that are asked for by name behind the stages.
  init(
    _ stages: [LogQL.Stage], hints: ParserHints, reads: [String]?, uses: [String] = []
  ) throws(QueryError) {
    var compiled: [Stage] = []
    for stage in stages { compiled.append(try RowProgram.compile(stage, hints)) }
    self.stages = compiled
    self.hints = hints
    readsLine = stages.contains { stage in
      switch stage {
      case .labelFilter, .drop, .keep: false
      default: true
      }
    }
    hiddenLabels = Set(uses + stages.flatMap(\.requiredLabels)).sorted().map { LabelReference($0) }
      .filter(\.isHidden)
    let keepsNames = stages.allSatisfy { stage in
      switch stage {
      case .drop, .keep, .labelFormat, .lineFormat: false
      default: true
      }
    }
    if let reads, keepsNames, hints.wantsNothing || !hints.required.isEmpty {
      let names = Set(reads + stages.flatMap(\.requiredLabels) + hints.required.map { $0.buffer.string })
      knownLabels = names.sorted().map { LabelReference($0) }
    } else {
      knownLabels = nil
    }
  }

  private static func compile(_ stage: LogQL.Stage, _ hints: ParserHints) throws(QueryError) -> Stage {
    switch stage {
    case .lineFilter(let filter): .line(try LineMatcher(filter))
    case .json(let extractions):
      extractions.isEmpty ? .json(JSONStage(hints: hints)) : .jsonPaths(try JSONPathStage(extractions, hints))
    case .logfmt(let logfmt): .logfmt(try LogfmtStage(logfmt, hints))
    case .regexp(let text): .regexp(try RegexpStage(text, hints))
    case .pattern(let text): .pattern(try PatternStage(text, hints))
    case .unpack: .unpack(UnpackStage(hints: hints))
    case .labelFilter(let filter): .filter(try RowLabelFilter(filter))
    case .lineFormat(let text): .lineFormat(try LineFormatStage(text))
    case .labelFormat(let formats): .labelFormat(try LabelFormatStage(formats))
    case .decolorize: .decolorize(try DecolorizeStage())
    case .drop(let choices): .drop(try LabelChoices(choices))
    case .keep(let choices): .keep(try LabelChoices(choices))
    }
  }
}

/// A stored label that a program reads, as raw memory: a row costs no reference counting.
///
/// Valid while `vector` is held.
private struct StoredColumn {
  let name: UnsafeRawBufferPointer
  /// nil: hidden.
  let category: LabelPiece.Category?
  let isHex: Bool
  private let codes: UnsafePointer<UInt32>?
  private let isDirect: Bool
  private let present: UnsafePointer<UInt8>?
  private let offsets: UnsafePointer<UInt32>?
  private let data: UnsafeRawPointer
  private let width: Int
  private let entryCount: Int

  init?(_ name: FixedBytes, _ vector: LabelVector, _ category: LabelPiece.Category?) {
    self.name = name.buffer
    self.category = category
    isHex = vector.form == .hex
    codes = vector.codes?.unsafeBase
    isDirect = vector.isDirect
    present = vector.values.validity?.unsafeBase
    entryCount = vector.values.entryCount
    if let (offsets, data) = vector.values.plainEntries {
      self.offsets = offsets.unsafeBase
      self.data = UnsafeRawPointer(data.unsafeBase)
      width = 0
    } else if let (data, width) = vector.values.fixed {
      offsets = nil
      self.data = UnsafeRawPointer(data.unsafeBase)
      self.width = width
    } else {
      return nil
    }
  }

  /// The stored bytes; empty when absent.
  @inline(__always)
  func bytes(of row: Int) -> UnsafeRawBufferPointer {
    var entry = 0
    if let codes {
      let code = codes[row]
      if code == LabelVector.absent { return .none }
      entry = Int(code)
    } else if isDirect {
      if let present, present[row] == 0 { return .none }
      entry = row
    }
    precondition(entry < entryCount)
    guard let offsets else { return UnsafeRawBufferPointer(start: data + entry &* width, count: width) }
    let start = Int(offsets[entry])
    return UnsafeRawBufferPointer(start: data + start, count: Int(offsets[entry &+ 1]) &- start)
  }
}

/// Runs a program over rows of one block. Used by one task.
final class RowMachine {
  private let program: RowProgram
  /// nil: all that is read of stored labels are `columns`; else these are the hidden ones.
  private let assembler: LabelAssembler?
  private let columns: [StoredColumn]
  /// Keeps what `columns` point to.
  private let held: [(name: FixedBytes, vector: LabelVector)]
  private let now: Int64
  var labels = RowLabels()
  /// The line as the pipeline has left it; valid until the next row.
  private(set) var line = UnsafeRawBufferPointer.none

  /// Whether some stage looks at the line.
  var readsLine: Bool { program.readsLine }

  private init(
    _ program: RowProgram, _ assembler: LabelAssembler?, _ columns: [StoredColumn],
    holding held: [(name: FixedBytes, vector: LabelVector)], now: Int64
  ) {
    self.program = program
    self.assembler = assembler
    self.columns = columns
    self.held = held
    self.now = now
  }

  /// Loads what the program reads of stored labels.
  static func make(_ program: RowProgram, _ block: BlockLabels, now: Int64) async throws(QueryError) -> RowMachine {
    let known = program.knownLabels
    let assembler = known == nil ? try await LabelAssembler.make(block) : nil
    var columns: [StoredColumn] = []
    var held: [(name: FixedBytes, vector: LabelVector)] = []
    for label in known ?? program.hiddenLabels {
      let vector = try await block.vector(label)
      // A label that no row has is left out: most names that parsers make are such.
      if vector.isConstant && vector.withText(ofCode: 0, { $0.isEmpty }) { continue }
      let isStream = label.field == .serviceName || label.field == .severityText
      let category: LabelPiece.Category? = label.isHidden ? nil : isStream ? .stream : .structured
      let name = FixedBytes(label.name)
      guard let column = StoredColumn(name, vector, category) else { continue }
      columns.append(column)
      held.append((name, vector))
    }
    return RowMachine(program, assembler, columns, holding: held, now: now)
  }

  /// Runs the stages over one row.
  ///
  /// - Parameter stored: the line; must stay where it is until the row is done.
  /// - Returns: whether the row is still there.
  func run(_ row: Int, _ stored: UnsafeRawBufferPointer, time: Int64) -> Bool {
    labels.begin()
    addStored(row)
    line = stored
    for stage in program.stages {
      switch stage {
      case .line(let matcher): if !matcher.keeps(line) { return false }
      case .filter(let filter): if !filter.keeps(&labels) { return false }
      case .json(let stage): stage.run(line, &labels)
      case .jsonPaths(let stage): stage.run(line, &labels)
      case .logfmt(let stage): stage.run(line, &labels)
      case .regexp(let stage): stage.run(line, &labels)
      case .pattern(let stage): stage.run(line, &labels)
      case .unpack(let stage): line = stage.run(line, &labels)
      case .lineFormat(let stage): line = stage.run(line, time, now, &labels)
      case .labelFormat(let stage): stage.run(line, time, now, &labels)
      case .decolorize(let stage): line = stage.run(line, &labels)
      case .drop(let choices): choices.drop(from: &labels)
      case .keep(let choices): choices.keep(in: &labels)
      }
    }
    return true
  }

  private func addStored(_ row: Int) {
    if let assembler {
      assembler.gather(row)
      for piece in assembler.pieces {
        labels.addStored(assembler.name(piece), piece.value, piece.category)
      }
    }
    for column in columns {
      let value = column.bytes(of: row)
      if value.isEmpty { continue }
      guard let category = column.category else {
        labels.addHidden(column.name, value)
        continue
      }
      if column.isHex {
        let out = labels.arena.allocate(value.count * 2)
        HexText.write(value, to: out)
        labels.addStored(column.name, UnsafeRawBufferPointer(start: out, count: value.count * 2), category)
      } else {
        labels.addStored(column.name, value, category)
      }
    }
  }
}
