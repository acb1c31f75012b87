import Testing

@testable import LakeModel

/// One test, because the pool is the process's own: others use it at the same time, so only what is bounded is expected.
@Suite("block pool")
struct BlockPoolTests {
  @Test("blocks hold what they were asked for, the same memory is never with two, and what is kept is bounded")
  func blocks() async {
    await withTaskGroup(of: Bool.self) { group in
      for worker in 0..<4 as Range<UInt8> {
        group.addTask {
          var random = UInt64(worker) &+ 1
          var held: [(storage: RawStorage, mark: UInt8)] = []
          for turn in 0..<400 {
            random = random &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            let bytes = Int(random >> 33) % (300 << 10) + 1
            let mark = worker &* 61 &+ UInt8(truncatingIfNeeded: turn)
            let storage = RawStorage(capacity: bytes)
            guard storage.capacity == bytes, Int(bitPattern: storage.base) % 64 == 0 else { return false }
            storage.base.initializeMemory(as: UInt8.self, repeating: mark, count: bytes + RawStorage.paddingBytes)
            held.append((storage, mark))
            if held.count > 8 {
              let gone = held.remove(at: Int(random & 7))
              let all = UnsafeRawBufferPointer(start: gone.storage.base, count: gone.storage.capacity)
              guard all.allSatisfy({ $0 == gone.mark }) else { return false }
            }
          }
          return true
        }
      }
      for await isRight in group { #expect(isRight) }
    }
    #expect(BlockPool.keptBytes <= BlockPool.keptBytesMax)
  }
}
