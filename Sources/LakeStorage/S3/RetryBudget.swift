import Glibc

/// A token bucket of repeats: a success earns a share of one, a repeat costs one.
///
/// `@unchecked Sendable`: `tokens` is guarded by `mutex`.
package final class RetryBudget: @unchecked Sendable {
  package struct Settings: Sendable {
    package var tokensMax = 500.0
    package var earnedPerSuccess = 0.2
    package init() {}
  }

  private let settings: Settings
  private let mutex: UnsafeMutablePointer<pthread_mutex_t>
  private var tokens: Double

  package init(_ settings: Settings = Settings()) {
    self.settings = settings
    tokens = settings.tokensMax
    mutex = .allocate(capacity: 1)
    mutex.initialize(to: pthread_mutex_t())
    pthread_mutex_init(mutex, nil)
  }

  deinit {
    pthread_mutex_destroy(mutex)
    mutex.deallocate()
  }

  package func earn() {
    pthread_mutex_lock(mutex)
    tokens = min(settings.tokensMax, tokens + settings.earnedPerSuccess)
    pthread_mutex_unlock(mutex)
  }

  /// - Returns: false when nothing is left.
  package func spend() -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if tokens < 1 { return false }
    tokens -= 1
    return true
  }
}
