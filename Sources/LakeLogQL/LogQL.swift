/// LogQL, the query language of Loki 3.7: text to syntax tree and back.
///
///     let query = try LogQL.parse(#"sum by (app) (rate({env="prod"} |= "error" [5m]))"#)
///     query.description          // canonical text, as Loki prints it
///
/// Every name lives inside this namespace, so that the other query languages may use the same words.
package enum LogQL {
  /// Longest query taken, in bytes (Loki's limit).
  package static let queryBytesMax = 131_072
  /// Deepest nesting of parentheses, and longest chain of operators, that is taken: everything that walks a tree recurses.
  package static let depthMax = 250
  /// Longest chain of label filters joined by `and` or `or`: programs write long ones.
  package static let filterChainMax = 2000
}

extension LogQL {
  /// A whole query.
  package enum Query: Hashable, Sendable {
    /// Gives log lines.
    case logs(LogExpression)
    /// Gives samples.
    case metric(MetricExpression)
    /// Several aggregations over the same lines.
    case variants(Variants)
  }

  /// Where a node begins in the query text.
  ///
  /// Positions take no part in comparing trees: two are always equal.
  package struct Position: Hashable, Sendable {
    /// UTF-8 bytes before it.
    package var offset: Int
    /// 1-based.
    package var line: Int
    /// 1-based, in characters (Unicode scalars).
    package var column: Int

    package init(offset: Int = 0, line: Int = 1, column: Int = 1) {
      self.offset = offset
      self.line = line
      self.column = column
    }

    package static func == (a: Position, b: Position) -> Bool { true }
    package func hash(into hasher: inout Hasher) {}
  }

  /// Why a text is no query: Loki's message.
  package struct SyntaxError: Error, Hashable, Sendable, CustomStringConvertible {
    package var message: String
    /// 1-based; 0 when the message is about the query as a whole.
    package var line: Int
    package var column: Int

    package init(_ message: String, line: Int = 0, column: Int = 0) {
      self.message = message
      self.line = line
      self.column = column
    }

    /// `parse error at line 1, col 4: ...`, as Loki words it.
    package var description: String {
      line == 0 && column == 0
        ? "parse error : \(message)" : "parse error at line \(line), col \(column): \(message)"
    }
  }
}
