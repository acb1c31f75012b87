/// What a port did against its contract.
package struct ContractFailure: Error, CustomStringConvertible {
  package let message: String
  package let file: StaticString
  package let line: UInt

  package init(_ message: String, file: StaticString = #fileID, line: UInt = #line) {
    self.message = message
    self.file = file
    self.line = line
  }

  package var description: String { "\(message) (\(file):\(line))" }
}

/// One rule of a contract, to be tried on one port.
package struct ContractCheck<Bench: Sendable>: Sendable, CustomStringConvertible {
  /// A sentence: what the port does.
  package let name: String
  /// - Throws: `ContractFailure` when it does not; the port's own error when it was not even able to try.
  package let run: @Sendable (Bench) async throws -> Void

  package init(_ name: String, _ run: @escaping @Sendable (Bench) async throws -> Void) {
    self.name = name
    self.run = run
  }

  package var description: String { name }
}

func expect(
  _ holds: Bool, _ message: @autoclosure () -> String, file: StaticString = #fileID, line: UInt = #line
) throws {
  if !holds { throw ContractFailure(message(), file: file, line: line) }
}

func expectEqual<Value: Equatable>(
  _ found: Value, _ wanted: Value, _ what: String, file: StaticString = #fileID, line: UInt = #line
) throws {
  if found != wanted { throw ContractFailure("\(what): \(found) instead of \(wanted)", file: file, line: line) }
}
