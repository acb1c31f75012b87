package import LakeSchema

/// What a scan looks for: every term must hold of a row.
///
/// A term is about one primitive column, by field id. A comparison with an absent value does not hold.
package struct Predicate: Hashable, Sendable {
  package enum Comparison: Hashable, Sendable { case equal, less, lessOrEqual, greater, greaterOrEqual }

  package enum Term: Hashable, Sendable {
    case compare(Int, Comparison, Datum)
    /// Equal to one of them.
    case oneOf(Int, [Datum])
    case isNull(Int)
    case isNotNull(Int)

    package var fieldID: Int {
      switch self {
      case .compare(let id, _, _), .oneOf(let id, _), .isNull(let id), .isNotNull(let id): id
      }
    }
  }

  package var terms: [Term]

  package init(_ terms: [Term] = []) { self.terms = terms }

  /// Everything.
  package static let all = Predicate()

  /// - Throws: `.invalid` when a term names no primitive column of the schema or a value of another type.
  package func check(against schema: Schema) throws(IcebergError) {
    for term in terms {
      guard let field = schema.field(id: term.fieldID), field.type.isPrimitive else {
        throw .invalid("no primitive column \(term.fieldID) in schema \(schema.id)")
      }
      let values: [Datum] =
        switch term {
        case .compare(_, _, let value): [value]
        case .oneOf(_, let values): values
        case .isNull, .isNotNull: []
        }
      for value in values where !value.suits(field.type) {
        throw .invalid("column \(field.name) of type \(field.type) cannot be compared with \(value)")
      }
    }
  }
}
