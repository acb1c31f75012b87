import CLinux
import Glibc
package import LakeModel
package import LakePorts

/// `FileOperations` on a real directory.
///
/// A file's tag is made of its modification time, inode and size. The time is set by us, at nanosecond resolution with
/// random low digits, before the file gets its name, so that two contents never share one even when the kernel's clock
/// has not ticked and the inode is used again.
package struct PosixFiles: FileOperations {
  let root: String
  let pool: BlockingPool
  let random: any Randomness
  let wall: any WallClock

  /// - Parameter root: an absolute path; made when missing.
  package init(root: String, pool: BlockingPool, random: any Randomness, wall: any WallClock) throws(FileError) {
    self.root = root.count > 1 && root.hasSuffix("/") ? String(root.dropLast()) : root
    self.pool = pool
    self.random = random
    self.wall = wall
    var made = ""
    for segment in self.root.split(separator: "/") {
      made += "/" + segment
      if mkdir(made, 0o755) != 0 && errno != EEXIST { throw PosixFiles.error("mkdir \(made)") }
    }
    for directory in [".icegate", ".icegate/locks"] {
      do throws(FileError) { try makeDirectory(directory) } catch .exists {}
    }
  }

  package func run<R: Sendable>(_ work: @escaping @Sendable () -> R) async -> R { await pool.run(work) }

  private func absolute(_ path: String) -> String { path.isEmpty ? root : "\(root)/\(path)" }

  package func makeDirectory(_ path: String) throws(FileError) {
    if mkdir(absolute(path), 0o755) != 0 { throw PosixFiles.error("mkdir \(path)") }
  }

  package func removeDirectory(_ path: String) throws(FileError) {
    if rmdir(absolute(path)) != 0 { throw PosixFiles.error("rmdir \(path)") }
  }

  package func syncDirectory(_ path: String) throws(FileError) { try sync(path, O_RDONLY | O_DIRECTORY) }

  package func syncFile(_ path: String) throws(FileError) { try sync(path, O_RDONLY) }

  private func sync(_ path: String, _ flags: Int32) throws(FileError) {
    let descriptor = try open(path, flags)
    defer { close(descriptor) }
    if fsync(descriptor) != 0 { throw PosixFiles.error("fsync \(path)") }
  }

  package func writeNew(_ path: String, _ pieces: [Bytes]) throws(FileError) {
    let descriptor = try open(path, O_WRONLY | O_CREAT | O_EXCL)
    defer { close(descriptor) }
    for piece in pieces { try write(descriptor, piece, path) }
    let now = wall.now.nanoseconds
    let stamp = now - now % 1_000_000 + UInt64(random.uniform(0..<1_000_000))
    let time = timespec(tv_sec: Int(stamp / 1_000_000_000), tv_nsec: Int(stamp % 1_000_000_000))
    if futimens(descriptor, [time, time]) != 0 { throw PosixFiles.error("futimens \(path)") }
  }

  private func write(_ descriptor: Int32, _ bytes: Bytes, _ path: String) throws(FileError) {
    try bytes.withUnsafeBytes { (buffer) throws(FileError) in
      var done = 0
      while done < buffer.count {
        let count = Glibc.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
        if count < 0 {
          if errno == EINTR { continue }
          throw PosixFiles.error("write \(path)")
        }
        done += count
      }
    }
  }

  package func link(_ path: String, to target: String) throws(FileError) {
    if Glibc.link(absolute(path), absolute(target)) != 0 { throw PosixFiles.error("link \(target)") }
  }

  package func rename(_ path: String, to target: String) throws(FileError) {
    if Glibc.rename(absolute(path), absolute(target)) != 0 { throw PosixFiles.error("rename \(target)") }
  }

  package func unlink(_ path: String) throws(FileError) {
    if Glibc.unlink(absolute(path)) != 0 { throw PosixFiles.error("unlink \(path)") }
  }

  package func read(_ path: String, range: ByteRange?) throws(FileError) -> (bytes: Bytes, status: FileStatus) {
    let descriptor = try open(path, O_RDONLY)
    defer { close(descriptor) }
    let status = try status(of: descriptor, path)
    if status.isDirectory { throw .wrongKind }
    let span = try PosixFiles.resolve(range, size: status.size)
    let storage = RawStorage(capacity: span.count)
    var done = 0
    while done < span.count {
      let count = pread(descriptor, storage.base + done, span.count - done, span.lowerBound + done)
      if count < 0 {
        if errno == EINTR { continue }
        throw PosixFiles.error("read \(path)")
      }
      if count == 0 { throw .failed("\(path) ended at \(span.lowerBound + done) of \(status.size) bytes") }
      done += count
    }
    return (Bytes(storage: storage, offset: 0, count: span.count), status)
  }

  private static func resolve(_ range: ByteRange?, size: Int) throws(FileError) -> Range<Int> {
    switch range {
    case nil: return 0..<size
    case .span(let span):
      guard span.lowerBound >= 0, span.lowerBound < size, !span.isEmpty else { throw .rangeNotSatisfiable(size: size) }
      return span.lowerBound..<min(span.upperBound, size)
    case .from(let start):
      guard start >= 0, start < size else { throw .rangeNotSatisfiable(size: size) }
      return start..<size
    case .suffix(let count):
      guard count > 0 else { throw .rangeNotSatisfiable(size: size) }
      return max(0, size - count)..<size
    }
  }

  package func status(_ path: String) throws(FileError) -> FileStatus {
    var result = stat()
    if lstat(absolute(path), &result) != 0 { throw PosixFiles.error("stat \(path)") }
    return PosixFiles.status(result)
  }

  private func status(of descriptor: Int32, _ path: String) throws(FileError) -> FileStatus {
    var result = stat()
    if fstat(descriptor, &result) != 0 { throw PosixFiles.error("stat \(path)") }
    return PosixFiles.status(result)
  }

  private static func status(_ result: stat) -> FileStatus {
    let seconds = Int64(result.st_mtim.tv_sec)
    let nanoseconds = Int64(result.st_mtim.tv_nsec)
    let time = UInt64(bitPattern: seconds &* 1_000_000_000 &+ nanoseconds)
    return FileStatus(
      size: Int(result.st_size), tag: ContentTag(tag(time, UInt64(result.st_ino), result.st_size)),
      modified: seconds * 1000 + nanoseconds / 1_000_000,
      isDirectory: result.st_mode & S_IFMT == S_IFDIR)
  }

  /// `<time>-<inode>-<size>`, the first two in hex; in one piece, because a listing makes one for each object.
  static func tag(_ time: UInt64, _ inode: UInt64, _ size: Int) -> String {
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { out in
      var start = 64
      func write(_ number: UInt64, radix: UInt64) {
        var rest = number
        repeat {
          start -= 1
          let digit = UInt8(truncatingIfNeeded: rest % radix)
          out[start] = digit < 10 ? 48 + digit : 87 + digit
          rest /= radix
        } while rest > 0
      }
      func dash() {
        start -= 1
        out[start] = UInt8(ascii: "-")
      }
      write(UInt64(size.magnitude), radix: 10)
      if size < 0 { dash() }
      dash()
      write(inode, radix: 16)
      dash()
      write(time, radix: 16)
      return String(decoding: out[start...], as: UTF8.self)
    }
  }

  package func listing(_ path: String) throws(FileError) -> DirectoryListing {
    guard let directory = opendir(absolute(path)) else { throw PosixFiles.error("opendir \(path)") }
    defer { closedir(directory) }
    var found = DirectoryListing()
    found.reserve(bytes: PosixFiles.listingBytesUsual)
    while true {
      errno = 0
      guard let entry = readdir(directory) else {
        if errno != 0 { throw PosixFiles.error("readdir \(path)") }
        return found
      }
      let type = Int32(entry.pointee.d_type)
      withUnsafeBytes(of: &entry.pointee.d_name) { name in
        let name = UnsafeRawBufferPointer(start: name.baseAddress, count: strnlen(name.baseAddress!, name.count))
        if name[0] == UInt8(ascii: "."), name.count == 1 || (name.count == 2 && name[1] == UInt8(ascii: ".")) { return }
        found.append(name, isDirectory: type == Int32(DT_UNKNOWN) ? isDirectory(name, in: path) : type == Int32(DT_DIR))
      }
    }
  }

  private static let listingBytesUsual = 8 << 10

  /// For file systems that do not tell with the name.
  private func isDirectory(_ name: UnsafeRawBufferPointer, in path: String) -> Bool {
    let name = String(decoding: name, as: UTF8.self)
    return (try? status(path.isEmpty ? name : "\(path)/\(name)"))?.isDirectory ?? false
  }

  package func locked<R>(_ name: String, _ body: () -> R) throws(FileError) -> R {
    let descriptor = try open(".icegate/locks/\(name)", O_RDWR | O_CREAT)
    defer { close(descriptor) }
    while flock(descriptor, LOCK_EX) != 0 {
      if errno != EINTR { throw PosixFiles.error("flock \(name)") }
    }
    return body()
  }

  private func open(_ path: String, _ flags: Int32) throws(FileError) -> Int32 {
    let descriptor = Glibc.open(absolute(path), flags | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw PosixFiles.error("open \(path)") }
    return descriptor
  }

  private static func error(_ what: String) -> FileError {
    let code = errno
    let text = "\(what): \(String(cString: strerror(code)))"
    return switch code {
    case ENOENT: .notFound
    case EEXIST: .exists
    case ENOTEMPTY: .notEmpty
    case ENOTDIR, EISDIR: .wrongKind
    case ENOSPC, EDQUOT: .full(text)
    case EACCES, EPERM, EROFS, ENAMETOOLONG: .denied(text)
    default: .failed(text)
    }
  }
}
