import LakeStorage
import Synchronization
import Testing

@Suite("threads for what blocks")
struct BlockingPoolTests {
  @Test("tasks run on the threads of the pool, and their calls at once on the same thread")
  func runsTasks() async {
    let pool = BlockingPool(threads: 2)
    #expect(!BlockingPool.mayBlockHere)
    let found = await withTaskExecutorPreference(pool) {
      let isMarked = BlockingPool.mayBlockHere
      let isAtOnce = Mutex(false)
      let answer = await pool.run { 7 }
      isAtOnce.withLock { $0 = BlockingPool.mayBlockHere }
      return (isMarked, isAtOnce.withLock { $0 }, answer)
    }
    #expect(found.0 && found.1 && found.2 == 7)
  }

  @Test("calls from elsewhere run on the pool")
  func runsCalls() async {
    let pool = BlockingPool(threads: 1)
    #expect(await pool.run { BlockingPool.mayBlockHere })
    #expect(!BlockingPool.mayBlockHere)
  }

  @Test("all of many tasks and calls are done, few threads or many", arguments: [1, 2, 7])
  func loses(threads: Int) async {
    let pool = BlockingPool(threads: threads)
    let total = await withTaskGroup(of: Int.self) { group in
      for index in 0..<2000 {
        if index % 2 == 0 {
          group.addTask { await pool.run { index } }
        } else {
          group.addTask(executorPreference: pool) {
            await Task.yield()
            return await pool.run { index }
          }
        }
      }
      return await group.reduce(0, +)
    }
    #expect(total == 1999 * 2000 / 2)
  }

  @Test("work that blocks keeps no other from running while there are threads")
  func goesOn() async {
    let pool = BlockingPool(threads: 2)
    let isReleased = Mutex(false)
    async let blocked: Void = pool.run { while !isReleased.withLock({ $0 }) {} }
    for _ in 0..<100 { _ = await pool.run { 1 } }
    isReleased.withLock { $0 = true }
    await blocked
  }
}
