package import LakePorts
import LakeSchema

/// Metadata files first, then every pointer in one step.
extension PointerCatalog: MultiTableCatalog where Pointers: MultiTablePointers {
  package func commit(_ changes: [TableChange]) async throws(CatalogError) {
    var swaps: [PointerSwap] = []
    var outdated: [String] = []
    do throws(CatalogError) {
      for change in changes {
        guard let step = try await prepare(change) else { continue }
        swaps.append(step.swap)
        outdated += step.outdated
      }
      if swaps.isEmpty { return }
      guard try await pointers.swapAll(swaps) else {
        throw .conflict("another commit came first to one of \(swaps.count) tables")
      }
    } catch {
      // After an unknown outcome the files may be the tables' own.
      if case .outcomeUnknown = error { throw error }
      await files.delete(swaps.map(\.location))
      if case .tableExists(let table) = error { throw .conflict("\(table) was created meanwhile") }
      throw error
    }
    await files.delete(outdated)
  }

  /// Writes the metadata file of one table.
  /// - Returns: nil when the change changes nothing; the files that the table then has no use for.
  private func prepare(_ change: TableChange) async throws(CatalogError) -> (swap: PointerSwap, outdated: [String])? {
    let metadata: TableMetadata
    let found = try await find(change.table)
    if let found {
      do {
        metadata = try found.state.metadata.applying(
          requirements: change.requirements, updates: change.updates, now: now,
          previousLocation: found.state.metadataLocation)
      } catch { throw CatalogRules.error(of: error) }
      if metadata == found.state.metadata { return nil }
    } else {
      guard change.requirements.contains(.assertCreate) else { throw .noSuchTable(change.table) }
      try CatalogRules.check(change.table)
      do {
        metadata = try TableMetadata.creating(requirements: change.requirements, updates: change.updates, now: now)
      } catch { throw CatalogRules.error(of: error) }
      _ = try await pointers.reserve(change.table, location: metadata.location)
    }
    let location = MetadataFileName.next(
      for: metadata, after: found?.state.metadataLocation, uuid: random.uuid())
    do { try await files.write(metadata, to: location) } catch { throw error.catalogError }
    let outdated = found.map { Self.metadataFilesPast($0.state.metadata, metadata) } ?? []
    return (PointerSwap(table: change.table, old: found?.pointer, location: location), outdated)
  }
}
