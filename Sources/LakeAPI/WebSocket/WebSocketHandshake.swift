import LakeHash
import LakeModel
package import LakePorts

/// The HTTP side of opening a WebSocket. Source: RFC 6455, section 4.
package enum WebSocketHandshake {
  package struct Refused: Error, Sendable, Hashable {
    package let status: Int
    package let message: String
  }

  /// - Returns: what to send as `Sec-WebSocket-Accept`.
  package static func accept(_ request: HTTPRequest) throws(Refused) -> String {
    func refuse(_ status: Int, _ what: String) -> Refused {
      Refused(status: status, message: "not a WebSocket handshake: " + what)
    }
    guard request.method == "GET" else { throw refuse(405, "the method is not GET") }
    guard has("upgrade", in: request.headers.all("Connection")) else {
      throw refuse(400, "no `upgrade` in the header Connection")
    }
    guard has("websocket", in: request.headers.all("Upgrade")) else {
      throw refuse(400, "no `websocket` in the header Upgrade")
    }
    guard request.headers["Sec-WebSocket-Version"] == "13" else { throw refuse(426, "the version is not 13") }
    guard let key = request.headers["Sec-WebSocket-Key"], isKey(key) else {
      throw refuse(400, "Sec-WebSocket-Key is not 16 bytes in base64")
    }
    return accept(key: key)
  }

  /// A client's key.
  package static func key(_ random: any Randomness) -> String {
    let words = [random.next(), random.next()]
    return Base64Text.encode(words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) } })
  }

  /// The answer to a client's key.
  package static func accept(key: String) -> String {
    Base64Text.encode(SHA1.hash(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
  }

  private static func isKey(_ text: String) -> Bool {
    text.utf8.count == 24 && text.hasSuffix("==")
      && text.utf8.dropLast(2).allSatisfy { byte in
        switch byte {
        case 48...57, 65...90, 97...122, UInt8(ascii: "+"), UInt8(ascii: "/"): true
        default: false
        }
      }
  }

  private static func has(_ token: String, in values: [String]) -> Bool {
    values.contains { value in
      value.split(separator: ",").contains { item in item.filter { $0 != " " && $0 != "\t" }.lowercased() == token }
    }
  }
}
