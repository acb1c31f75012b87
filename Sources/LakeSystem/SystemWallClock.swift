import Glibc
package import LakeModel
import LakePorts

package struct SystemWallClock: WallClock {
  package init() {}

  /// A machine whose clock stands before 1970 gets the epoch.
  package var now: Timestamp { Timestamp(nanoseconds: UInt64(max(0, readClock(CLOCK_REALTIME)))) }
}
