import Testing

@testable import LakeHTTP

@Suite struct FrameMeterTests {
  static let second: Int64 = 1_000_000_000

  static func observe(_ meter: inout FrameMeter, _ bytes: [UInt8], at now: Int64 = 0) -> HTTP2Abuse? {
    bytes.withUnsafeBytes { meter.observe($0, now: now) }
  }

  static func repeated(_ frame: [UInt8], _ count: Int) -> [UInt8] { (0..<count).flatMap { _ in frame } }

  @Test("control frames are bounded in number, whatever their kind", arguments: [2, 4, 6, 8, 10, 200] as [UInt8])
  func controlFrames(type: UInt8) {
    let frame = HTTP2Client.frame(type, [0, 0, 0, 1])
    var meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
    #expect(Self.observe(&meter, Self.repeated(frame, 2000)) == nil)
    #expect(Self.observe(&meter, frame) == .controlFrames)
    // Time gives 200 a second.
    meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
    #expect(Self.observe(&meter, Self.repeated(frame, 2000)) == nil)
    #expect(Self.observe(&meter, Self.repeated(frame, 200), at: Self.second) == nil)
    #expect(Self.observe(&meter, frame, at: Self.second) == .controlFrames)
  }

  @Test("traffic pays for control frames: answers, and bytes either way") func credit() {
    let ping = HTTP2Client.frame(6, [UInt8](repeating: 0, count: 8))
    for pay in [
      { (meter: inout FrameMeter) in for _ in 0..<125 { meter.answered() } },
      { (meter: inout FrameMeter) in meter.sent(1000 * 2048) },
      { (meter: inout FrameMeter) in
        let data = HTTP2Client.data(1, [UInt8](repeating: 0, count: 16_384), end: false)
        #expect(Self.observe(&meter, Self.repeated(data, 125)) == nil)
      },
    ] {
      var meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
      #expect(Self.observe(&meter, Self.repeated(ping, 2000)) == nil)
      pay(&meter)
      #expect(Self.observe(&meter, Self.repeated(ping, 1000)) == nil)
      #expect(Self.observe(&meter, ping) == .controlFrames)
    }
  }

  @Test("empty DATA counts as control, the empty end of a request does not") func emptyData() {
    var meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
    #expect(Self.observe(&meter, Self.repeated(HTTP2Client.data(1, [], end: true), 5000)) == nil)
    #expect(Self.observe(&meter, Self.repeated(HTTP2Client.data(1, [], end: false), 2001)) == .controlFrames)
  }

  @Test("resets are bounded, unless requests are answered in between") func resets() {
    let reset = HTTP2Client.frame(3, stream: 1, [0, 0, 0, 8])
    var meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
    #expect(Self.observe(&meter, Self.repeated(reset, 201)) == .resets)
    meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
    for _ in 0..<5000 {
      meter.answered()
      #expect(Self.observe(&meter, reset) == nil)
    }
  }

  @Test("a header block is bounded in bytes and pieces, over HEADERS and CONTINUATION") func headerBlock() {
    func run(_ head: Int, _ pieces: [Int]) -> HTTP2Abuse? {
      var meter = FrameMeter(headerBlockBytesMax: 1000, now: 0)
      let frames =
        HTTP2Client.frame(1, stream: 1, [UInt8](repeating: 0, count: head))
        + pieces.flatMap { HTTP2Client.frame(9, stream: 1, [UInt8](repeating: 0, count: $0)) }
      return Self.observe(&meter, frames)
    }
    #expect(run(1000, []) == nil)
    #expect(run(1001, []) == .headerBlock)
    #expect(run(500, [500]) == nil)
    #expect(run(500, [500, 1]) == .headerBlock)
    #expect(run(0, [0, 0, 0, 0, 0, 0, 0, 0]) == nil)
    #expect(run(0, [0, 0, 0, 0, 0, 0, 0, 0, 0]) == .headerBlock)
  }

  @Test("verdicts do not depend on how the bytes are cut", arguments: 0..<20 as Range<UInt64>) func cuts(seed: UInt64) {
    var random = TestRandom(seed: seed)
    var bytes: [UInt8] = []
    for _ in 0..<400 {
      let type = [0, 1, 2, 3, 3, 3, 4, 6, 8, 9][random.below(10)]
      bytes += HTTP2Client.frame(
        UInt8(type), flags: UInt8(random.below(2)), [UInt8](repeating: 0xFF, count: random.below(40)))
    }
    func verdictAt(_ cuts: [Int]) -> (HTTP2Abuse?, Int) {
      var meter = FrameMeter(headerBlockBytesMax: 100, now: 0)
      var start = 0
      for end in cuts + [bytes.count] {
        if let abuse = Self.observe(&meter, Array(bytes[start..<end])) { return (abuse, end) }
        start = end
      }
      return (nil, bytes.count)
    }
    let whole = verdictAt([]).0
    for _ in 0..<20 {
      let cuts = (0..<random.below(200)).map { _ in random.below(bytes.count) }.sorted()
      #expect(verdictAt(cuts).0 == whole)
    }
    #expect(verdictAt(Array(0..<bytes.count)).0 == whole)
  }
}
