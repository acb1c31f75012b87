package import LakePorts

extension ObjectStorePointers {
  /// Two objects change, one after the other: the target says `arriving`, then the source says `left`, which is the rename;
  /// what is left to do, anybody does who comes by.
  package func rename(_ table: TableIdentifier, to target: TableIdentifier) async throws(CatalogError) {
    for _ in 0..<Self.turnsMax {
      guard let source = try await settled(table), case .table(let location) = source.object.state else {
        throw .noSuchTable(table)
      }
      if target == table { throw .tableExists(target) }
      _ = try await loadNamespace(target.namespace)
      let rename = random.uuid()
      let arriving = PointerObject(.arriving(from: table, rename: rename, location: location), nonce: random.uuid())
      try await put(arriving, at: target)
      try await keepNamespace(of: target.namespace)
      let left = PointerObject(.left(to: target, rename: rename), nonce: random.uuid())
      switch try await objects.replace(try key(table), source.tag, with: left.encoded()) {
      case .written:
        // Carried to its end by whoever looks next, if not by us.
        _ = try? await settled(target)
        return
      case .refused: try await withdraw(target, rename)
      case .overtaken: throw .outcomeUnknown("\(table): whether it was renamed in between is not known")
      }
    }
    throw .unavailable("\(table) changes faster than it is renamed")
  }

  /// The rename will not happen: the source changed under it.
  private func withdraw(_ target: TableIdentifier, _ rename: String) async throws(CatalogError) {
    guard let found = try await read(target), case .arriving(_, rename, _) = found.object.state else { return }
    let gone = PointerObject(.gone, nonce: random.uuid())
    _ = try await objects.replace(try key(target), found.tag, with: gone.encoded())
  }

  /// Makes sure that a rename whose reservation is in the way will not happen any more: its source changes under it.
  func forestall(_ source: TableIdentifier, _ rename: String) async throws(CatalogError) {
    guard let found = try await read(source) else { return }
    if case .left(_, rename) = found.object.state { return }  // it has happened: the next look finds a table
    let again = PointerObject(found.object.state, nonce: random.uuid())
    _ = try await objects.replace(try key(source), found.tag, with: again.encoded())
  }
}
