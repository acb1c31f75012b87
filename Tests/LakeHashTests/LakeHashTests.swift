import LakeHash
import LakeModel
import Testing

@Suite("Digests are those of their standards")
struct LakeHashTests {
  private static func hex(_ bytes: [UInt8]) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  private static func bytes(_ text: String) -> Bytes { Bytes(Array(text.utf8)) }

  @Test(
    "SHA-256 of the examples of FIPS 180-4",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (String(repeating: "a", count: 1_000_000), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ])
  func sha256(text: String, digest: String) {
    #expect(Self.hex(SHA256.hash(Self.bytes(text))) == digest)
  }

  @Test("a digest of pieces is the digest of the whole, wherever the cuts are")
  func pieces() {
    let text = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"
    for cut in 0...text.utf8.count {
      var digest = SHA256()
      digest.update(String(text.prefix(cut)))
      digest.update(Self.bytes(String(text.dropFirst(cut))))
      #expect(
        Self.hex(digest.finish()) == "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1", "cut at \(cut)"
      )
    }
  }

  @Test(
    "HMAC-SHA-256 of RFC 4231: short, ordinary and too long keys",
    arguments: [
      (
        [UInt8](repeating: 0x0B, count: 20), "Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
      ),
      (
        Array("Jefe".utf8), "what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
      ),
      (
        [UInt8](repeating: 0xAA, count: 131), "Test Using Larger Than Block-Size Key - Hash Key First",
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
      ),
    ])
  func hmac(key: [UInt8], message: String, code: String) {
    #expect(Self.hex(HMAC.sha256(key: key, message)) == code)
  }

  @Test("SHA-1 and base64 give the handshake of RFC 6455")
  func handshake() {
    let accept = SHA1.hash("dGhlIHNhbXBsZSBub25jZQ==" + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
    #expect(Base64.encode(accept) == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
  }

  @Test(
    "base64 of RFC 4648: one, two or no bytes over",
    arguments: [
      ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
      ("foobar", "Zm9vYmFy"),
    ])
  func base64(text: String, encoded: String) {
    #expect(Base64.encode(Array(text.utf8)) == encoded)
  }

  @Test("base64 uses all 64 digits, plus and slash last")
  func digits() {
    #expect(Base64.encode([0xFB, 0xFF, 0xBF]) == "+/+/")
    #expect(Base64.encode([0, 0x10, 0x83]) == "ABCD")
  }

  @Test("MD5 of RFC 1321, where the system allows it")
  func md5() {
    guard let digest = MD5.hash(Self.bytes("message digest")) else { return }
    #expect(Self.hex(digest) == "f96b697d7cb7938d525a2f31aaf161d0")
    #expect(MD5.hash(Bytes()).map(Self.hex) == "d41d8cd98f00b204e9800998ecf8427e")
  }

  @Test("xxHash gives the published values, with and without bytes: Bloom filters of others are read by them")
  func xxHash() {
    func of<Value>(_ text: String, _ hash: (UnsafeRawBufferPointer) -> Value) -> Value {
      Self.bytes(text).withUnsafeBytes(hash)
    }
    #expect(of("") { XXHash.xxh64($0) } == 0xEF46_DB37_51D8_E999)
    #expect(of("a") { XXHash.xxh64($0) } == 0xD24E_C4F1_A98C_6E5B)
    #expect(of("abc") { XXHash.xxh64($0) } == 0x44BC_2CF5_AD77_0999)
    #expect(of("abc") { XXHash.xxh64($0, seed: 1) } != 0x44BC_2CF5_AD77_0999)
    #expect(of("") { XXHash.xxh3($0) } == 0x2D06_8005_38D3_94C2)
    #expect(of("") { XXHash.xxh3_128($0) } == (0x99AA_06D3_0147_98D8, 0x6001_C324_468D_497F))
  }
}
