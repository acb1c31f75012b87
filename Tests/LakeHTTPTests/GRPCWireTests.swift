import LakeAPI
import LakeModel
import Testing

@testable import LakeHTTP

@Suite struct GRPCWireTests {
  @Test(
    "timeouts are eight digits and a unit",
    arguments: [
      ("1H", .seconds(3600)), ("2M", .seconds(120)), ("3S", .seconds(3)), ("4m", .milliseconds(4)),
      ("5u", .microseconds(5)), ("6n", .nanoseconds(6)), ("99999999H", .seconds(359_999_996_400)), ("0S", .zero),
      ("", nil), ("S", nil), ("5", nil), ("5s", nil), ("-5S", nil), ("5.0S", nil), ("999999999S", nil), ("5 S", nil),
    ] as [(String, Duration?)])
  func timeouts(text: String, duration: Duration?) { #expect(GRPCWire.timeout(text) == duration) }

  @Test("messages are percent-encoded") func percentEncoding() {
    #expect(GRPCWire.percentEncoded("plain ~ text") == "plain ~ text")
    #expect(GRPCWire.percentEncoded("a%b\nc\u{7F}é") == "a%25b%0Ac%7F%C3%A9")
  }

  @Test("binary metadata is base64 without padding") func base64() {
    let cases = [
      "": "", "f": "Zg", "fo": "Zm8", "foo": "Zm9v", "foob": "Zm9vYg", "fooba": "Zm9vYmE", "foobar": "Zm9vYmFy",
    ]
    for (plain, encoded) in cases { #expect(GRPCWire.base64(Bytes(plain)) == encoded) }
    #expect(GRPCWire.base64(Bytes([0xFB, 0xFF, 0xFE])) == "+//+")
  }

  @Test("gRPC is told from gRPC-Web and other codecs") func contentTypes() {
    for type in [
      "application/grpc", "Application/gRPC", "application/grpc+proto", "application/grpc; x=y", "application/grpc ;x",
    ] { #expect(GRPCWire.isGRPC(type)) }
    for type in ["application/grpc-web", "application/grpc+json", "application/json", "", "application/grpcx"] {
      #expect(!GRPCWire.isGRPC(type))
    }
    #expect(!GRPCWire.isGRPC(nil))
  }

  @Test("messages come out the same however their bytes are cut") func cuts() throws {
    let messages: [[UInt8]] = [[], [1], Array(0..<200), [], [9, 9]]
    let bytes = messages.flatMap { HTTP2Client.message($0) }
    for size in 1...bytes.count {
      var reader = GRPCMessageReader(bytesMax: 200, budget: BodyBudget(bytesMax: 1000))
      var found: [[UInt8]] = []
      var start = 0
      while start < bytes.count {
        let piece = Array(bytes[start..<min(start + size, bytes.count)])
        start += piece.count
        var used = 0
        while used < piece.count {
          var consumed = 0
          let message = try piece[used...].withUnsafeBytes { try reader.next($0, consumed: &consumed) }
          if let message { found.append(message.bytes.array) }
          used += consumed
        }
      }
      #expect(found == messages)
      #expect(reader.isBetweenMessages)
    }
  }
}
