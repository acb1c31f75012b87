import LakeModel
import LakePorts
import Testing

@Suite struct TracingTests {
  private struct StillClock: LakeClock {
    var now: ClockInstant { ClockInstant(nanoseconds: 5) }
    func sleep(until deadline: ClockInstant) async throws {}
  }

  private struct StillWall: WallClock {
    var now: Timestamp { Timestamp(nanoseconds: 1_000) }
  }

  private struct Ones: Randomness {
    var value: UInt64 = 1
    func next() -> UInt64 { value }
  }

  private func tracer(
    _ ratio: Double = 1, _ random: any Randomness = Ones(), _ metrics: MetricsRegistry = MetricsRegistry()
  )
    -> Tracer
  {
    Tracer(ratio: ratio, clock: StillClock(), wall: StillWall(), random: random, metrics: metrics)
  }

  @Test("a traceparent comes back as it was; anything else is none") func traceparent() {
    let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    let context = TraceContext(traceparent: text)
    #expect(context?.traceHigh == 0x0af7_6519_16cd_43dd && context?.span == 0xb7ad_6b71_6920_3331)
    #expect(context?.isSampled == true && context?.traceparent == text)
    #expect(
      TraceContext(traceparent: "01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-more")?.isSampled == false)
    for wrong in [
      "", "00", text + "x", "ff" + text.dropFirst(2), text + "-more", text.uppercased(),
      "00-00000000000000000000000000000000-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
      "00_0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
      "00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
    ] { #expect(TraceContext(traceparent: wrong) == nil, "\(wrong)") }
  }

  @Test("the caller decides whether its trace is kept, the ratio about those that begin here") func sampling() {
    let kept = TraceContext(traceHigh: 1, traceLow: 2, span: 3, isSampled: true)
    let passed = TraceContext(traceHigh: 1, traceLow: 2, span: 3, isSampled: false)
    let never = tracer(0)
    #expect(never.begin("a", .server, parent: nil) == nil)
    let span = never.begin("a", .server, parent: kept)
    #expect(span?.context.traceLow == 2 && span?.parent == 3)
    #expect(tracer(1).begin("a", .server, parent: passed) == nil)
    #expect(tracer(0.5, Ones(value: 1 << 62)).begin("a", .server, parent: nil) != nil)
    #expect(tracer(0.5, Ones(value: 3 << 62)).begin("a", .server, parent: nil) == nil)
  }

  @Test("spans wait in order; those that find no room are dropped and counted") func bounds() throws {
    let metrics = MetricsRegistry()
    let tracer = tracer(1, Ones(), metrics)
    for number in 0..<Tracer.waitingMax + 10 {
      let span = try #require(tracer.begin("\(number)", .server, parent: nil))
      tracer.end(span, [("n", .number(number))])
    }
    #expect(tracer.waitingCount == Tracer.waitingMax)
    let taken = tracer.take(max: 3)
    #expect(taken.map(\.name) == ["0", "1", "2"] && taken[1].attributes.map(\.value) == [.number(1)])
    #expect(taken[0].start.nanoseconds == 1000 && taken[0].end.nanoseconds == 1000)
    #expect(tracer.waitingCount == Tracer.waitingMax - 3)
    let dropped = metrics.counter("icegate_tracing_dropped_spans_total", help: "", labels: [("reason", "full")])
    #expect(dropped.value == 10)
  }
}
