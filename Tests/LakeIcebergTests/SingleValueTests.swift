import LakeIceberg
import LakeModel
import LakeSchema
import Testing

/// Iceberg specification, Appendix D.
@Suite("single values")
struct SingleValueTests {
  @Test(
    "are serialized as the specification says and read back",
    arguments: [
      (.boolean(true), .boolean, [1]), (.int(-2), .int, [0xFE, 0xFF, 0xFF, 0xFF]), (.int(1), .date, [1, 0, 0, 0]),
      (.long(258), .long, [2, 1, 0, 0, 0, 0, 0, 0]), (.float(1), .float, [0, 0, 0x80, 0x3F]),
      (.double(-2), .double, [0, 0, 0, 0, 0, 0, 0, 0xC0]), (.string("ü"), .string, [0xC3, 0xBC]),
      (.binary([9, 8]), .binary, [9, 8]), (.decimal(1420), .decimal(precision: 9, scale: 2), [0x05, 0x8C]),
      (.decimal(-1), .decimal(precision: 9, scale: 2), [0xFF]), (.decimal(0), .decimal(precision: 9, scale: 2), [0]),
      (.decimal(128), .decimal(precision: 9, scale: 2), [0, 0x80]),
      (.decimal(-129), .decimal(precision: 9, scale: 2), [0xFF, 0x7F]),
    ] as [(Datum, FieldType, [UInt8])])
  func vectors(value: Datum, type: FieldType, bytes: [UInt8]) {
    #expect(value.singleValue == bytes)
    #expect(Datum(singleValue: bytes, type: type) == value)
  }

  @Test("written before a promotion are read as the wider type")
  func promotion() {
    #expect(Datum(singleValue: [0xFE, 0xFF, 0xFF, 0xFF], type: .long) == .long(-2))
    #expect(Datum(singleValue: [0, 0, 0x80, 0x3F], type: .double) == .double(1))
  }

  @Test("of the wrong length are nothing")
  func wrongLengths() {
    for type in [FieldType.boolean, .int, .long, .float, .double, .date, .time, .timestamptz, .uuid] {
      for count in [0, 2, 3, 5, 7, 9, 17] {
        #expect(Datum(singleValue: Array(repeating: 0, count: count), type: type) == nil, "\(type) \(count)")
      }
    }
    #expect(Datum(singleValue: [], type: .decimal(precision: 9, scale: 2)) == nil)
    #expect(Datum(singleValue: Array(repeating: 1, count: 17), type: .decimal(precision: 38, scale: 2)) == nil)
    #expect(Datum(singleValue: [0xFF], type: .string) == nil)
  }

  @Test("compare by value, text by bytes; NaN and other kinds compare with nothing")
  func order() {
    #expect(Datum.int(3).compare(to: .long(4)) == -1)
    #expect(Datum.float(0.5).compare(to: .double(0.25)) == 1)
    #expect(Datum.string("z").compare(to: .string("ü")) == -1)
    #expect(Datum.string("e\u{301}") != .string("\u{E9}"))
    #expect(Datum.binary([0x7F]).compare(to: .binary([0x80])) == -1)
    #expect(Datum.binary([1]).compare(to: .binary([1, 0])) == -1)
    #expect(Datum.double(.nan).compare(to: .double(.nan)) == nil)
    #expect(Datum.int(1).compare(to: .string("1")) == nil)
  }
}
