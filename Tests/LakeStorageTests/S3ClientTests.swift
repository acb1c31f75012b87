import Foundation
import LakeModel
import LakeNet
import LakePorts
import LakeStorage
import PortContracts
import Synchronization
import Testing

@Suite("requests to S3")
struct S3ClientTests {
  /// Answers in order; the last answer goes on for ever.
  final class Script: HTTPTransport {
    typealias Answer = Result<HTTPAnswer, TransportError>
    private let state: Mutex<(answers: [Answer], seen: [HTTPExchange])>

    init(_ answers: [Answer]) { state = Mutex((answers, [])) }

    var seen: [HTTPExchange] { state.withLock { $0.seen } }

    func send(_ exchange: HTTPExchange) async throws(TransportError) -> HTTPAnswer {
      let answer = state.withLock { state in
        state.seen.append(exchange)
        return state.answers.count > 1 ? state.answers.removeFirst() : state.answers[0]
      }
      return try answer.get()
    }
  }

  /// A clock whose sleeps take no time and are written down.
  final class Sleeps: LakeClock {
    private let slept = Mutex<[Duration]>([])
    var durations: [Duration] { slept.withLock { $0 } }
    var now: ClockInstant { ClockInstant(nanoseconds: 0) }
    func sleep(until deadline: ClockInstant) async throws {
      slept.withLock { $0.append(now.duration(to: deadline)) }
    }
  }

  static func answer(_ status: Int, _ body: String = "", _ headers: [(name: String, value: String)] = [])
    -> Script.Answer
  { .success(HTTPAnswer(status: status, headers: headers, body: Bytes(body))) }

  static func store(
    _ script: Script, _ clock: any LakeClock = Sleeps(), change: (inout S3Settings) -> Void = { _ in }
  ) -> S3ObjectStore {
    var settings = S3Settings(bucket: "b", region: "r", endpoint: "http://s3")
    change(&settings)
    let credentials = CredentialChain(
      sources: .init(
        given: AWSCredentials(accessKeyID: "k", secretAccessKey: "s"), environment: { _ in nil },
        readFile: { _ in nil },
        region: "r"), transport: script, wall: NowWallClock())
    return S3ObjectStore(
      client: S3Client(
        settings: settings, transport: script, credentials: credentials, clock: clock, wall: NowWallClock(),
        random: TestRandomness()))
  }

  @Test("a thousand objects are deleted by one request, with the checksum that S3 wants")
  func deletion() async throws {
    let script = Script([Self.answer(200, "<?xml version=\"1.0\"?><DeleteResult/>")])
    let keys = (0..<2001).map { ObjectKey(trusted: "a/\($0)&<") }
    #expect(await Self.store(script).deleteAll(keys) == [])
    #expect(script.seen.map(\.method) == ["POST", "POST", "DELETE"])
    #expect(script.seen[0].url == "http://s3/b?delete=")
    #expect(script.seen[0].body!.text.components(separatedBy: "<Object><Key>").count == 1001)
    #expect(script.seen[0].body!.text.contains("<Key>a/0&amp;&lt;</Key>"))
    let digest = script.seen[0].headers.first { $0.name == "Content-MD5" }?.value
    #expect(digest?.count == 24 && digest?.hasSuffix("==") == true)
  }

  @Test("what of many could not be deleted is named; a store that knows no such request is asked one by one, for good")
  func deletionFailures() async throws {
    let keys = ["x", "y", "z"].map { ObjectKey(trusted: $0) }
    let partly = Script([
      Self.answer(
        200,
        """
        <DeleteResult><Error><Key>y</Key><Code>AccessDenied</Code><Message>no</Message></Error>
        <Error><Key>z</Key><Code>NoSuchKey</Code></Error></DeleteResult>
        """)
    ])
    #expect(
      await Self.store(partly).deleteAll(keys) == [DeletionFailure(key: keys[1], error: .denied("AccessDenied: no"))])
    for status in [405, 501] {
      let old = Script([Self.answer(status), Self.answer(204)])
      let store = Self.store(old) { $0.attemptsMax = 1 }
      #expect(await store.deleteAll(keys) == [])
      #expect(await store.deleteAll(keys) == [])
      #expect(old.seen.map(\.method) == ["POST"] + Array(repeating: "DELETE", count: 6))
    }
    let broken = Script([.failure(.broken("reset"))])
    let failures = await Self.store(broken) { $0.attemptsMax = 2 }.deleteAll(keys)
    #expect(failures.map(\.key) == keys)
    for failure in failures {
      guard case .outcomeUnknown = failure.error else {
        Issue.record("\(failure)")
        return
      }
    }
  }

  @Test("a bucket that lies in another region is refused by the region's name")
  func region() async throws {
    let body = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-west-1</Region></Error>"
    for answer in [Self.answer(301, "", [("x-amz-bucket-region", "eu-west-1")]), Self.answer(400, body)] {
      do throws(ObjectStoreError) {
        _ = try await Self.store(Script([answer])).get(ObjectKey(trusted: "x"))
        Issue.record("read")
      } catch {
        guard case .denied(let why) = error else {
          Issue.record("\(error)")
          return
        }
        #expect(why.contains("the bucket lies in region eu-west-1; set storage.backend.region to it"))
      }
    }
  }

  @Test("reads are repeated after jittered pauses, each repeat more patient than the last; conditional writes are not")
  func repeats() async throws {
    let clock = Sleeps()
    let script = Script([Self.answer(503, "<Error><Code>SlowDown</Code></Error>")])
    await #expect(throws: ObjectStoreError.throttled("503 SlowDown: ")) {
      _ = try await Self.store(script, clock).get(ObjectKey(trusted: "x"))
    }
    #expect(script.seen.map(\.stallTimeout) == [5, 10, 20, 30, 30, 30].map { .seconds($0) })
    var last = Duration.milliseconds(50)
    for pause in clock.durations {
      #expect(pause >= .milliseconds(50) && pause <= last * 3 && pause <= .seconds(5))
      last = pause
    }
    #expect(clock.durations.count == 5)
    let write = Script([Self.answer(503)])
    do throws(ObjectStoreError) {
      _ = try await Self.store(write).put(ObjectKey(trusted: "x"), Bytes("1"), condition: .ifAbsent)
      Issue.record("written")
    } catch {
      guard case .outcomeUnknown = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(write.seen.count == 1)
  }

  @Test("a failing store is not met with a multiple of the load: repeats end with their budget")
  func budget() async throws {
    let script = Script([Self.answer(500)])
    let store = Self.store(script) { settings in
      settings.retryBudget.tokensMax = 7
    }
    for _ in 0..<5 { _ = try? await store.head(ObjectKey(trusted: "x")) }
    #expect(script.seen.count == 5 + 7)
  }

  @Test("what S3 answers to a conditional write means what it says")
  func conditions() async throws {
    let key = ObjectKey(trusted: "x")
    func put(_ status: Int, _ condition: PutCondition) async -> ObjectStoreError? {
      do throws(ObjectStoreError) {
        _ = try await Self.store(Script([Self.answer(status, "<Error><Code>C</Code></Error>")])).put(
          key, Bytes("1"), condition: condition)
        return nil
      } catch { return error }
    }
    #expect(await put(412, .ifAbsent) == .preconditionFailed(key))
    #expect(await put(404, .ifMatch(ContentTag("\"1\""))) == .preconditionFailed(key))
    #expect(await put(409, .ifAbsent) == .outcomeUnknown(key, "409 C: "))
    #expect(await put(503, .ifMatch(ContentTag("\"1\""))) == .outcomeUnknown(key, "503 C: "))
    #expect(await put(403, .ifAbsent) == .denied("403 C: "))
    #expect(await put(200, .ifAbsent) == nil)
  }

  @Test("an upload that fails is aborted by whoever began it")
  func abortion() async throws {
    let begun = Self.answer(200, "<R><UploadId>u1</UploadId></R>")
    let script = Script([begun, Self.answer(200, "", [("etag", "\"1\"")]), Self.answer(403), Self.answer(204)])
    let upload = try await Self.store(script).beginUpload(ObjectKey(trusted: "x"))
    try await upload.append(Bytes("1"))
    await #expect(throws: ObjectStoreError.self) { try await upload.append(Bytes("2")) }
    await upload.abort()
    #expect(script.seen.last?.method == "DELETE" && script.seen.last?.url == "http://s3/b/x?uploadId=u1")
  }
}
