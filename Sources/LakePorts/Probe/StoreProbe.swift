import LakeModel
import LakeSchema

/// What a store or catalog did that it must not: it is refused at start (PRT-3).
package struct ProbeFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package let description: String
}

/// Tries at start whether a store keeps its conditions: one that ignores them would lose or repeat rows silently (PRT-3).
package struct StoreProbe: Sendable {
  let store: any ObjectStore
  let random: any Randomness

  package init(store: any ObjectStore, random: any Randomness) {
    self.store = store
    self.random = random
  }

  /// Writes two small objects below `prefix` (ends in a slash, or is empty), tries every condition on them, and removes them.
  ///
  /// - Parameter needsReplacement: whether a right If-Match must succeed too, as the object-store catalog needs.
  /// - Throws: `ProbeFailure` that says which condition was ignored; a store that does not answer is a failure too.
  package func run(prefix: String, needsReplacement: Bool) async throws(ProbeFailure) {
    let key = ObjectKey(trusted: "\(prefix)probe-\(random.laneID())")
    let absent = ObjectKey(trusted: "\(prefix)probe-\(random.laneID())")
    do throws(ProbeFailure) {
      try await tryConditions(on: key, absent: absent, needsReplacement: needsReplacement)
    } catch {
      try? await store.delete(key)
      try? await store.delete(absent)
      throw error
    }
    try? await store.delete(key)
    try? await store.delete(absent)
  }

  private func tryConditions(on key: ObjectKey, absent: ObjectKey, needsReplacement: Bool) async throws(ProbeFailure) {
    let first = Bytes("first")
    let tag: ContentTag
    do { tag = try await store.put(key, first, condition: .ifAbsent) } catch { throw failure("creating \(key)", error) }
    try await mustRefuse("a second create of \(key)", key) { () async throws(ObjectStoreError) in
      _ = try await store.put(key, Bytes("second"), condition: .ifAbsent)
    }
    try await mustRefuse("an If-Match that names another content", key) { () async throws(ObjectStoreError) in
      _ = try await store.put(
        key, Bytes("second"), condition: .ifMatch(ContentTag("\"00000000000000000000000000000000\"")))
    }
    try await mustRefuse("an If-Match on an object that is not there", absent) { () async throws(ObjectStoreError) in
      _ = try await store.put(absent, Bytes("second"), condition: .ifMatch(tag))
    }
    let found: StoredObject
    do { found = try await store.get(key) } catch { throw failure("reading \(key) back", error) }
    guard found.bytes == first else {
      throw ProbeFailure(description: "the store lost the first content of \(key): it is not safe to write to")
    }
    guard needsReplacement else { return }
    do {
      _ = try await store.put(key, Bytes("second"), condition: .ifMatch(tag))
    } catch { throw failure("replacing \(key) by If-Match", error) }
  }

  private func mustRefuse(_ what: String, _ key: ObjectKey, _ write: () async throws(ObjectStoreError) -> Void)
    async throws(ProbeFailure)
  {
    do throws(ObjectStoreError) {
      try await write()
    } catch .preconditionFailed {
      return
    } catch {
      throw failure(what, error)
    }
    throw ProbeFailure(
      description:
        "the store accepted \(what): it ignores conditional writes, which keep rows from being lost or repeated")
  }

  private func failure(_ what: String, _ error: ObjectStoreError) -> ProbeFailure {
    let why =
      switch error {
      case .unavailable(let why), .throttled(let why), .denied(let why): why
      default: "\(error)"
      }
    return ProbeFailure(description: "\(what) failed: \(why)")
  }
}

/// Tries at start whether a catalog refuses a stale commit (PRT-3).
package struct CatalogProbe: Sendable {
  let catalog: any Catalog
  let random: any Randomness

  package init(catalog: any Catalog, random: any Randomness) {
    self.catalog = catalog
    self.random = random
  }

  /// Sends a commit whose requirement cannot hold; the table does not change.
  package func run(_ table: TableIdentifier) async throws(ProbeFailure) {
    do throws(CatalogError) {
      _ = try await catalog.commit(table, requirements: [.assertTableUUID(random.uuid())], updates: [])
    } catch .conflict {
      return
    } catch {
      throw ProbeFailure(description: "a commit to \(table) failed: \(error)")
    }
    throw ProbeFailure(description: "the catalog accepted a commit to \(table) whose requirement does not hold")
  }
}
