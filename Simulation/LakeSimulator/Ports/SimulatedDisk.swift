import LakeModel
import LakePorts

/// A file system that forgets what was not synced when it loses power.
///
/// Each directory has its entries as programs see them and as they are on the platter; a file's bytes are on the platter
/// once the file was synced. Losing power keeps, of everything that was not synced, what chance keeps: POSIX promises no
/// more, not even an order.
///
/// `@unchecked Sendable`: confined to the simulation's thread.
package final class SimulatedDisk: @unchecked Sendable {
  enum Entry: Equatable {
    case file(Int)
    case directory(Int)
  }

  struct File {
    var bytes: Bytes
    var modified: Int64
    var isOnPlatter = false
    /// A sync failed: later ones report success and do nothing, as kernels do that dropped the dirty pages.
    var hasFailedSync = false
  }

  struct Directory {
    /// By name; object keys are compared by bytes, as file names are.
    var entries: [ObjectKey: Entry] = [:]
    var platter: [ObjectKey: Entry] = [:]
  }

  private(set) var files: [Int: File] = [:]
  private(set) var directories: [Int: Directory] = [0: Directory()]
  /// The number of the newest file or directory.
  private(set) var issued = 0
  private let scheduler: Scheduler
  /// No program reaches the disk between a loss of power and the next start.
  var isDown = false

  init(scheduler: Scheduler) { self.scheduler = scheduler }

  private func newNumber() -> Int {
    issued += 1
    return issued
  }

  // MARK: finding

  func find(_ path: String) throws(FileError) -> Entry {
    var entry = Entry.directory(0)
    for segment in path.split(separator: "/") {
      guard case .directory(let number) = entry else { throw .wrongKind }
      guard let next = directories[number]!.entries[ObjectKey(trusted: String(segment))] else { throw .notFound }
      entry = next
    }
    return entry
  }

  func directory(_ path: String) throws(FileError) -> Int {
    guard case .directory(let number) = try find(path) else { throw .wrongKind }
    return number
  }

  func file(_ path: String) throws(FileError) -> Int {
    guard case .file(let number) = try find(path) else { throw .wrongKind }
    return number
  }

  private func split(_ path: String) throws(FileError) -> (directory: Int, name: ObjectKey) {
    guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else {
      return (0, ObjectKey(trusted: path))
    }
    return (try directory(String(path[..<slash])), ObjectKey(trusted: String(path[path.index(after: slash)...])))
  }

  /// The bytes of a file; nil when there is none.
  func contents(_ path: String) -> Bytes? { (try? file(path)).map { files[$0]!.bytes } }

  /// Every file there is, ascending.
  var paths: [String] {
    var found: [ObjectKey] = []
    var waiting = [("", 0)]
    while let (prefix, number) = waiting.popLast() {
      for (name, entry) in directories[number]!.entries {
        switch entry {
        case .file: found.append(ObjectKey(trusted: prefix + name.text))
        case .directory(let next): waiting.append((prefix + name.text + "/", next))
        }
      }
    }
    return found.sorted().map(\.text)
  }

  // MARK: changing

  func makeDirectory(_ path: String) throws(FileError) {
    let (parent, name) = try split(path)
    guard directories[parent]!.entries[name] == nil else { throw .exists }
    let number = newNumber()
    directories[number] = Directory()
    directories[parent]!.entries[name] = .directory(number)
  }

  func removeDirectory(_ path: String) throws(FileError) {
    let (parent, name) = try split(path)
    guard directories[try directory(path)]!.entries.isEmpty else { throw .notEmpty }
    directories[parent]!.entries[name] = nil
  }

  func syncDirectory(_ path: String, fails: Bool) throws(FileError) {
    let number = try directory(path)
    if fails { throw .failed("sync of \(path)") }
    directories[number]!.platter = directories[number]!.entries
  }

  func writeNew(_ path: String, _ pieces: [Bytes]) throws(FileError) {
    let (parent, name) = try split(path)
    guard directories[parent]!.entries[name] == nil else { throw .exists }
    let number = newNumber()
    let bytes = pieces.count == 1 ? pieces[0] : Bytes(pieces.flatMap(\.array))
    files[number] = File(bytes: bytes, modified: scheduler.now)
    directories[parent]!.entries[name] = .file(number)
  }

  func syncFile(_ path: String, fails: Bool) throws(FileError) {
    let number = try file(path)
    if fails {
      files[number]!.hasFailedSync = true
      throw .failed("sync of \(path)")
    }
    if !files[number]!.hasFailedSync { files[number]!.isOnPlatter = true }
  }

  func link(_ path: String, to target: String) throws(FileError) {
    let number = try file(path)
    let (parent, name) = try split(target)
    guard directories[parent]!.entries[name] == nil else { throw .exists }
    directories[parent]!.entries[name] = .file(number)
  }

  func rename(_ path: String, to target: String) throws(FileError) {
    let number = try file(path)
    let (source, old) = try split(path)
    let (parent, name) = try split(target)
    if case .directory = directories[parent]!.entries[name] { throw .wrongKind }
    directories[parent]!.entries[name] = .file(number)
    directories[source]!.entries[old] = nil
  }

  func unlink(_ path: String) throws(FileError) {
    _ = try file(path)
    let (parent, name) = try split(path)
    directories[parent]!.entries[name] = nil
  }

  /// - Parameter isLeftOut: asked by the number of each thing, in the order of names.
  func entries(_ path: String, leavingOut isLeftOut: (Int) -> Bool) throws(FileError) -> [FileEntry] {
    directories[try directory(path)]!.entries.sorted { $0.key < $1.key }.compactMap { name, entry in
      switch entry {
      case .directory(let number):
        isLeftOut(number) ? nil : FileEntry(name: name.text, isDirectory: true)
      case .file(let number):
        isLeftOut(number) ? nil : FileEntry(name: name.text, isDirectory: false)
      }
    }
  }

  // MARK: losing power

  /// What was not synced is gone, or not, as chance has it.
  package func losePower(_ random: inout SeededRandom) {
    for number in directories.keys.sorted() {
      let directory = directories[number]!
      var kept: [ObjectKey: Entry] = [:]
      for name in Set(directory.entries.keys).union(directory.platter.keys).sorted() {
        let (seen, stored) = (directory.entries[name], directory.platter[name])
        kept[name] = seen == stored || random.chance(0.5) ? stored : seen
      }
      directories[number]!.entries = kept
      directories[number]!.platter = kept
    }
    for number in files.keys.sorted() where !files[number]!.isOnPlatter {
      files[number]!.bytes = SimulatedDisk.torn(files[number]!.bytes, &random)
      files[number]!.isOnPlatter = true
      files[number]!.hasFailedSync = false
    }
  }

  /// Whole, empty, cut off, or with a hole of zeros.
  private static func torn(_ bytes: Bytes, _ random: inout SeededRandom) -> Bytes {
    guard bytes.count > 0 else { return bytes }
    switch random.uniform(0..<4) {
    case 0: return bytes
    case 1: return Bytes()
    case 2: return bytes[0..<random.uniform(0..<bytes.count)]
    default:
      var torn = bytes.array
      for index in random.uniform(0..<torn.count)..<torn.count { torn[index] = 0 }
      return Bytes(torn)
    }
  }
}
