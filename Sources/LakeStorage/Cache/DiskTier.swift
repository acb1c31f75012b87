import Glibc
import LakeModel
import LakePorts
import Synchronization

/// Blocks as files of one folder, up to so many bytes. Nothing here is needed: whatever cannot be read or written is a miss.
final class DiskTier: Sendable {
  private struct State {
    var files: RecentUse<String, Int>
    /// Files by the object they belong to, so that a new process knows what it has.
    var ofKey: [Substring: Set<String>] = [:]
    var writing = 0
    /// Counts what was forgotten: what was on its way before that does not stay.
    var epoch = 0
  }

  private let folder: String
  private let pool: BlockingPool
  private let state: Mutex<State>
  /// Files that may be under way at once; further ones are not written.
  private static let writingMax = 64
  private static let keyDigits = 16

  /// Takes over what an earlier process left.
  init(folder: String, bytesMax: Int, pool: BlockingPool) {
    self.folder = folder
    self.pool = pool
    var found = State(files: RecentUse(weightMax: bytesMax))
    DiskTier.makeFolders(folder)
    for file in DiskTier.scan(folder) {
      for (gone, _) in found.files.keep(file.name, file.size, weight: file.size) {
        DiskTier.remove(folder, gone, &found)
      }
      if found.files.find(file.name) != nil {
        found.ofKey[file.name.prefix(DiskTier.keyDigits), default: []].insert(file.name)
      }
    }
    state = Mutex(found)
  }

  var bytes: Int { state.withLock { $0.files.weight } }

  func block(_ id: BlockID) async -> CacheBlock? {
    let name = CacheBlock.fileName(id)
    guard state.withLock({ $0.files.find(name) }) != nil, let found = await read(name) else { return nil }
    return found.id == id ? found : nil
  }

  /// Some block of the object, for its size and tag.
  func anyBlock(of key: ObjectKey) async -> CacheBlock? {
    let digits = CacheBlock.fileName(of: key)[...]
    guard let name = state.withLock({ $0.ofKey[digits]?.min() }), let found = await read(name) else { return nil }
    return found.id.key == key ? found : nil
  }

  /// A file that is not what it should be is removed.
  private func read(_ name: String) async -> CacheBlock? {
    let path = "\(folder)/\(name.prefix(2))/\(name)"
    let block = await pool.run { DiskTier.contents(path).flatMap(CacheBlock.init(file:)) }
    if block == nil { forget(name) }
    return block
  }

  private func forget(_ name: String) {
    state.withLock { state in
      state.files.remove(name)
      DiskTier.remove(folder, name, &state)
    }
  }

  func forget(_ key: ObjectKey) {
    let digits = CacheBlock.fileName(of: key)[...]
    state.withLock { $0.epoch += 1 }
    for name in state.withLock({ $0.ofKey[digits] ?? [] }) { forget(name) }
  }

  /// Comes back at once when too many files are under way: a cache that slows its users down is none.
  func keep(_ block: CacheBlock) async {
    let epoch: Int? = state.withLock { state in
      if state.writing >= DiskTier.writingMax { return nil }
      state.writing += 1
      return state.epoch
    }
    guard let epoch else { return }
    let name = CacheBlock.fileName(block.id)
    let folder = folder
    let size: Int? = await pool.run {
      let bytes = block.encoded()
      return DiskTier.write(bytes, "\(folder)/\(name.prefix(2))/\(name)") ? bytes.count : nil
    }
    state.withLock { state in
      state.writing -= 1
      guard let size else { return }
      guard state.epoch == epoch else { return DiskTier.remove(folder, name, &state) }
      state.ofKey[name.prefix(DiskTier.keyDigits), default: []].insert(name)
      for (gone, _) in state.files.keep(name, size, weight: size) { DiskTier.remove(folder, gone, &state) }
    }
  }

  // MARK: files

  private static func remove(_ folder: String, _ name: String, _ state: inout State) {
    let key = name.prefix(keyDigits)
    state.ofKey[key]?.remove(name)
    if state.ofKey[key]?.isEmpty == true { state.ofKey[key] = nil }
    unlink("\(folder)/\(name.prefix(2))/\(name)")
  }

  private static func makeFolders(_ folder: String) {
    var path = ""
    for part in folder.split(separator: "/", omittingEmptySubsequences: false) {
      path += part.isEmpty ? (path.isEmpty && folder.hasPrefix("/") ? "/" : "") : "\(part)/"
      if !path.isEmpty { mkdir(path, 0o755) }
    }
    let digits = Array("0123456789abcdef")
    for high in digits { for low in digits { mkdir("\(folder)/\(high)\(low)", 0o755) } }
  }

  /// Files of ours, oldest first; what a crash left half written goes.
  private static func scan(_ folder: String) -> [(name: String, size: Int)] {
    var found: [(name: String, size: Int, seconds: Int)] = []
    let digits = Array("0123456789abcdef")
    for high in digits {
      for low in digits {
        let inner = "\(folder)/\(high)\(low)"
        guard let directory = opendir(inner) else { continue }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
          let name = withUnsafePointer(to: &entry.pointee.d_name) {
            $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
          }
          if name.hasPrefix(".") {
            if name.hasPrefix(".new-") { unlink("\(inner)/\(name)") }
            continue
          }
          var information = stat()
          guard stat("\(inner)/\(name)", &information) == 0 else { continue }
          found.append((name, Int(information.st_size), information.st_mtim.tv_sec))
        }
      }
    }
    return found.sorted { ($0.seconds, $0.name) < ($1.seconds, $1.name) }.map { ($0.name, $0.size) }
  }

  private static let fileBytesMax = 64 << 20

  private static func contents(_ path: String) -> Bytes? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var information = stat()
    guard fstat(file, &information) == 0, information.st_size <= fileBytesMax else { return nil }
    let size = Int(information.st_size)
    let storage = RawStorage(capacity: size)
    var done = 0
    while done < size {
      let count = Glibc.read(file, storage.base + done, size - done)
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { return nil }
      done += count
    }
    return Bytes(storage: storage, offset: 0, count: size)
  }

  /// Under another name first: a file with its name is whole, unless the machine went down, which the checksum shows.
  private static func write(_ bytes: [UInt8], _ path: String) -> Bool {
    guard let slash = path.lastIndex(of: "/") else { return false }
    let draft = "\(path[..<slash])/.new-\(path[path.index(after: slash)...])-\(getpid())-\(pthread_self())"
    let file = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard file >= 0 else { return false }
    var done = 0
    while done < bytes.count {
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress! + done, bytes.count - done) }
      if count < 0 && errno == EINTR { continue }
      if count <= 0 { break }
      done += count
    }
    close(file)
    guard done == bytes.count, rename(draft, path) == 0 else {
      unlink(draft)
      return false
    }
    return true
  }
}
