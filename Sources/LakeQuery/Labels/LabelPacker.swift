import LakeModel

/// Writes packed label sets, one after another, into memory that is used again.
struct LabelPacker: ~Copyable {
  private(set) var out = BufferBuilder<UInt8>(capacity: 512)
  private(set) var labelCount = 0

  mutating func begin() {
    out.count = 0
    labelCount = 0
  }

  /// - Precondition: names come ascending, each once.
  mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    let counts = out.reserve(8)
    UnsafeMutableRawPointer(counts).storeBytes(of: UInt32(name.count).littleEndian, as: UInt32.self)
    UnsafeMutableRawPointer(counts + 4).storeBytes(of: UInt32(value.count).littleEndian, as: UInt32.self)
    out.count += 8
    for bytes in [name, value] {
      guard let base = bytes.baseAddress else { continue }
      out.append(contentsOf: base.assumingMemoryBound(to: UInt8.self), count: bytes.count)
    }
    labelCount += 1
  }

  mutating func append(name: [UInt8], value: UnsafeRawBufferPointer) {
    name.withUnsafeBytes { append(name: $0, value: value) }
  }

  /// The set written since `begin`, readable inside `body` only.
  borrowing func withPacked<R>(_ body: (UnsafeRawBufferPointer) throws -> R) rethrows -> R {
    try out.withValues { try body(UnsafeRawBufferPointer($0)) }
  }

  /// Everything that was written.
  consuming func finish() -> Bytes {
    let bytes = out.finish()
    return Bytes(storage: bytes.storage, offset: bytes.offset, count: bytes.count)
  }

  var set: LabelSet {
    withPacked { LabelSet(packed: Bytes(copying: $0), count: labelCount) }
  }
}

/// Packs label sets behind each other into one block of memory that all of them share.
struct LabelArena: ~Copyable {
  private var packer = LabelPacker()
  /// Where each set ends, and how many labels it has.
  private var ends: [(end: Int, labels: Int)] = []

  mutating func append(name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) {
    packer.append(name: name, value: value)
  }

  /// Ends a set: what was appended since the last one.
  /// - Returns: its bytes.
  @discardableResult
  mutating func end() -> Int {
    let before = ends.last ?? (0, 0)
    ends.append((packer.out.count, packer.labelCount))
    return packer.out.count - before.end
  }

  consuming func finish() -> [LabelSet] {
    let ends = ends
    let bytes = packer.finish()
    var start = (end: 0, labels: 0)
    return ends.map { end in
      defer { start = end }
      return LabelSet(packed: bytes[start.end..<end.end], count: end.labels - start.labels)
    }
  }
}

extension SeriesTable {
  mutating func number(of packer: borrowing LabelPacker) -> Int {
    let count = packer.labelCount
    return packer.withPacked { number(of: $0, labelCount: count) }
  }
}
