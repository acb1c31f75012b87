import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct HTTP1MachineTests {
  static let second: Int64 = 1_000_000_000

  /// A machine, its time, and what it was told and said.
  struct Driver {
    var machine: HTTP1Machine
    var now: Int64 = 0
    let budget: BodyBudget

    init(bodyBytesMax: Int = 1000, bodyMemoryMax: Int = 1 << 20) {
      var limits = HTTPLimits()
      limits.bodyBytesMax = bodyBytesMax
      limits.bodyMemoryMax = bodyMemoryMax
      budget = BodyBudget(bytesMax: bodyMemoryMax)
      machine = HTTP1Machine(limits: limits, timeouts: HTTPTimeouts(), budget: budget, peer: "p", now: 0)
    }

    mutating func say(_ text: String) -> (said: String, consumed: Int) {
      var consumed = 0
      let action = Array(text.utf8).withUnsafeBytes { machine.process($0, now: now, consumed: &consumed) }
      return (Driver.describe(action), consumed)
    }

    /// Lets time pass until the deadline, if it has one within `seconds`.
    mutating func wait(_ seconds: Int64) -> String {
      let end = now + seconds * HTTP1MachineTests.second
      guard let deadline = machine.deadline, deadline <= end else {
        now = end
        return "nothing"
      }
      now = deadline
      return Driver.describe(machine.deadlineReached(now: now))
    }

    static func describe(_ action: HTTP1Machine.Action) -> String {
      switch action {
      case .needInput: "needInput"
      case .needInputAfterContinue: "continue"
      case .dispatch(let request, let exchange):
        "\(request.method) \(request.path) \(request.body.text)\(exchange.isPersistent ? "" : " last")"
      case .refuse(let failure, let request, _): "\(failure) \(request?.path ?? "-")"
      case .close: "close"
      }
    }
  }

  @Test("a request is dispatched once complete; the next one waits until it is answered") func pipelining() {
    var driver = Driver()
    let two =
      "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhiGET /b HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    let (said, consumed) = driver.say(two)
    #expect(said == "POST /a hi")
    #expect(consumed == 50)
    let rest = String(decoding: two.utf8.dropFirst(consumed), as: UTF8.self)
    #expect(driver.say(rest) == ("needInput", 0))
    #expect(driver.machine.phase == .handling)
    #expect(driver.machine.deadline == nil)
    driver.machine.responded(now: 0)
    #expect(driver.say(rest) == ("GET /b  last", rest.utf8.count))
  }

  @Test("100 Continue is sent only to who waits for it, and once") func expectation() {
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    var driver = Driver()
    #expect(driver.say(head).said == "continue")
    #expect(driver.say("ab").said == "needInput")
    #expect(driver.say("cd").said == "POST /a abcd")
    driver = Driver()
    #expect(driver.say(head + "ab").said == "needInput")
    driver = Driver()
    #expect(driver.say(head + "abcd").said == "POST /a abcd")
    driver = Driver(bodyBytesMax: 3)
    #expect(driver.say(head).said == "bodyTooLarge /a")
  }

  @Test("a header that takes too long is refused, however it trickles") func slowHeader() {
    var driver = Driver()
    #expect(driver.say("G").said == "needInput")
    for _ in 0..<9 {
      #expect(driver.wait(1) == "nothing")
      #expect(driver.say("G").said == "needInput")
    }
    #expect(driver.wait(1) == "headerTimeout -")
    #expect(driver.machine.phase == .refused)
  }

  @Test("silence before the first request is closed as a slow header, between requests after the idle time")
  func idle() {
    var driver = Driver()
    #expect(driver.wait(9) == "nothing")
    #expect(driver.wait(1) == "close")
    driver = Driver()
    #expect(driver.say("GET / HTTP/1.1\r\nHost: a\r\n\r\n").said == "GET / ")
    driver.now = 1000 * HTTP1MachineTests.second
    #expect(driver.wait(1000) == "nothing")
    driver.machine.responded(now: driver.now)
    #expect(driver.wait(74) == "nothing")
    #expect(driver.wait(2) == "close")
  }

  @Test("a body must make progress: a trickle is refused, a slow steady one is not") func slowBody() {
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"
    var driver = Driver(bodyBytesMax: 1 << 20)
    #expect(driver.say(head).said == "needInput")
    for _ in 0..<9 {
      #expect(driver.wait(1) == "nothing")
      #expect(driver.say("x").said == "needInput")
    }
    #expect(driver.wait(1) == "bodyTimeout /a")
    #expect(driver.budget.bytesUsed == 0)

    driver = Driver(bodyBytesMax: 1 << 20)
    #expect(driver.say(head).said == "needInput")
    let piece = String(repeating: "y", count: 4096)
    for _ in 0..<20 {
      #expect(driver.say(piece).said == "needInput")
      #expect(driver.wait(10) == "needInput")
    }
    #expect(driver.wait(10) == "bodyTimeout /a")
  }

  @Test("body memory is set aside as it comes, refused when exhausted, and given back with the answer") func budget() {
    let head = "POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 900000\r\n\r\n"
    var first = Driver(bodyBytesMax: 1 << 20, bodyMemoryMax: 1 << 20)
    #expect(first.say(head).said == "needInput")
    // Claiming 900,000 bytes has taken only the first piece.
    #expect(first.budget.bytesUsed == 512 << 10)
    var second = Driver(bodyBytesMax: 1 << 20, bodyMemoryMax: 1 << 20)
    second.machine = HTTP1Machine(
      limits: HTTPLimits(), timeouts: HTTPTimeouts(), budget: first.budget, peer: "", now: 0)
    #expect(second.say(head).said == "bodyMemoryExhausted /a")
    #expect(RequestFailure.bodyMemoryExhausted.status == 503)
    let body = String(repeating: "z", count: 300_000)
    #expect(first.say(body).said == "needInput")
    #expect(first.budget.bytesUsed == 512 << 10)
    #expect(first.say(body).said == "needInput")
    #expect(first.budget.bytesUsed == 900_000)
    #expect(first.say(body).said == "POST /a " + body + body + body)
    #expect(first.budget.bytesUsed == 900_000)
    first.machine.responded(now: 0)
    #expect(first.budget.bytesUsed == 0)
  }

  @Test("a chunked body takes memory as it grows, at most double") func chunkedBudget() {
    var driver = Driver(bodyBytesMax: 100_000)
    #expect(driver.say("POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n").said == "needInput")
    #expect(driver.budget.bytesUsed == 4096)
    for _ in 0..<100 { #expect(driver.say("1f4\r\n\(String(repeating: "c", count: 500))\r\n").said == "needInput") }
    #expect(driver.budget.bytesUsed >= 50_000 && driver.budget.bytesUsed <= 100_000)
    #expect(driver.say("0\r\n\r\n").said == "POST /a " + String(repeating: "c", count: 50_000))
    driver.machine.responded(now: 0)
    #expect(driver.budget.bytesUsed == 0)
  }

  @Test("bytes read right into the body make the same request") func direct() throws {
    var driver = Driver(bodyBytesMax: 3 << 20, bodyMemoryMax: 8 << 20)
    let length = 3_000_000
    #expect(driver.say("POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: \(length)\r\n\r\nab").said == "needInput")
    let content = Array("ab".utf8) + (2..<length).map { UInt8(truncatingIfNeeded: $0 / 1000) }
    var sent = 2
    var rooms: [Int] = []
    while sent < length {
      let room = try #require(try driver.machine.directRoom())
      rooms.append(room.count)
      room.copyBytes(from: content[sent..<(sent + room.count)])
      sent += room.count
      guard case .dispatch(let request, _) = driver.machine.receivedDirectly(room.count) else { continue }
      #expect(sent == length)
      #expect(request.body.count == length)
      #expect(request.body == Bytes(content))
    }
    #expect(sent == length)
    #expect(driver.machine.phase == .handling)
    #expect(rooms == [524_286, 3_000_000 - 524_288])
  }
}
