import LakeLogQL
import LakeModel
import LakeRegex

/// `| line_format "{{ .a }}"`.
struct LineFormatStage: Sendable {
  private let template: LogQL.Template
  /// The template is one field: its value is the line.
  private let field: FixedBytes?

  init(_ text: String) throws(QueryError) {
    do throws(LogQL.Template.Malformed) { template = try LogQL.Template(text, name: "line") } catch {
      throw .invalid("invalid line template: \(error.message)")
    }
    field = template.copiedLabel.map { FixedBytes($0) }
  }

  /// - Returns: the line from here on; the old one when the template fails, which marks the row.
  func run(
    _ line: UnsafeRawBufferPointer, _ time: Int64, _ now: Int64, _ labels: inout RowLabels
  ) -> UnsafeRawBufferPointer {
    if let field { return labels.value(field.buffer) ?? .none }
    let row = TemplateRow(line, time, now, labels)
    do throws(LogQL.Template.Failure) {
      return labels.arena.copy(try template.run(row))
    } catch {
      labels.fail(RowLabels.templateError, template.explanation(of: error, name: "line", row))
      return line
    }
  }
}

/// `| label_format a=b, c="{{ .d }}"`.
struct LabelFormatStage: Sendable {
  private enum Source: Sendable {
    case label(FixedBytes)
    case template(LogQL.Template)
  }
  private let formats: [(label: FixedBytes, source: Source)]

  init(_ formats: [LogQL.LabelFormat]) throws(QueryError) {
    var found: [(FixedBytes, Source)] = []
    for format in formats {
      switch format.source {
      case .label(let name): found.append((FixedBytes(format.label), .label(FixedBytes(name))))
      case .template(let text):
        do throws(LogQL.Template.Malformed) {
          found.append((FixedBytes(format.label), .template(try LogQL.Template(text, name: "label"))))
        } catch {
          throw .invalid("invalid template for label '\(format.label)': \(error.message)")
        }
      }
    }
    self.formats = found
  }

  /// Templates see the labels as they were before the first template of the stage.
  func run(_ line: UnsafeRawBufferPointer, _ time: Int64, _ now: Int64, _ labels: inout RowLabels) {
    var row: TemplateRow?
    for (label, source) in formats {
      switch source {
      case .label(let name):
        if let value = labels.value(name.buffer) {
          labels.set(label.buffer, value)
          labels.remove(name.buffer)
        }
      case .template(let template):
        if row == nil { row = TemplateRow(line, time, now, labels) }
        do throws(LogQL.Template.Failure) {
          labels.set(label.buffer, labels.arena.copy(try template.run(row!)))
        } catch {
          labels.fail(RowLabels.templateError, template.explanation(of: error, name: "label", row!))
        }
      }
    }
  }
}

/// `| decolorize`: takes ANSI escape sequences out of the line.
struct DecolorizeStage: Sendable {
  private let expression: RE2Pattern

  init() throws(QueryError) {
    // The sequences as github.com/acarl005/stripansi knows them, which is what Loki removes.
    let pattern =
      "[\u{1B}\u{9B}][[\\]()#;?]*(?:(?:(?:[a-zA-Z\\d]*(?:;[a-zA-Z\\d]*)*)?\u{07})"
      + "|(?:(?:\\d{1,4}(?:;\\d{0,4})*)?[\\dA-PRZcf-ntqry=><~]))"
    do { expression = try RE2Pattern(pattern) } catch { throw .invalid(error.message) }
  }

  func run(_ line: UnsafeRawBufferPointer, _ labels: inout RowLabels) -> UnsafeRawBufferPointer {
    guard line.contains(where: { $0 == 0x1B || $0 == 0x9B }) else { return line }
    var out: [UInt8] = []
    var at = 0
    // A match holds at least the escape character, so the search moves on.
    while let found = expression.groups(in: line, from: at), let whole = found[0] {
      out += line[at..<whole.lowerBound]
      at = whole.upperBound
    }
    out += line[at...]
    return labels.arena.copy(out)
  }
}
