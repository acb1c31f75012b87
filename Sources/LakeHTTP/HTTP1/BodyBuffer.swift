import LakeModel

/// A request body on its way in: one run of memory, grown as bytes come, at most to the body's length.
///
/// A body of known length is read from the socket right into it. It starts with `bytesFirst`, and when full grows eightfold
/// (known length) or twofold (chunks), so copying stays below a seventh, or once, of the body, and memory below eight times what was sent.
final class BodyBuffer {
  private static let bytesFirst = 512 << 10

  private let budget: BodyBudget
  private let bytesMax: Int
  private let growth: Int
  private var storage: RawStorage
  private(set) var count = 0
  /// Bytes set aside in the budget.
  private var reserved: Int

  /// - Parameters:
  ///   - bytesMax: the length, or how long a chunked body may become.
  ///   - isLengthKnown: whether `bytesMax` is the body's length.
  init(bytesMax: Int, isLengthKnown: Bool, budget: BodyBudget) throws(RequestFailure) {
    if isLengthKnown, !budget.hasRoom(for: bytesMax) { throw .bodyMemoryExhausted }
    let first = min(bytesMax, isLengthKnown ? BodyBuffer.bytesFirst : 4096)
    guard budget.reserve(first) else { throw .bodyMemoryExhausted }
    self.budget = budget
    self.bytesMax = bytesMax
    growth = isLengthKnown ? 8 : 2
    reserved = first
    storage = RawStorage(capacity: first)
  }

  /// How many bytes the body may still grow by.
  var bytesLeft: Int { bytesMax - count }

  deinit { budget.release(reserved) }

  /// Room for bytes yet to come, never empty before the body has its length.
  func room() throws(RequestFailure) -> UnsafeMutableRawBufferPointer {
    if count == storage.capacity { try grow(atLeast: count + 1) }
    return UnsafeMutableRawBufferPointer(start: storage.base + count, count: storage.capacity - count)
  }

  /// Accounts for bytes written into `room`.
  func wrote(_ bytes: Int) {
    count += bytes
    precondition(count <= storage.capacity)
  }

  func append(_ bytes: UnsafeRawBufferPointer) throws(RequestFailure) {
    guard let base = bytes.baseAddress else { return }
    if bytes.count > storage.capacity - count { try grow(atLeast: count + bytes.count) }
    (storage.base + count).copyMemory(from: base, byteCount: bytes.count)
    count += bytes.count
  }

  /// The finished body. The memory stays set aside until this buffer goes, which its owner keeps until the request is answered.
  func finish() -> Bytes { Bytes(storage: storage, offset: 0, count: count) }

  private func grow(atLeast needed: Int) throws(RequestFailure) {
    precondition(needed <= bytesMax)
    let capacity = max(needed, min(bytesMax, storage.capacity * growth))
    guard budget.reserve(capacity - reserved) else { throw .bodyMemoryExhausted }
    reserved = capacity
    let next = RawStorage(capacity: capacity)
    next.base.copyMemory(from: UnsafeRawPointer(storage.base), byteCount: count)
    storage = next
  }
}
