import Glibc
import LakeSystem
import Testing

@Suite struct SystemSignalsTests {
  @Test("a signal becomes a value, whoever waits first; a cancelled wait ends with nil") func signals() async {
    let signals = SystemSignals.watch([SIGUSR1, SIGUSR2])
    kill(getpid(), SIGUSR1)
    #expect(await signals.next() == SIGUSR1)
    async let second = signals.next()
    kill(getpid(), SIGUSR2)
    #expect(await second == SIGUSR2)
    await withTaskGroup(of: Int32?.self) { group in
      group.addTask { await signals.next() }
      group.cancelAll()
      #expect(await group.next() == .some(nil))
    }
  }
}
