import Testing

@testable import LakeSystem

@Suite struct DeadlineQueueTests {
  @Test("entries leave in the order of their deadlines, and only when due", arguments: 0..<20) func order(seed: UInt64)
  {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func draw() -> Int64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int64(state >> 54)
    }
    var queue = DeadlineQueue()
    var model: [UInt64: Int64] = [:]
    for id in 0..<200 as Range<UInt64> {
      let deadline = draw()
      queue.insert(deadline: deadline, id: id)
      model[id] = deadline
    }
    for now in stride(from: Int64(0), through: 1024, by: 64) {
      while let id = queue.popFirst(dueAt: now) {
        let deadline = model.removeValue(forKey: id)
        #expect(deadline != nil && deadline! <= now)
      }
      #expect(model.values.allSatisfy { $0 > now })
      #expect(queue.first == model.values.min())
    }
    #expect(model.isEmpty)
  }

  @Test("cancelled entries are swept before they are the greater part") func sweep() {
    var queue = DeadlineQueue()
    var waiting = Set<UInt64>(0..<1000)
    for id in 0..<1000 as Range<UInt64> { queue.insert(deadline: Int64(1000 - id), id: id) }
    for id in 0..<990 as Range<UInt64> {
      waiting.remove(id)
      queue.forget { waiting.contains($0) }
    }
    #expect(queue.count < 150)
    #expect(queue.first == 1)
  }
}
