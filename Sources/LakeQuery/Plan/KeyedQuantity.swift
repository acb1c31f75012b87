import LakeModel

/// Tells of a line without parsing it whether a parser could make a label of it whose value passes a test: behind each place where the
/// label's key may end, the value is read where it stands plainly.
///
/// What is not plain (escapes, white space in keys, a value that is no number) passes: the parser decides.
struct KeyedQuantity: Sendable {
  /// How a parser's lines join keys and values.
  enum Syntax: Sendable {
    /// `"key" : value`, or `"key" : "value"`
    case json
    /// `key=value`
    case logfmt
  }

  /// What the key ends with; letters and digits only.
  let keyEnd: ByteNeedle
  let syntax: Syntax
  let test: QuantityTest

  /// Longer values are not plain.
  private static let valueBytesMax = 32

  /// Whether the parser may find a value that passes (or that cannot be read) at one place.
  ///
  /// - Parameter line: the rest of the line, from behind `keyEnd` on.
  @inline(__always)
  func mayPass(_ line: UnsafeRawBufferPointer) -> Bool {
    switch syntax {
    case .json: mayPassJSON(line)
    case .logfmt: mayPassLogfmt(line)
    }
  }

  @inline(__always)
  private func mayPassJSON(_ line: UnsafeRawBufferPointer) -> Bool {
    var at = 0
    // Spaces are cut off keys.
    while at < line.count, KeyedQuantity.isSpace(line[at]) { at &+= 1 }
    // Without a quote that closes it, it is no key.
    guard at < line.count else { return false }
    guard line[at] == UInt8(ascii: "\"") else { return !KeyedQuantity.goesOn(line[at]) }
    at = JSONScan(line).token(from: at + 1)
    guard at >= 0, line[at] == UInt8(ascii: ":") else { return false }
    at = JSONScan(line).token(from: at + 1)
    guard at >= 0 else { return false }
    let isQuoted = line[at] == UInt8(ascii: "\"")
    if isQuoted { at += 1 }
    return mayPass(line, from: at) { byte in
      isQuoted
        ? byte == UInt8(ascii: "\"")
        : byte == UInt8(ascii: ",") || byte == UInt8(ascii: "}") || byte == UInt8(ascii: "]") || byte == 32
    }
  }

  @inline(__always)
  private func mayPassLogfmt(_ line: UnsafeRawBufferPointer) -> Bool {
    guard let next = line.first else { return true }
    guard next == UInt8(ascii: "=") else { return !KeyedQuantity.goesOn(next) }
    return mayPass(line, from: 1) { $0 == 32 }
  }

  /// - Parameter isEnd: whether a byte ends the value.
  @inline(__always)
  private func mayPass(_ line: UnsafeRawBufferPointer, from start: Int, isEnd: (UInt8) -> Bool) -> Bool {
    var end = start
    while end < line.count, KeyedQuantity.isPlain(line[end]) { end &+= 1 }
    guard end > start, end < line.count, end - start <= KeyedQuantity.valueBytesMax, isEnd(line[end]) else {
      return true
    }
    if case .fail = test.outcome(UnsafeRawBufferPointer(rebasing: line[start..<end])) { return false }
    return true
  }

  @inline(__always)
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte &- 9 < 5 }

  /// Whether a key that goes on with the byte is another one: spaces are cut off keys, escapes may be spaces, and what is beyond ASCII is
  /// left to the parser.
  @inline(__always)
  private static func goesOn(_ byte: UInt8) -> Bool { byte > 32 && byte < 127 && byte != UInt8(ascii: "\\") }

  @inline(__always)
  private static func isPlain(_ byte: UInt8) -> Bool {
    ASCII.isDigit(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
  }

  /// Whether any place of the line may give such a value.
  func mayPassSomewhere(in line: UnsafeRawBufferPointer) -> Bool {
    guard let base = line.baseAddress else { return false }
    var at = 0
    while true {
      let hit = keyEnd.firstMatch(in: base, from: at, to: line.count)
      if hit < 0 { return false }
      at = hit + keyEnd.count
      if mayPass(UnsafeRawBufferPointer(rebasing: line[at...])) { return true }
      at = hit + 1
    }
  }
}
