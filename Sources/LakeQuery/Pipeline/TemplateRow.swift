import LakeLogQL
import LakeModel

/// A row as templates see it: the labels as they were when it was made, the error's included.
///
/// Texts are made when a template asks for them. Valid while the row's arena is.
struct TemplateRow: LogQL.TemplateInput {
  private let stored: [RowLabels.Label]
  private let text: UnsafeRawBufferPointer
  let timestamp: Timestamp
  let now: Timestamp

  init(_ line: UnsafeRawBufferPointer, _ time: Int64, _ now: Int64, _ labels: borrowing RowLabels) {
    var all = labels.labels
    if labels.error.count > 0 {
      all.append(.init(name: RowLabels.errorName.buffer, value: labels.error, category: .parsed))
    }
    if labels.errorDetails.count > 0 {
      all.append(.init(name: RowLabels.detailsName.buffer, value: labels.errorDetails, category: .parsed))
    }
    stored = all
    text = line
    timestamp = Timestamp(nanoseconds: UInt64(max(0, time)))
    self.now = Timestamp(nanoseconds: UInt64(max(0, now)))
  }

  var line: String { text.string }

  func label(_ name: String) -> String? {
    var name = name
    return name.withUTF8 { name in
      stored.first { $0.name.equals(UnsafeRawBufferPointer(name)) }?.value.string
    }
  }

  var labels: [(name: String, value: String)] {
    stored.sorted { ByteOrder.compare($0.name, $1.name) < 0 }.map { ($0.name.string, $0.value.string) }
  }
}
