/// The journal events of the engines that every large swarm should have met: rare branches above all.
///
/// A tidy test compares the list with the sources.
package enum Coverage {
  package static let branches: [String] = []
}
