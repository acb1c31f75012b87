private import Glibc

/// Owns one block of raw memory, written by one owner and read-only once shared.
///
/// `@unchecked Sendable`: builders write while they hold the only reference; `finish` hands out the storage and nothing
/// writes to it afterwards.
@usableFromInline package final class RawStorage: @unchecked Sendable {
  @usableFromInline package let base: UnsafeMutableRawPointer
  /// Bytes allocated, at least what was asked for.
  @usableFromInline package let capacity: Int
  private let origin: Origin

  /// Where the memory came from, and goes back to.
  private enum Origin {
    /// The allocator, which gave this address.
    case heap(UnsafeMutableRawPointer)
    case pool(bytes: Int)
    case adopted(@Sendable (UnsafeMutableRawPointer) -> Void)
  }

  /// Uninitialised memory, 64-byte aligned, with 64 readable bytes after `capacity` so that wide loads may overrun.
  @usableFromInline package init(capacity: Int) {
    precondition(capacity >= 0)
    self.capacity = capacity
    let bytes = capacity + RawStorage.paddingBytes
    if bytes < BlockPool.blockBytesMin {
      // Aligned here and not by the allocator: what it aligns it cuts from larger blocks, and does not keep for the next call.
      let address = UnsafeMutableRawPointer.allocate(byteCount: bytes + RawStorage.alignment, alignment: 1)
      base = address.alignedUp(toMultipleOf: RawStorage.alignment)
      origin = .heap(address)
    } else {
      let block = BlockPool.take(bytes)
      base = block.base
      origin = .pool(bytes: block.bytes)
    }
  }

  /// Takes over memory owned by somebody else (a mapped file, a C library); `release` gives it back.
  /// Such memory has no padding after its end.
  package init(
    adopting base: UnsafeMutableRawPointer, capacity: Int,
    release: @escaping @Sendable (UnsafeMutableRawPointer) -> Void
  ) {
    self.base = base
    self.capacity = capacity
    origin = .adopted(release)
  }

  deinit {
    switch origin {
    case .heap(let address): address.deallocate()
    case .pool(let bytes): BlockPool.give(base, bytes: bytes)
    case .adopted(let release): release(base)
    }
  }

  /// Readable bytes beyond `capacity` of memory that this class allocated itself.
  package static let paddingBytes = 64
  private static let alignment = 64
}

/// An immutable run of bytes that is shared, never copied, when sliced.
@usableFromInline package struct Bytes: Sendable {
  @usableFromInline package let storage: RawStorage
  /// Where the run starts in `storage`, in bytes.
  @usableFromInline package let offset: Int
  @usableFromInline package let count: Int

  @usableFromInline package init(storage: RawStorage, offset: Int, count: Int) {
    precondition(offset >= 0 && count >= 0 && offset + count <= storage.capacity)
    self.storage = storage
    self.offset = offset
    self.count = count
  }

  package init() { self.init(storage: Bytes.empty, offset: 0, count: 0) }

  package init(copying bytes: UnsafeRawBufferPointer) {
    let storage = RawStorage(capacity: bytes.count)
    if let base = bytes.baseAddress { storage.base.copyMemory(from: base, byteCount: bytes.count) }
    self.init(storage: storage, offset: 0, count: bytes.count)
  }

  package init(_ bytes: [UInt8]) {
    self = bytes.withUnsafeBytes { Bytes(copying: $0) }
  }

  package init(_ text: String) {
    var text = text
    self = text.withUTF8 { Bytes(copying: UnsafeRawBufferPointer($0)) }
  }

  private static let empty = RawStorage(capacity: 0)

  package var isEmpty: Bool { count == 0 }

  /// The bytes; the pointer is valid only inside `body`.
  @inlinable
  package func withUnsafeBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    let result = try body(UnsafeRawBufferPointer(start: UnsafeRawPointer(storage.base + offset), count: count))
    withExtendedLifetime(storage) {}
    return result
  }

  /// The first byte. Valid while `storage` is alive: the caller holds it (`withExtendedLifetime`).
  @inlinable
  package var unsafeBase: UnsafeRawPointer { UnsafeRawPointer(storage.base + offset) }

  /// A part of the run, sharing its memory. `range` is relative to this run.
  package subscript(_ range: Range<Int>) -> Bytes {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return Bytes(storage: storage, offset: offset + range.lowerBound, count: range.count)
  }

  package subscript(_ index: Int) -> UInt8 {
    precondition(index >= 0 && index < count)
    return (storage.base + offset + index).load(as: UInt8.self)
  }

  package var array: [UInt8] { withUnsafeBytes { Array($0) } }

  /// The bytes as text; invalid UTF-8 is repaired with U+FFFD.
  package var text: String { withUnsafeBytes { String(decoding: $0, as: UTF8.self) } }
}

extension Bytes: Equatable, Hashable {
  @usableFromInline package static func == (a: Bytes, b: Bytes) -> Bool {
    guard a.count == b.count else { return false }
    return a.withUnsafeBytes { left in
      b.withUnsafeBytes { right in left.isEmpty || memcmp(left.baseAddress!, right.baseAddress!, left.count) == 0 }
    }
  }
  @usableFromInline package func hash(into hasher: inout Hasher) { withUnsafeBytes { hasher.combine(bytes: $0) } }
}
