import LakeAPI
import LakeModel

/// Length-prefixed messages out of the bytes of a stream, however they are cut.
///
///     | compressed 0 or 1 (1) | length, big-endian (4) | message |
///
/// Memory comes from the server's budget and is read into right away in its final size, up to the limit.
struct GRPCMessageReader {
  struct Message {
    var isCompressed: Bool
    var bytes: Bytes
    /// Counts the memory in the budget while it is held.
    var buffer: BodyBuffer?
  }

  private let bytesMax: Int
  private let budget: BodyBudget
  private var prefix: [UInt8] = []
  private var length = 0
  private var buffer: BodyBuffer?

  init(bytesMax: Int, budget: BodyBudget) {
    self.bytesMax = bytesMax
    self.budget = budget
  }

  /// Whether the bytes so far end with a message.
  var isBetweenMessages: Bool { prefix.isEmpty }

  /// - Parameters:
  ///   - consumed: set to how many of the bytes were taken.
  /// - Returns: the next message, or nil when more bytes are needed (all were taken then).
  mutating func next(_ bytes: UnsafeRawBufferPointer, consumed: inout Int) throws(GRPCStatus) -> Message? {
    consumed = 0
    while prefix.count < 5 {
      guard consumed < bytes.count else { return nil }
      prefix.append(bytes[consumed])
      consumed += 1
      if prefix.count == 5 { try begin() }
    }
    if let buffer {
      let count = min(length - buffer.count, bytes.count - consumed)
      do throws(RequestFailure) {
        try buffer.append(UnsafeRawBufferPointer(rebasing: bytes[consumed..<(consumed + count)]))
      } catch {
        throw GRPCMessageReader.status(error)
      }
      consumed += count
      guard buffer.count == length else { return nil }
    }
    let message = Message(isCompressed: prefix[0] == 1, bytes: buffer?.finish() ?? Bytes(), buffer: buffer)
    prefix = []
    buffer = nil
    return message
  }

  private mutating func begin() throws(GRPCStatus) {
    guard prefix[0] <= 1 else { throw GRPCStatus(.internalError, "malformed message prefix") }
    length = prefix[1...].reduce(0) { $0 << 8 | Int($1) }
    guard length <= bytesMax else {
      throw GRPCStatus(.resourceExhausted, "message of \(length) bytes, at most \(bytesMax) are taken")
    }
    guard length > 0 else { return }
    do throws(RequestFailure) {
      buffer = try BodyBuffer(bytesMax: length, isLengthKnown: true, budget: budget)
    } catch {
      throw GRPCMessageReader.status(error)
    }
  }

  /// No memory: worth another try.
  private static func status(_ failure: RequestFailure) -> GRPCStatus {
    GRPCStatus(.unavailable, failure.message, retryDelay: .seconds(1))
  }
}

/// Bytes that count in a budget as long as this is held.
final class BudgetShare: Sendable {
  private let budget: BodyBudget
  private let bytes: Int

  /// - Returns: nil when there is no room.
  init?(_ bytes: Int, of budget: BodyBudget) {
    guard budget.reserve(bytes) else { return nil }
    self.budget = budget
    self.bytes = bytes
  }

  deinit { budget.release(bytes) }
}
