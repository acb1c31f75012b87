extension LogQL {
  /// A Go text/template, as `line_format` and `label_format` use it: `{{ .level | ToUpper }}: {{ __line__ }}`.
  package struct Template: Hashable, Sendable {
    package var nodes: [Node]
    /// Bodies of `{{define "name"}}` and `{{block "name"}}`.
    package var definitions: [String: [Node]]
    /// What the template was read from.
    package var source = Source("")

    package struct Malformed: Error, Hashable, Sendable {
      /// `template: line:1: unclosed action`, as Go words it.
      package let message: String
    }

    /// - Parameter name: of the template, for messages: Loki says `line` and `label`.
    package init(_ text: String, name: String) throws(Malformed) {
      var parser = try TemplateParser(text, name: name)
      self = try parser.template()
    }

    init(nodes: [Node], definitions: [String: [Node]]) {
      self.nodes = nodes
      self.definitions = definitions
    }

    /// What is wrong with a template; nil when nothing is.
    package static func problem(_ text: String, name: String) -> String? {
      do throws(Malformed) {
        _ = try Template(text, name: name)
        return nil
      } catch {
        return error.message
      }
    }
  }
}

extension LogQL.Template {
  package indirect enum Node: Hashable, Sendable {
    /// Never empty.
    case text(String)
    /// `{{ pipeline }}`: its value is printed, unless it declares or assigns variables.
    case action(Pipeline)
    case branch(Branch)
    /// `{{template "name" pipeline}}`.
    case call(name: String, Pipeline?)
    case leaveLoop
    case nextRound
  }

  package struct Branch: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable { case `if`, with, range }
    package var kind: Kind
    package var pipeline: Pipeline
    package var body: [Node]
    /// After `{{else}}`; a lone branch for `{{else if}}` and `{{else with}}`.
    package var otherwise: [Node]
  }

  /// `$x := a | b c`: the value of each command is the last argument of the next.
  package struct Pipeline: Hashable, Sendable {
    package var place = Place()
    /// Names with their `$`: declared, or assigned to when `isAssignment`; two at most, in `range`.
    package var variables: [String]
    package var isAssignment: Bool
    /// At least one.
    package var commands: [Command]

    package init(variables: [String], isAssignment: Bool, commands: [Command]) {
      self.variables = variables
      self.isAssignment = isAssignment
      self.commands = commands
    }
  }

  /// A function with its arguments, or a value alone.
  package struct Command: Hashable, Sendable {
    /// At least one.
    package var arguments: [Argument]
    /// One for each argument, or none at all.
    package var places = Places()

    package init(arguments: [Argument]) { self.arguments = arguments }

    /// Where the argument of this number stands.
    func place(_ index: Int) -> Place { index < places.all.count ? places.all[index] : Place() }
  }

  package indirect enum Argument: Hashable, Sendable {
    case dot
    case null
    case bool(Bool)
    case number(Number)
    case string(String)
    /// A function.
    case function(String)
    /// `.a.b`.
    case field([String])
    /// `$x.a.b`; the name has its `$`.
    case variable(String, [String])
    /// `( ... )`.
    case pipeline(Pipeline)
    /// `( ... ).a.b`.
    case chain(Argument, [String])
  }

  /// Where in the template something stands, for messages. Trees that differ in nothing else are equal.
  package struct Place: Hashable, Sendable {
    /// In characters; nil for what was not read from a text.
    package var offset: Int?

    package init(_ offset: Int? = nil) { self.offset = offset }

    package static func == (left: Place, right: Place) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }

  package struct Places: Hashable, Sendable {
    package var all: [Place] = []

    package static func == (left: Places, right: Places) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }

  /// The text of a template, for messages. Trees that differ in nothing else are equal.
  package struct Source: Hashable, Sendable {
    package let text: String

    package init(_ text: String) { self.text = text }

    package static func == (left: Source, right: Source) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }

  /// A constant is every kind of number that can hold it.
  package struct Number: Hashable, Sendable {
    package var text: String
    package var int: Int64?
    package var unsigned: UInt64?
    package var float: Double?
  }
}
