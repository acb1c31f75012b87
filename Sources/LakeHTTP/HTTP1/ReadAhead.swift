/// Bytes that were received and not consumed yet. Consuming moves a mark; memory moves only when most of it is consumed.
struct ReadAhead {
  private var bytes: [UInt8] = []
  private var start = 0

  var count: Int { bytes.count - start }
  var isEmpty: Bool { bytes.count == start }

  mutating func append(_ more: UnsafeRawBufferPointer) { bytes.append(contentsOf: more) }
  mutating func append(_ more: Slice<UnsafeRawBufferPointer>) { bytes.append(contentsOf: more) }

  mutating func consume(_ count: Int) {
    start += count
    if start == bytes.count {
      self = ReadAhead()  // an idle connection holds no memory
    } else if start > 4096, start * 2 > bytes.count {
      bytes.removeFirst(start)
      start = 0
    }
  }

  func withUnsafeBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
    bytes.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
  }
}
