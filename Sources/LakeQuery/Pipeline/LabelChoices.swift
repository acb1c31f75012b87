import LakeLogQL
import LakeModel

/// What `drop` and `keep` name.
struct LabelChoices: Sendable {
  private enum Choice: Sendable {
    case name(FixedBytes)
    case matching(FixedBytes, ValueTest)
  }
  private let choices: [Choice]

  init(_ choices: [LogQL.LabelChoice]) throws(QueryError) {
    var found: [Choice] = []
    for choice in choices {
      switch choice {
      case .name(let name): found.append(.name(FixedBytes(name)))
      case .matching(let matcher): found.append(.matching(FixedBytes(matcher.name), try ValueTest(matcher)))
      }
    }
    self.choices = found
  }

  /// `drop`.
  func drop(from labels: inout RowLabels) {
    for choice in choices {
      switch choice {
      case .name(let name):
        if name == RowLabels.errorName {
          labels.error = .none
        } else if name == RowLabels.detailsName {
          labels.errorDetails = .none
        } else {
          labels.remove(name.buffer)
        }
      case .matching(let name, let test):
        if name == RowLabels.errorName {
          if test.passes(labels.error) { labels.error = .none }
        } else if name == RowLabels.detailsName {
          if test.passes(labels.errorDetails) { labels.errorDetails = .none }
        } else if test.passes(labels.text(name.buffer)) {
          labels.remove(name.buffer)
        }
      }
    }
  }

  /// `keep`: errors stay.
  func keep(in labels: inout RowLabels) {
    if choices.isEmpty { return }
    labels.removeAll { label in
      !choices.contains { choice in
        switch choice {
        case .name(let name): name.buffer.equals(label.name)
        case .matching(let name, let test): name.buffer.equals(label.name) && test.passes(label.value)
        }
      }
    }
  }
}
