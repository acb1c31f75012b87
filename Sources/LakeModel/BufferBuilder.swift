/// A growing run of fixed-width values in raw memory.
///
/// Growth doubles; appends are one bounds check and one store. `finish` hands the memory over without copying.
///
/// `@usableFromInline` on a package type, and on what its `@inlinable` members touch, is what lets other modules inline them: without it
/// each append is a call of the unspecialised generic, twenty times slower.
@usableFromInline package struct BufferBuilder<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline package var storage: RawStorage
  @usableFromInline package var base: UnsafeMutablePointer<Element>
  @usableFromInline package var capacity: Int
  @usableFromInline package var count: Int

  package init(capacity: Int = 64) {
    storage = RawStorage(capacity: max(capacity, 1) * MemoryLayout<Element>.stride)
    base = storage.base.bindMemory(to: Element.self, capacity: max(capacity, 1))
    self.capacity = max(capacity, 1)
    count = 0
  }

  @inlinable
  package mutating func append(_ value: Element) {
    if count == capacity { grow(to: count + 1) }
    base[count] = value
    count &+= 1
  }

  /// Makes room for `extra` values and returns where the first of them goes; the caller writes them and adds to `count`.
  @inlinable
  package mutating func reserve(_ extra: Int) -> UnsafeMutablePointer<Element> {
    if count + extra > capacity { grow(to: count + extra) }
    return base + count
  }

  @inlinable
  package mutating func append(contentsOf source: UnsafePointer<Element>, count extra: Int) {
    reserve(extra).update(from: source, count: extra)
    count &+= extra
  }

  @inlinable
  package mutating func append(repeating value: Element, count extra: Int) {
    reserve(extra).update(repeating: value, count: extra)
    count &+= extra
  }

  @usableFromInline
  package mutating func grow(to needed: Int) {
    let grown = max(needed, capacity * 2)
    let next = RawStorage(capacity: grown * MemoryLayout<Element>.stride)
    next.base.copyMemory(from: UnsafeRawPointer(base), byteCount: count * MemoryLayout<Element>.stride)
    storage = next
    base = next.base.bindMemory(to: Element.self, capacity: grown)
    capacity = grown
  }

  @inlinable
  package subscript(_ index: Int) -> Element {
    get {
      precondition(index >= 0 && index < count)
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count)
      base[index] = newValue
    }
  }

  /// The values as they stand, readable inside `body` only.
  @inlinable
  package borrowing func withValues<R>(_ body: (UnsafeBufferPointer<Element>) throws -> R) rethrows -> R {
    try body(UnsafeBufferPointer(start: base, count: count))
  }

  /// The finished, immutable values.
  package consuming func finish() -> Buffer<Element> { Buffer(storage: storage, offset: 0, count: count) }
}

/// An immutable run of fixed-width values, shared when sliced.
@usableFromInline package struct Buffer<Element: BitwiseCopyable>: Sendable {
  @usableFromInline package let storage: RawStorage
  /// Where the run starts, in bytes.
  @usableFromInline package let offset: Int
  /// Number of values.
  @usableFromInline package let count: Int

  @usableFromInline package init(storage: RawStorage, offset: Int, count: Int) {
    precondition(offset >= 0 && count >= 0 && offset + count * MemoryLayout<Element>.stride <= storage.capacity)
    precondition(Int(bitPattern: storage.base + offset) % MemoryLayout<Element>.alignment == 0)
    self.storage = storage
    self.offset = offset
    self.count = count
  }

  package init(_ values: [Element]) {
    let storage = RawStorage(capacity: values.count * MemoryLayout<Element>.stride)
    values.withUnsafeBytes { if let base = $0.baseAddress { storage.base.copyMemory(from: base, byteCount: $0.count) } }
    self.init(storage: storage, offset: 0, count: values.count)
  }

  /// The first value. Valid while `storage` is alive: the caller holds the buffer (`withExtendedLifetime`).
  @inlinable
  package var unsafeBase: UnsafePointer<Element> {
    UnsafeRawPointer(storage.base + offset).assumingMemoryBound(to: Element.self)
  }

  @inlinable
  package func withValues<R, E: Error>(_ body: (UnsafeBufferPointer<Element>) throws(E) -> R) throws(E) -> R {
    let result = try body(UnsafeBufferPointer(start: unsafeBase, count: count))
    withExtendedLifetime(storage) {}
    return result
  }

  @inlinable
  package subscript(_ index: Int) -> Element {
    precondition(index >= 0 && index < count)
    return unsafeBase[index]
  }

  /// A part of the run, sharing its memory.
  package func slice(_ range: Range<Int>) -> Buffer {
    precondition(range.lowerBound >= 0 && range.upperBound <= count)
    return Buffer(
      storage: storage, offset: offset + range.lowerBound * MemoryLayout<Element>.stride, count: range.count)
  }

  package var array: [Element] { withValues { Array($0) } }
}
