import LakePorts
import Synchronization

/// The lanes as they were listed last. Objects of lanes never change once written, so that a store need only say which are there, and where
/// none came or went the listing is good as it is.
final class KeptListing: Sendable {
  struct Kept: Sendable {
    let objects: KnownObjects
    let listing: LaneListing
  }
  private let kept = Mutex<Kept?>(nil)
  /// More are not kept.
  private static let objectsMax = 1 << 17

  var last: Kept? { kept.withLock { $0 } }

  func keep(_ objects: KnownObjects, _ listing: LaneListing) {
    kept.withLock {
      $0 = objects.objects.count <= KeptListing.objectsMax ? Kept(objects: objects, listing: listing) : nil
    }
  }
}
