package import LakeModel
package import LakePorts

/// File operations of one life on a simulated disk: between any two of them the process may die or the power go.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class SimulatedFiles: FileOperations, @unchecked Sendable {
  private unowned let life: Life
  private let disk: SimulatedDisk
  private let network: Network
  /// Ends the life, or every life on the machine; called between two operations.
  private let strike: (Fault, Life) -> Void

  init(life: Life, disk: SimulatedDisk, network: Network, strike: @escaping (Fault, Life) -> Void) {
    self.life = life
    self.disk = disk
    self.network = network
    self.strike = strike
  }

  /// The newest thing on the disk when the work under way was begun.
  private var newestBefore = 0

  package func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R {
    let newest = disk.issued
    await delay()
    newestBefore = newest
    let result = work()
    await delay()
    return result
  }

  private func delay() async {
    await life.wait("the disk", subject: "", ifCancelled: ()) { wait in
      let isSlow = life.simulation.faults.occurs(.storeSlow)
      life.scheduler.schedule(after: isSlow ? network.slowTravel() : network.travel()) { wait.settle(()) }
    }
  }

  /// Every operation passes here first.
  private func touch() throws(FileError) {
    if !life.isFenced {
      if life.simulation.faults.occurs(.powerLoss) {
        strike(.powerLoss, life)
      } else if life.simulation.faults.occurs(.crash) {
        strike(.crash, life)
      }
    }
    if life.isFenced || disk.isDown { throw .failed("the process is gone") }
  }

  private func occurs(_ fault: Fault) -> Bool { life.simulation.faults.occurs(fault) }

  package func makeDirectory(_ path: String) throws(FileError) {
    try touch()
    try disk.makeDirectory(path)
  }

  package func removeDirectory(_ path: String) throws(FileError) {
    try touch()
    try disk.removeDirectory(path)
  }

  package func syncDirectory(_ path: String) throws(FileError) {
    try touch()
    try disk.syncDirectory(path, fails: occurs(.syncFailed))
  }

  package func writeNew(_ path: String, _ pieces: [Bytes]) throws(FileError) {
    try touch()
    if occurs(.diskFull) { throw .full("no space left") }
    try disk.writeNew(path, pieces)
  }

  package func syncFile(_ path: String) throws(FileError) {
    try touch()
    try disk.syncFile(path, fails: occurs(.syncFailed))
  }

  package func link(_ path: String, to target: String) throws(FileError) {
    try touch()
    try disk.link(path, to: target)
  }

  package func rename(_ path: String, to target: String) throws(FileError) {
    try touch()
    try disk.rename(path, to: target)
  }

  package func unlink(_ path: String) throws(FileError) {
    try touch()
    try disk.unlink(path)
  }

  package func read(_ path: String, range: ByteRange?) throws(FileError) -> (bytes: Bytes, status: FileStatus) {
    try touch()
    let status = try disk.status(path)
    if status.isDirectory { throw .wrongKind }
    let bytes = disk.files[try disk.file(path)]!.bytes
    guard let range else { return (bytes, status) }
    guard let span = range.resolved(size: bytes.count) else { throw .rangeNotSatisfiable(size: bytes.count) }
    return (bytes[span], status)
  }

  package func status(_ path: String) throws(FileError) -> FileStatus {
    try touch()
    return try disk.status(path)
  }

  package func listing(_ path: String) throws(FileError) -> DirectoryListing {
    try touch()
    // What came into a directory while it was being read may show or not, each thing for itself.
    return DirectoryListing(
      try disk.entries(path, leavingOut: { [self] in $0 > newestBefore && occurs(.listingOverlapped) }))
  }

  package func locked<R>(_ name: String, _ body: () -> R) throws(FileError) -> R {
    try touch()
    // Work is not interrupted by other work, so nobody else can hold the lock.
    return body()
  }
}

extension SimulatedDisk {
  func status(_ path: String) throws(FileError) -> FileStatus {
    switch try find(path) {
    case .directory: return FileStatus(size: 0, tag: ContentTag("directory"), modified: 0, isDirectory: true)
    case .file(let number):
      let file = files[number]!
      return FileStatus(
        size: file.bytes.count, tag: ContentTag("f\(number)"), modified: file.modified / 1_000_000, isDirectory: false)
    }
  }
}
