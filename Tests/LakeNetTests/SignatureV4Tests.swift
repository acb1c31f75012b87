import LakeModel
import LakeNet
import Testing

@Suite("AWS signatures")
struct SignatureV4Tests {
  // The example requests of the S3 documentation ("Signature Calculations for the Authorization Header").
  let signer = SignatureV4(
    credentials: AWSCredentials(
      accessKeyID: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
    region: "us-east-1", service: "s3")
  let time = Timestamp(nanoseconds: 1_369_353_600_000_000_000)

  func signature(_ headers: [(name: String, value: String)]) -> String? {
    headers.last?.value.split(separator: "Signature=").last.map(String.init)
  }

  @Test("a GET with a range is signed as AWS's documentation shows")
  func get() {
    let headers = signer.headers(
      method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/test.txt",
      headers: [("Range", "bytes=0-9")], payload: .signed(Bytes()), at: time)
    #expect(signature(headers) == "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41")
  }

  @Test("a PUT with a body and an escaped key is signed as AWS's documentation shows")
  func put() {
    let headers = signer.headers(
      method: "PUT", host: "examplebucket.s3.amazonaws.com", path: "/test%24file.text",
      headers: [("Date", "Fri, 24 May 2013 00:00:00 GMT"), ("x-amz-storage-class", "REDUCED_REDUNDANCY")],
      payload: .signed(Bytes("Welcome to Amazon S3.")), at: time)
    #expect(signature(headers) == "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd")
  }

  @Test("a listing with parameters is signed as AWS's documentation shows")
  func list() {
    let headers = signer.headers(
      method: "GET", host: "examplebucket.s3.amazonaws.com", path: "/",
      query: [("max-keys", "2"), ("prefix", "J")], payload: .signed(Bytes()), at: time)
    #expect(signature(headers) == "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7")
  }

  @Test(
    "dates are read and written without a calendar library",
    arguments: [
      (0, "19700101T000000Z"), (951_782_400, "20000229T000000Z"), (1_709_164_799, "20240228T235959Z"),
      (4_107_542_399, "21000228T235959Z"), (1_793_491_200, "20261101T000000Z"),
    ])
  func dates(seconds: Int, basic: String) {
    let time = CivilTime(Timestamp(nanoseconds: UInt64(seconds) * 1_000_000_000))
    #expect(time.basic == basic)
    let c = Array(basic)
    let iso =
      "\(String(c[0..<4]))-\(String(c[4..<6]))-\(String(c[6..<8]))T\(String(c[9..<11])):\(String(c[11..<13])):\(String(c[13..<15]))Z"
    #expect(CivilTime.seconds(iso8601: iso) == Int64(seconds))
  }

  @Test("XML answers are read, and broken ones give what they have")
  func xml() {
    let text = """
      <?xml version="1.0"?><R xmlns="u"><A>1 &lt; 2 &amp; &#x41;</A><B/><C><A>x</A></C><C><A>y</A></C></R>
      """
    let document = XMLDocument(Bytes(text))
    #expect(document.root?.name == "R")
    #expect(document.first("A") == "1 < 2 & A")
    #expect(document.root?.all("C").map { $0["A"]?.text } == ["x", "y"])
    for length in 0..<text.utf8.count { _ = XMLDocument(Bytes(Array(text.utf8.prefix(length)))) }
    #expect(XMLDocument(Bytes(String(repeating: "<a>", count: 100_000))).root != nil)
  }
}
