import LakeModel
import LakePorts

/// PRT-1: what a store answered stands, whatever happens to the machine afterwards.
///
/// A wrapper around each life's store that writes down what was answered, in a ledger outside of the machine. It does not
/// look at reads; of writes to one key that overlap it takes any to be the last.
struct AnsweredWrites: ObjectStore {
  let base: any ObjectStore
  let ledger: WriteLedger

  func get(_ key: ObjectKey, range: ByteRange?) async throws(ObjectStoreError) -> StoredObject {
    try await base.get(key, range: range)
  }

  func head(_ key: ObjectKey) async throws(ObjectStoreError) -> ObjectInfo { try await base.head(key) }

  func put(_ key: ObjectKey, _ bytes: Bytes, condition: PutCondition) async throws(ObjectStoreError) -> ContentTag {
    let write = ledger.begin(key, bytes)
    do throws(ObjectStoreError) {
      let tag = try await base.put(key, bytes, condition: condition)
      ledger.end(write, .done)
      return tag
    } catch {
      switch error {
      // Something is there, and the answer says that it is durable.
      case .preconditionFailed where condition == .ifAbsent: ledger.end(write, .somethingStands)
      case .outcomeUnknown: ledger.end(write, .unknown)
      default: ledger.end(write, .nothingDone)
      }
      throw error
    }
  }

  func delete(_ key: ObjectKey) async throws(ObjectStoreError) {
    let write = ledger.begin(key, nil)
    do throws(ObjectStoreError) {
      try await base.delete(key)
      ledger.end(write, .done)
    } catch {
      if case .outcomeUnknown = error { ledger.end(write, .unknown) } else { ledger.end(write, .nothingDone) }
      throw error
    }
  }

  func list(prefix: String, delimiter: String?, startAfter: String?, limit: Int) async throws(ObjectStoreError)
    -> ObjectPage
  { try await base.list(prefix: prefix, delimiter: delimiter, startAfter: startAfter, limit: limit) }

  func beginUpload(_ key: ObjectKey) async throws(ObjectStoreError) -> any ObjectUpload {
    try await base.beginUpload(key)
  }
}

/// What each key may hold after what was answered.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
final class WriteLedger: @unchecked Sendable {
  enum End { case done, somethingStands, unknown, nothingDone }

  final class Write {
    let key: ObjectKey
    /// nil: a delete.
    let bytes: Bytes?
    /// What else was being done to the key meanwhile.
    var overlapping: [Bytes?] = []

    init(key: ObjectKey, bytes: Bytes?) {
      self.key = key
      self.bytes = bytes
    }
  }

  private struct Account {
    /// What the key may hold; nil stands for no object.
    var possible: [Bytes?] = [nil]
    var underWay: [Write] = []
  }

  private var accounts: [ObjectKey: Account] = [:]

  func begin(_ key: ObjectKey, _ bytes: Bytes?) -> Write {
    let write = Write(key: key, bytes: bytes)
    var account = accounts[key] ?? Account()
    for other in account.underWay {
      other.overlapping.append(bytes)
      write.overlapping.append(other.bytes)
    }
    account.possible.append(bytes)
    account.underWay.append(write)
    accounts[key] = account
    return write
  }

  func end(_ write: Write, _ end: End) {
    var account = accounts[write.key]!
    account.underWay.removeAll { $0 === write }
    switch end {
    case .done: account.possible = [write.bytes] + write.overlapping
    case .somethingStands: if write.overlapping.isEmpty { account.possible.removeAll { $0 == nil } }
    case .unknown, .nothingDone: break
    }
    accounts[write.key] = account
  }

  /// What is wrong with what the disk holds after a loss of power; nil when nothing is.
  func finding(_ read: (ObjectKey) -> Bytes?) -> String? {
    for key in accounts.keys.sorted() {
      accounts[key]!.underWay = []
      let found = read(key)
      if accounts[key]!.possible.contains(found) { continue }
      let wanted = accounts[key]!.possible.map(WriteLedger.describe).joined(separator: " or ")
      return "\(key) holds \(WriteLedger.describe(found)) after a loss of power, instead of \(wanted)"
    }
    return nil
  }

  private static func describe(_ bytes: Bytes?) -> String { bytes.map { "\"\($0.text)\"" } ?? "nothing" }
}
