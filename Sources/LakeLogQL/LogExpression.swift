extension LogQL {
  /// A stream selector and what happens to each line of the streams: `{app="x"} |= "y" | json | level="error"`.
  package struct LogExpression: Hashable, Sendable {
    package var selector: Selector
    /// In order. Line filters next to each other are separate stages here.
    package var stages: [Stage]

    package init(selector: Selector, stages: [Stage] = []) {
      self.selector = selector
      self.stages = stages
    }
  }

  /// `{app="x", env=~"prod|dev"}`: all matchers must hold.
  package struct Selector: Hashable, Sendable {
    package var matchers: [Matcher]
    package var position: Position

    package init(_ matchers: [Matcher], position: Position = Position()) {
      self.matchers = matchers
      self.position = position
    }
  }

  /// A test of one label's text; an absent label counts as empty.
  package struct Matcher: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
      case equal = "="
      case notEqual = "!="
      /// RE2 over the whole value, `.` includes newlines.
      case matches = "=~"
      case notMatches = "!~"

      package var isNegated: Bool { self == .notEqual || self == .notMatches }
      package var isRegex: Bool { self == .matches || self == .notMatches }
    }
    package var name: String
    package var operation: Operation
    package var value: String
    package var position: Position

    package init(_ name: String, _ operation: Operation, _ value: String, position: Position = Position()) {
      self.name = name
      self.operation = operation
      self.value = value
      self.position = position
    }
  }

  /// One step of a pipeline.
  package enum Stage: Hashable, Sendable {
    case lineFilter(LineFilter)
    /// `| json`: every field when there are no extractions.
    case json([Extraction])
    case logfmt(Logfmt)
    /// `| regexp "..."`: named groups become labels. The text is valid and has a named group.
    case regexp(String)
    /// `| pattern "<ip> - <_>"`. See `LinePattern`.
    case pattern(String)
    case unpack
    case labelFilter(LabelFilter)
    /// A Go text/template, valid. See `Template`.
    case lineFormat(String)
    case labelFormat([LabelFormat])
    case decolorize
    case drop([LabelChoice])
    case keep([LabelChoice])
  }

  /// `|= "a" or "b"`: with a plain operation some operand must be found, with a negated one none may be.
  package struct LineFilter: Hashable, Sendable {
    package enum Operation: String, Hashable, Sendable {
      case contains = "|="
      case notContains = "!="
      case matches = "|~"
      case notMatches = "!~"
      case pattern = "|>"
      case notPattern = "!>"

      package var isNegated: Bool { self == .notContains || self == .notMatches || self == .notPattern }
    }
    package enum Operand: Hashable, Sendable {
      /// A substring, a regular expression (RE2, unanchored) or a pattern, as the operation says.
      case text(String)
      /// `ip("10.0.0.0/8")`: an address, a range `a-b` or a CIDR; only with `|=` and `!=`.
      case ip(String)
    }
    package var operation: Operation
    /// At least one.
    package var operands: [Operand]
    package var position: Position

    package init(_ operation: Operation, _ operands: [Operand], position: Position = Position()) {
      self.operation = operation
      self.operands = operands
      self.position = position
    }
  }

  /// `label="expression"` of a parser: where the value of a new label comes from.
  package struct Extraction: Hashable, Sendable {
    package var label: String
    /// A path for `json` (`user.tags[0]`), a key for `logfmt`; the label itself when none was given.
    package var expression: String

    package init(_ label: String, _ expression: String) {
      self.label = label
      self.expression = expression
    }
  }

  package struct Logfmt: Hashable, Sendable {
    /// `--strict`: a malformed pair is an error and ends the parsing of the line.
    package var isStrict: Bool
    /// `--keep-empty`: keys without value become labels with an empty value.
    package var keepsEmpty: Bool
    /// Empty: every pair.
    package var extractions: [Extraction]

    package init(isStrict: Bool = false, keepsEmpty: Bool = false, extractions: [Extraction] = []) {
      self.isStrict = isStrict
      self.keepsEmpty = keepsEmpty
      self.extractions = extractions
    }
  }

  /// `dst=src` renames, `dst="{{template}}"` computes.
  package struct LabelFormat: Hashable, Sendable {
    package enum Source: Hashable, Sendable {
      case label(String)
      /// A Go text/template, valid.
      case template(String)
    }
    package var label: String
    package var source: Source

    package init(_ label: String, _ source: Source) {
      self.label = label
      self.source = source
    }
  }

  /// What `drop` and `keep` name: a label, or a label only where its value matches.
  package enum LabelChoice: Hashable, Sendable {
    case name(String)
    case matching(Matcher)
  }

  /// `| status >= 500 and (path="/" or ip=ip("10.0.0.0/8"))`.
  ///
  /// Number, duration, bytes and ip filters fail on an absent label and mark an unreadable value with `__error__`.
  package indirect enum LabelFilter: Hashable, Sendable {
    case matcher(Matcher)
    case number(label: String, Comparison, Double)
    case duration(label: String, Comparison, Duration)
    case bytes(label: String, Comparison, UInt64)
    case ip(label: String, isNegated: Bool, String)
    /// Both sides are always evaluated, left first.
    case and(LabelFilter, LabelFilter)
    /// The right side is evaluated only when the left fails.
    case or(LabelFilter, LabelFilter)
  }

  package enum Comparison: String, Hashable, Sendable {
    case equal = "=="
    case notEqual = "!="
    case greater = ">"
    case greaterOrEqual = ">="
    case less = "<"
    case lessOrEqual = "<="
  }
}
