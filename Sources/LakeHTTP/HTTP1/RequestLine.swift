import CLinux
import LakeAPI

/// `GET /path?query HTTP/1.1`
struct RequestLine: Sendable {
  var method: String
  var target: RequestTarget
  var isVersion10: Bool

  private static let methodBytesMax = 32

  init() {
    method = ""
    target = RequestTarget()
    isVersion10 = false
  }

  init(_ line: UnsafeRawBufferPointer) throws(RequestFailure) {
    guard let methodEnd = line.firstIndex(of: 32), methodEnd > 0, methodEnd <= RequestLine.methodBytesMax,
      let targetEnd = line.lastIndex(of: 32), targetEnd > methodEnd + 1
    else { throw .requestLineMalformed }
    let methodBytes = UnsafeRawBufferPointer(rebasing: line[..<methodEnd])
    guard methodBytes.allSatisfy({ ByteClass.token.contains($0) }) else { throw .requestLineMalformed }
    let targetBytes = UnsafeRawBufferPointer(rebasing: line[(methodEnd + 1)..<targetEnd])
    // A second space would leave the meaning to guesswork, and guesses differ between servers.
    guard targetBytes.allSatisfy({ $0 != 32 }) else { throw .requestLineMalformed }
    isVersion10 = try RequestLine.isVersion10(UnsafeRawBufferPointer(rebasing: line[(targetEnd + 1)...]))
    method = String(decoding: methodBytes, as: UTF8.self)
    // CONNECT asks for a tunnel, which nothing here is.
    if method == "CONNECT" { throw .methodUnsupported }
    target = try RequestTarget(targetBytes, isOptions: method == "OPTIONS")
  }

  /// A later 1.x is answered as 1.1 (RFC 9110, section 2.5).
  private static func isVersion10(_ text: UnsafeRawBufferPointer) throws(RequestFailure) -> Bool {
    guard text.count == 8, text.starts(with: "HTTP/".utf8), text[6] == UInt8(ascii: "."), isDigit(text[5]),
      isDigit(text[7])
    else { throw .requestLineMalformed }
    guard text[5] == UInt8(ascii: "1") else { throw .versionUnsupported }
    return text[7] == UInt8(ascii: "0")
  }
}

func isDigit(_ byte: UInt8) -> Bool { byte &- 48 < 10 }
