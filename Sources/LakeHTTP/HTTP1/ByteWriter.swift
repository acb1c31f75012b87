import LakeModel

/// Bytes put together for sending; its memory is used again after `removeAll`.
struct ByteWriter {
  private(set) var storage: RawStorage
  private(set) var count = 0

  init(capacity: Int = 4096) { storage = RawStorage(capacity: capacity) }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage.base, count: count) }

  mutating func removeAll() { count = 0 }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    guard let base = bytes.baseAddress else { return }
    reserve(bytes.count)
    (storage.base + count).copyMemory(from: base, byteCount: bytes.count)
    count += bytes.count
  }

  mutating func append(_ text: StaticString) {
    append(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func append(_ bytes: [UInt8]) { bytes.withUnsafeBytes { append($0) } }

  /// A field's name or value as a handler gave it. Line ends and NUL become spaces: no handler, and nobody through one, adds
  /// fields or responses of their own.
  mutating func append(fieldText text: String) {
    var text = text
    text.withUTF8 { bytes in
      let start = count
      append(UnsafeRawBufferPointer(bytes))
      let written = UnsafeMutableRawBufferPointer(start: storage.base + start, count: bytes.count)
      for index in 0..<written.count where written[index] == 13 || written[index] == 10 || written[index] == 0 {
        written[index] = 32
      }
    }
  }

  /// Decimal.
  mutating func append(number: Int) {
    precondition(number >= 0)
    withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { digits in
      var rest = number
      var start = 20
      repeat {
        start -= 1
        digits[start] = UInt8(48 + rest % 10)
        rest /= 10
      } while rest > 0
      append(UnsafeRawBufferPointer(rebasing: digits[start...]))
    }
  }

  /// Lower-case hexadecimal, without leading zeros.
  mutating func append(hexadecimal number: Int) {
    precondition(number >= 0)
    var shift = (63 - max(1, number).leadingZeroBitCount) / 4 * 4
    reserve(16)
    while shift >= 0 {
      storage.base.storeBytes(of: Hex.digits[number >> shift & 15], toByteOffset: count, as: UInt8.self)
      count += 1
      shift -= 4
    }
  }

  private mutating func reserve(_ extra: Int) {
    guard count + extra > storage.capacity else { return }
    let next = RawStorage(capacity: max(count + extra, storage.capacity * 2))
    next.base.copyMemory(from: UnsafeRawPointer(storage.base), byteCount: count)
    storage = next
  }
}
