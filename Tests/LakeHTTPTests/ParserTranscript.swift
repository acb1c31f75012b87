import LakeAPI

@testable import LakeHTTP

/// What a parser made of some bytes, however they were cut.
struct ParserTranscript: Equatable, CustomStringConvertible {
  struct Message: Equatable {
    var head: String
    var body: [UInt8] = []
    var isComplete = false
  }
  var messages: [Message] = []
  var failure: RequestFailure?

  var description: String {
    "\(messages.map { "\($0.head) +\($0.body.count)\($0.isComplete ? "." : "...")" }) \(failure.map { "\($0)" } ?? "ok")"
  }

  /// - Parameter cuts: positions in `input` before which it is cut, ascending.
  init(_ input: [UInt8], cuts: [Int] = [], limits: HTTPLimits = HTTPLimits()) {
    var parser = RequestParser(limits: limits)
    var pending: [UInt8] = []
    var start = 0
    for end in cuts + [input.count] {
      pending += input[start..<end]
      start = end
      // As a connection does: what is not consumed is shown again, in memory of its own.
      let consumed = pending.withUnsafeBytes { feed($0, to: &parser) }
      if failure != nil { return }
      pending.removeFirst(consumed)
    }
  }

  private mutating func feed(_ bytes: UnsafeRawBufferPointer, to parser: inout RequestParser) -> Int {
    var consumed = 0
    while true {
      var taken = 0
      do {
        let event = try parser.next(UnsafeRawBufferPointer(rebasing: bytes[consumed...]), consumed: &taken)
        precondition(taken >= 0 && taken <= bytes.count - consumed)
        consumed += taken
        switch event {
        case .needMore: return consumed
        case .head(let head): messages.append(Message(head: ParserTranscript.describe(head)))
        case .body(let count):
          precondition(count > 0 && count <= taken)
          messages[messages.count - 1].body += bytes[(consumed - count)..<consumed]
        case .end: messages[messages.count - 1].isComplete = true
        }
      } catch {
        failure = error
        return consumed
      }
    }
  }

  private static func describe(_ head: RequestHead) -> String {
    var text = "\(head.request.method) \(head.request.path)?\(head.request.query) \(head.framing)"
    text += head.isPersistent ? " keep" : " close"
    if head.isVersion10 { text += " 1.0" }
    if head.expectsContinue { text += " expects" }
    for (name, value) in head.request.headers.fields { text += " [\(name)|\(value)]" }
    return text
  }
}
