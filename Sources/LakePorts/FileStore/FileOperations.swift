package import LakeModel

/// The file system calls that `FileObjectStore` needs, one system call each, so that the simulator can lose power between any two.
///
/// Paths are relative to the store's root, `/`-separated; `""` is the root itself. All calls block; they are made inside `run`.
package protocol FileOperations: Sendable {
  /// Runs blocking work where blocking is allowed and gives back its result.
  func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R

  func makeDirectory(_ path: String) throws(FileError)
  /// Removes an empty directory; anything else in it is `.notEmpty`.
  func removeDirectory(_ path: String) throws(FileError)
  /// Makes the entries of a directory durable.
  func syncDirectory(_ path: String) throws(FileError)
  /// Creates a file that must not exist and writes all of `pieces`. Nothing is durable yet.
  func writeNew(_ path: String, _ pieces: [Bytes]) throws(FileError)
  /// Makes the contents of a file durable.
  func syncFile(_ path: String) throws(FileError)
  /// A second name for a file; `.exists` when the name is taken.
  func link(_ path: String, to target: String) throws(FileError)
  /// Moves a file over whatever bears the target name.
  func rename(_ path: String, to target: String) throws(FileError)
  func unlink(_ path: String) throws(FileError)
  /// Bytes of a file and what it was at the moment of opening. `range` nil: the whole.
  func read(_ path: String, range: ByteRange?) throws(FileError) -> (bytes: Bytes, status: FileStatus)
  func status(_ path: String) throws(FileError) -> FileStatus
  /// Entries of a directory in no order.
  func listing(_ path: String) throws(FileError) -> DirectoryListing
  /// Runs `body` while nobody else, in any process, holds the same lock.
  func locked<R>(_ name: String, _ body: () -> R) throws(FileError) -> R
}

package struct FileStatus: Hashable, Sendable {
  /// Bytes.
  package let size: Int
  /// Names this content of this file: no two contents ever written to the store share it.
  package let tag: ContentTag
  /// Milliseconds since the epoch.
  package let modified: Int64
  package let isDirectory: Bool

  package init(size: Int, tag: ContentTag, modified: Int64, isDirectory: Bool) {
    self.size = size
    self.tag = tag
    self.modified = modified
    self.isDirectory = isDirectory
  }
}

package struct FileEntry: Hashable, Sendable {
  package let name: String
  package let isDirectory: Bool

  package init(name: String, isDirectory: Bool) {
    self.name = name
    self.isDirectory = isDirectory
  }
}

package enum FileError: Error, Hashable, Sendable {
  case notFound
  case exists
  case notEmpty
  /// A directory where a file was expected, or the other way round.
  case wrongKind
  case rangeNotSatisfiable(size: Int)
  /// No space, quota.
  case full(String)
  case denied(String)
  /// Anything else, an I/O error above all. After it nothing is known of what was being written.
  case failed(String)
}
