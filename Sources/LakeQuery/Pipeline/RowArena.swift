import LakeModel

/// Memory for what a pipeline makes of one row; given out piece by piece, taken back all at once.
///
/// Pieces stay where they are until `reset`.
struct RowArena: ~Copyable {
  private var chunks: [RawStorage] = [RawStorage(capacity: RowArena.chunkBytes)]
  private var current = 0
  private var used = 0
  private static let chunkBytes = 64 << 10

  mutating func reset() {
    // What one odd row needed is not kept for all others.
    if chunks.count > 4 { chunks.removeLast(chunks.count - 4) }
    current = 0
    used = 0
  }

  /// `count` bytes that nothing else uses.
  mutating func allocate(_ count: Int) -> UnsafeMutableRawPointer {
    if used &+ count > chunks[current].capacity { advance(count) }
    let place = chunks[current].base + used
    used &+= count
    return place
  }

  private mutating func advance(_ count: Int) {
    current += 1
    used = 0
    if current < chunks.count && chunks[current].capacity >= count { return }
    chunks.insert(RawStorage(capacity: max(count, RowArena.chunkBytes)), at: current)
  }

  mutating func copy(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    guard let base = bytes.baseAddress, bytes.count > 0 else { return UnsafeRawBufferPointer(start: nil, count: 0) }
    let place = allocate(bytes.count)
    place.copyMemory(from: base, byteCount: bytes.count)
    return UnsafeRawBufferPointer(start: place, count: bytes.count)
  }

  mutating func copy(_ bytes: [UInt8]) -> UnsafeRawBufferPointer { bytes.withUnsafeBytes { copy($0) } }

  mutating func copy(_ text: String) -> UnsafeRawBufferPointer {
    var text = text
    return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
  }

  /// One run of bytes behind the other.
  mutating func join(_ a: UnsafeRawBufferPointer, _ b: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let place = allocate(a.count + b.count)
    if let base = a.baseAddress { place.copyMemory(from: base, byteCount: a.count) }
    if let base = b.baseAddress { (place + a.count).copyMemory(from: base, byteCount: b.count) }
    return UnsafeRawBufferPointer(start: place, count: a.count + b.count)
  }
}

/// A constant byte string with an address of its own.
struct FixedBytes: Sendable, Hashable {
  private let bytes: Bytes

  init(_ text: String) { bytes = Bytes(text) }
  init(_ array: [UInt8]) { bytes = Bytes(array) }

  /// Valid while this value is held.
  var buffer: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes.unsafeBase, count: bytes.count) }
  var array: [UInt8] { bytes.array }
}

extension UnsafeRawBufferPointer {
  static var none: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: nil, count: 0) }

  @inline(__always)
  func equals(_ other: UnsafeRawBufferPointer) -> Bool { count == other.count && ByteOrder.areEqual(self, other) }

  func part(_ range: Range<Int>) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: self[range])
  }

  var string: String { String(decoding: self, as: UTF8.self) }
}
