package import LakeModel
package import LakeNet

/// Asks a Loki port.
package struct LokiClient: Sendable {
  package struct Failure: Error, Sendable, CustomStringConvertible {
    /// nil: no answer came.
    package let status: Int?
    package let message: String

    package init(status: Int?, message: String) {
      self.status = status
      self.message = message
    }

    package var description: String { status.map { "the server answers \($0): \(message)" } ?? message }

    /// The request is wrong, not the server.
    package var isOurs: Bool { status.map { (400..<500).contains($0) && $0 != 429 && $0 != 499 } ?? false }
  }

  package let address: ServerAddress
  package let headers: [(name: String, value: String)]
  private let transport: any HTTPTransport

  /// - Parameter headers: sent with every request: tenant, authorization.
  package init(address: ServerAddress, headers: [(name: String, value: String)], transport: any HTTPTransport) {
    self.address = address
    self.headers = headers
    self.transport = transport
  }

  package static let categorized = (name: "X-Loki-Response-Encoding-Flags", value: "categorize-labels")

  package func get(_ path: String, _ parameters: [(name: String, value: String)]) async throws -> Bytes {
    let url = address.url(path, parameters)
    let answer: HTTPAnswer
    do throws(TransportError) {
      answer = try await transport.send(
        HTTPExchange(method: "GET", url: url, headers: headers + [LokiClient.categorized], timeout: .seconds(600)))
    } catch {
      if case .cancelled = error { throw CancellationError() }
      throw Failure(error)
    }
    guard answer.status == 200 else {
      throw Failure(answered: answer.status, LokiAnswer.message(answer.body), address)
    }
    return answer.body
  }
}

extension LokiClient.Failure {
  init(_ error: TransportError) {
    switch error {
    case .notSent(let text), .broken(let text), .timedOut(let text), .tooLarge(let text):
      self.init(status: nil, message: text)
    case .cancelled: self.init(status: nil, message: "cancelled")
    }
  }

  /// A path that is not there tells of another server or another port.
  init(answered status: Int, _ message: String, _ address: ServerAddress) {
    self.init(
      status: status, message: status == 404 ? "\(message) (is \(address) the address of a Loki port?)" : message)
  }
}

/// Where a server is: `http://host:port/prefix`, taken apart.
package struct ServerAddress: Sendable, Hashable, CustomStringConvertible {
  package let scheme: String
  /// Host and port.
  package let authority: String
  /// Without a slash at its end; often empty.
  package let prefix: String

  /// - Returns: nil when the text is no address with http or https.
  package init?(_ text: String) {
    var rest = Substring(text.contains("://") ? text : "http://" + text)
    if rest.hasPrefix("http://") {
      scheme = "http"
    } else if rest.hasPrefix("https://") {
      scheme = "https"
    } else {
      return nil
    }
    rest = rest.dropFirst(scheme.count + 3)
    authority = String(rest.prefix { $0 != "/" })
    var path = rest.dropFirst(authority.count)
    while path.last == "/" { path.removeLast() }
    prefix = String(path)
    let isPlain = text.utf8.allSatisfy { $0 > 32 && $0 < 127 }
    let isWhole = (authority + prefix).allSatisfy { $0 != "?" && $0 != "#" && $0 != "@" }
    if authority.isEmpty || !isPlain || !isWhole {
      return nil
    }
  }

  package var description: String { "\(scheme)://\(authority)\(prefix)" }

  package func url(_ path: String, _ parameters: [(name: String, value: String)]) -> String {
    "\(scheme)://\(authority)\(target(path, parameters))"
  }

  /// Path and query.
  package func target(_ path: String, _ parameters: [(name: String, value: String)]) -> String {
    let query = parameters.map { "\(ServerAddress.escaped($0.name))=\(ServerAddress.escaped($0.value))" }
    return prefix + path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
  }

  package static func escaped(_ text: String) -> String {
    var out = ""
    for byte in text.utf8 {
      switch byte {
      case 48...57, 65...90, 97...122, UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "~"):
        out.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = Array("0123456789ABCDEF")
        out += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
      }
    }
    return out
  }
}
