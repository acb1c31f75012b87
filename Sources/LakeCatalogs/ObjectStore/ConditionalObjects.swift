import LakeModel
import LakePorts

/// Small objects that are read and replaced on condition only, with lost replies settled where they can be.
struct ConditionalObjects: Sendable {
  let store: any ObjectStore

  /// How often a put whose fate is unknown is looked after.
  static let settleAttemptsMax = 5

  struct Found: Sendable {
    let bytes: Bytes
    let tag: ContentTag
  }

  enum Outcome: Sendable, Equatable {
    case written
    /// Something else is there; ours is not and never will be.
    case refused
    /// The object is not what the condition asked for any more, and whether it was ours in between cannot be told.
    case overtaken
  }

  func read(_ key: ObjectKey) async throws(CatalogError) -> Found? {
    do {
      let found = try await store.get(key)
      return Found(bytes: found.bytes, tag: found.info.tag)
    } catch {
      if case .notFound = error { return nil }
      throw ConditionalObjects.error(error)
    }
  }

  /// - Parameter base: what must be there now; nil: nothing.
  func replace(_ key: ObjectKey, _ base: ContentTag?, with bytes: Bytes) async throws(CatalogError) -> Outcome {
    let condition = base.map { PutCondition.ifMatch($0) } ?? .ifAbsent
    var isUnknown = false
    var why = ""
    for _ in 0..<ConditionalObjects.settleAttemptsMax {
      do throws(ObjectStoreError) {
        _ = try await store.put(key, bytes, condition: condition)
        return .written
      } catch {
        switch error {
        case .preconditionFailed: return try await settle(key, bytes, isUnknown)
        case .outcomeUnknown(_, let what): (isUnknown, why) = (true, what)
        case .unavailable(let what), .throttled(let what):
          if !isUnknown { throw .unavailable(what) }
          why = what
        default:
          if !isUnknown { throw ConditionalObjects.error(error) }
          throw .outcomeUnknown("\(key): \(error)")
        }
      }
    }
    throw .outcomeUnknown("\(key): \(why)")
  }

  /// The condition does not hold. No content comes twice, so an earlier try of ours that stood either still does or was
  /// replaced; a try still under way cannot stand any more.
  private func settle(_ key: ObjectKey, _ bytes: Bytes, _ isUnknown: Bool) async throws(CatalogError) -> Outcome {
    do throws(ObjectStoreError) {
      if try await store.get(key).bytes == bytes { return .written }
    } catch .notFound {
    } catch {
      throw .outcomeUnknown("\(key): \(error)")
    }
    return isUnknown ? .overtaken : .refused
  }

  static func error(_ error: ObjectStoreError) -> CatalogError {
    switch error {
    case .cancelled: .cancelled
    case .denied(let why): .denied(why)
    case .corrupt(let key, let why): .corrupt("\(key): \(why)")
    case .outcomeUnknown(let key, let why): .outcomeUnknown("\(key): \(why)")
    case .notFound, .preconditionFailed, .rangeNotSatisfiable, .unavailable, .throttled: .unavailable("\(error)")
    }
  }
}
