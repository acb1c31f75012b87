import CLinux

/// HTTP/1.1 requests out of bytes (RFC 9112), as strict as the RFC allows a server to be.
///
/// A pure state machine: the caller shows it the bytes that were not consumed yet, it answers with one event and how much it took.
/// Its answers do not depend on how the bytes were cut.
///
///     requestLine -> fields -> (fixedBody | chunkSize -> chunkData -> chunkEnd -> ... -> trailers)? -> requestLine
struct RequestParser: Sendable {
  enum Event: Sendable {
    /// All that could be understood was consumed.
    case needMore
    case head(RequestHead)
    /// So many bytes of the body, the last ones consumed by this call.
    case body(Int)
    /// The request is complete; the next byte belongs to another one.
    case end
  }

  enum State: Hashable, Sendable {
    case requestLine
    case fields
    case fixedBody(Int)
    case chunkSize
    case chunkData(Int)
    case chunkEnd
    case trailers
    case end
  }

  let limits: HTTPLimits
  private(set) var state = State.requestLine
  private var draft = RequestDraft()
  /// Bytes of the current line that were searched for its end before.
  private var searched = 0
  private var fieldBytes = 0
  private var fieldCount = 0
  private var bodyBytes = 0
  private var skippedEmptyLine = false

  /// A chunk's size line with its extensions, which are ignored.
  private static let chunkLineBytesMax = 256

  init(limits: HTTPLimits = HTTPLimits()) { self.limits = limits }

  /// Bytes of a body of known length that are still to come; 0 outside of one.
  var fixedBodyRemaining: Int {
    if case .fixedBody(let remaining) = state { remaining } else { 0 }
  }

  /// Accounts for body bytes that the caller received without showing them, at most `fixedBodyRemaining`.
  /// - Returns: whether the request is complete now.
  mutating func skipFixedBody(_ count: Int) -> Bool {
    guard case .fixedBody(let remaining) = state, count <= remaining else { preconditionFailure("not in a fixed body") }
    state = .fixedBody(remaining - count)
    guard remaining == count else { return false }
    self = RequestParser(limits: limits)
    return true
  }

  /// - Parameters:
  ///   - input: the bytes not consumed so far, always from the first of them on.
  ///   - consumed: set to how many of them this call took.
  /// - Throws: what is wrong; the parser is then of no more use.
  mutating func next(
    _ input: UnsafeRawBufferPointer, consumed: inout Int
  ) throws(RequestFailure) -> Event {
    consumed = 0
    while true {
      let rest = UnsafeRawBufferPointer(rebasing: input[consumed...])
      switch state {
      case .requestLine:
        guard let line = try line(rest, consumed: &consumed) else { return .needMore }
        if line.isEmpty, !skippedEmptyLine {
          skippedEmptyLine = true
          continue
        }
        draft.line = try RequestLine(line)
        state = .fields
      case .fields:
        guard let line = try line(rest, consumed: &consumed) else { return .needMore }
        if !line.isEmpty {
          try draft.addField(line)
          continue
        }
        let head = try draft.finish()
        draft = RequestDraft()
        switch head.framing {
        case .none: state = .end
        case .length(let length): state = .fixedBody(length)
        case .chunked: state = .chunkSize
        }
        return .head(head)
      case .fixedBody(let remaining):
        if remaining == 0 {
          state = .end
          continue
        }
        if rest.isEmpty { return .needMore }
        let count = min(remaining, rest.count)
        consumed += count
        state = .fixedBody(remaining - count)
        return .body(count)
      case .chunkSize:
        guard let line = try line(rest, consumed: &consumed) else { return .needMore }
        let size = try ChunkLine.size(line)
        guard size <= limits.bodyBytesMax - bodyBytes else { throw .bodyTooLarge }
        bodyBytes += size
        state = size == 0 ? .trailers : .chunkData(size)
      case .chunkData(let remaining):
        if rest.isEmpty { return .needMore }
        let count = min(remaining, rest.count)
        consumed += count
        state = remaining == count ? .chunkEnd : .chunkData(remaining - count)
        return .body(count)
      case .chunkEnd:
        if let first = rest.first, first != 13 { throw .chunkMalformed }
        guard rest.count >= 2 else { return .needMore }
        guard rest[1] == 10 else { throw .chunkMalformed }
        consumed += 2
        state = .chunkSize
      case .trailers:
        guard let line = try line(rest, consumed: &consumed) else { return .needMore }
        if !line.isEmpty {
          _ = try FieldLine(line)
          continue
        }
        state = .end
      case .end:
        self = RequestParser(limits: limits)
        return .end
      }
    }
  }

  /// The next line without its CRLF, which is consumed too; nil when its end has not come yet.
  private mutating func line(
    _ input: UnsafeRawBufferPointer, consumed: inout Int
  ) throws(RequestFailure) -> UnsafeRawBufferPointer? {
    guard let base = input.baseAddress, input.count > searched,
      let found = memchr(base + searched, 10, input.count - searched)
    else {
      searched = input.count
      try checkFirst(input)
      // The last byte may be the CR of the line's end.
      try checkRoom(contentAtLeast: input.count - 1, total: input.count)
      return nil
    }
    let end = UnsafeRawPointer(found) - base
    searched = 0
    try checkFirst(input)
    try checkRoom(contentAtLeast: end - 1, total: end + 1)
    guard end > 0, input[end - 1] == 13 else { throw .lineEndMalformed }
    countLine(end + 1)
    try checkCount()
    consumed += end + 1
    return UnsafeRawBufferPointer(rebasing: input[..<(end - 1)])
  }

  /// Something that is not HTTP at all (a TLS hello) is refused at its first byte, not when it has sent a line feed.
  private func checkFirst(_ input: UnsafeRawBufferPointer) throws(RequestFailure) {
    guard state == .requestLine, let first = input.first, first != 13, !ByteClass.token.contains(first) else { return }
    throw first == 10 ? .lineEndMalformed : .requestLineMalformed
  }

  /// Called with the same result whether the line's end is there or not, so that cuts do not matter.
  private func checkRoom(contentAtLeast content: Int, total: Int) throws(RequestFailure) {
    switch state {
    case .requestLine: if content > limits.requestLineBytesMax { throw .requestLineTooLong }
    case .chunkSize: if content > RequestParser.chunkLineBytesMax { throw .chunkMalformed }
    default: if fieldBytes + total > limits.headerBytesMax + 2 { throw .fieldsTooLarge }
    }
  }

  private mutating func countLine(_ bytes: Int) {
    guard state == .fields || state == .trailers, bytes > 2 else { return }
    fieldBytes += bytes
    fieldCount += 1
  }

  private func checkCount() throws(RequestFailure) {
    if fieldCount > limits.headerCountMax { throw .fieldsTooMany }
  }
}
