import LakeModel
import Testing

@testable import LakeOTLP

@Suite struct NumberTextTests {
  private func text(_ value: Double) -> String {
    var out = BufferBuilder<UInt8>()
    NumberText.append(value, to: &out)
    return String(decoding: out.written.buffer, as: UTF8.self)
  }

  private func read(_ text: String) -> Double? {
    var text = text
    return text.withUTF8 { NumberText.double(RawBytes($0.baseAddress!, $0.count)) }
  }

  @Test(
    "doubles are written shortest, in JavaScript's layout",
    arguments: [
      (0, "0"), (-0.0, "-0"), (1, "1"), (-1.5, "-1.5"), (0.1, "0.1"), (0.001, "0.001"), (12.345, "12.345"),
      (1e-6, "0.000001"),
      (1.25e-7, "1.25e-7"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (123456789.123, "123456789.123"),
      (0.1 + 0.2, "0.30000000000000004"), (.infinity, "Infinity"), (-.infinity, "-Infinity"), (.nan, "NaN"),
      (.greatestFiniteMagnitude, "1.7976931348623157e+308"), (.leastNonzeroMagnitude, "5e-324"),
      (9_007_199_254_740_992, "9007199254740992"),
      (999_999_999.9995, "999999999.9995"), (1e-3 / 3, "0.0003333333333333333"),
    ])
  func layout(value: Double, expected: String) { #expect(text(value) == expected) }

  @Test("every double reads back bit for bit")
  func roundTrip() {
    var random = TestRandom(seed: 5)
    for index in 0..<20_000 {
      var value = Double(bitPattern: random.next())
      if index % 3 == 0 {
        value = Double(random.below(2_000_000_000)) / Double(random.pick([1, 8, 10, 100, 1000, 1024]))
      }
      #expect(read(text(value))?.bitPattern == value.bitPattern)
    }
    let staleNaN = Double(bitPattern: 0x7FF0_0000_0000_0002)
    #expect(text(staleNaN) == "NaN(0x7ff0000000000002)")
    #expect(read("NaN(0x7ff0000000000002)")?.bitPattern == staleNaN.bitPattern)
  }

  @Test("what is no number is not read", arguments: ["", "x", "1.5x", "0x10", "1e400", "NaN(0x1)", "--1", "1 "])
  func refused(text: String) { #expect(text.isEmpty || read(text) == nil) }

  @Test("base64 round-trips and refuses what is not base64")
  func base64() {
    func decode(_ text: String) -> [UInt8]? {
      var text = text
      var out = BufferBuilder<UInt8>()
      let isFine = text.withUTF8 {
        Base64.decode(RawBytes($0.baseAddress ?? RawBytes.none.start, $0.count), into: &out)
      }
      return isFine ? Array(out.written.buffer) : nil
    }
    for count in 0..<50 {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37) }
      #expect(decode(ModelJSON.base64(bytes)) == bytes)
    }
    #expect(decode("QU\nJD") == Array("ABC".utf8))
    for bad in ["+/8", "-_8=", "!!", "A===", "AAAA=", "QQ==QQ==", "QQ=", "=", "Q"] {
      #expect(decode(bad) == nil, "\(bad)")
    }
  }
}
